"""Frames of a CAN bus as a kind of rows."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from outlearn.data.kinds.bus.features import BUS_FEATURES, IDENTITY, SURROUNDING
from outlearn.data.kinds.bus.forms import frame_columns
from outlearn.data.kinds.bus.view import ASIDE, bus_schema, bus_view, bus_words
from outlearn.data.kinds.kind import RowFacts, RowKind, Surroundings
from outlearn.data.readers.candump import holds_frame_lines, open_candump
from outlearn.data.readers.detect import content_of
from outlearn.data.readers.paths import located
from outlearn.data.readers.source import ReadOptions, Source

__all__ = ["BUS"]

_TEXTS = ("bus", "payload", *IDENTITY)


def _open(name: str, options: ReadOptions) -> Source | None:
    content = content_of(located(name))
    if not holds_frame_lines(content.head):
        return None
    return open_candump(name, content, options.encoding or "utf-8")


def _digits(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of ids and bytes: 0e10 and 0123 are no numbers but digits."""
    there, cells = frame_columns(columns)
    return (*(there[name] for name in ("id", "payload") if name in there), *cells)


def _view(source: Source, keep: Sequence[str], _: ReadOptions) -> tuple[Source, tuple[str, ...]]:
    return bus_view(source, keep)


def _facts(frame: pl.DataFrame, _clock: str) -> RowFacts:
    return RowFacts(frame["id"], frame["time"])


BUS = RowKind(
    "bus",
    one="frame",
    many="frames of a bus",
    seen={name: pl.String if name in _TEXTS else pl.Float64 for name in (*ASIDE, *BUS_FEATURES)},
    open=_open,
    digits=_digits,
    view=_view,
    names=lambda _: ASIDE,
    schema=bus_schema,
    words=bus_words,
    around=True,
    surroundings=Surroundings(SURROUNDING, lambda _: (*ASIDE, "id"), "what came before them"),
    facts=_facts,
)
