"""A source of frames becomes one of their features, the columns that name them set apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl

from outlearn.data.kinds.bus.features import BUS_FEATURES, BYTES, IDENTITY, FrameHistory, bus_features
from outlearn.data.kinds.bus.forms import FrameForm, holds_frames
from outlearn.data.kinds.bus.frames import frames_of
from outlearn.data.named import only, renamed, without
from outlearn.data.readers.source import Source, unique_names
from outlearn.data.schema import Kind, Schema
from outlearn.errors import ReadError

__all__ = ["ASIDE", "bus_schema", "bus_view", "bus_words"]

ASIDE = ("time", "bus", "payload")
LOOKED = 10_000  # rows that show how a table is written
BLOCK = 50_000  # frames that are looked at together


def bus_view(source: Source, keep: Sequence[str] = ()) -> tuple[Source, tuple[str, ...]]:
    """Return a source of the same rows as frames, and its columns that no score may see.

    Those are the time in seconds, the bus and the payload as it is. Then come `BUS_FEATURES`, then all other
    columns. Memory is bounded: of each of 2,048 ids 256 frames are remembered, and 262,144 payloads in all.

    keep : columns that say nothing of a frame, such as a label, and stay as they are.

    Raises
    ------
    ReadError
        When the columns are not those of frames, or no id of the first rows can be read.

    >>> cells = {"ts": [0.0, 0.1], "can_id": ["0x123", "0x123"], "payload": ["00FF", "01FF"]}
    >>> table = pl.DataFrame(cells)
    >>> view, aside = bus_view(Source("a", tuple(table.columns), table.iter_slices))
    >>> view.read().select("time", "id", "bits changed").row(1), aside
    ((0.1, '0x123', 1.0), ('time', 'bus', 'payload'))
    """
    # To leave out the id is no word on the table's.
    kept = [name for name in keep if name not in BUS_FEATURES]
    head = without(next(iter(source.chunks(LOOKED))), kept)
    if not holds_frames(head.columns):
        raise ReadError(
            f"{source.name}: no frames of a bus; wanted lines as candump -L writes them, or columns of an id "
            "(can_id) and of a payload in hexadecimal digits (data) or of its bytes (byte0, byte1, …)"
        )
    form = FrameForm.of(head)
    if frames_of(head, form)["id"].null_count() == head.height:
        raise ReadError(
            f"{source.name}: column '{form.there['id']}' holds no id of a frame; wanted whole numbers or "
            "hexadecimal digits up to 1FFFFFFF"
        )
    taken = (*ASIDE, *BUS_FEATURES)
    rest = [name for name in source.columns if name not in form.used]
    free, _ = unique_names([*taken, *(f"{name} (as given)" if name in taken else name for name in rest)])
    others = dict(zip(rest, free[len(taken) :], strict=True))
    note = f"read as frames of a bus: {form.words()}"
    view = replace(
        source,
        columns=free,
        batches=partial(_batches, source, form, others),
        notes=(*source.notes, note),
        kind="bus",
    )
    return view, ASIDE


def _batches(source: Source, form: FrameForm, others: Mapping[str, str], _: int) -> Iterator[pl.DataFrame]:
    past = FrameHistory()
    for block in source.chunks(BLOCK):
        frames = frames_of(block, form)
        rest = renamed(block, others)
        yield pl.concat([only(frames, ASIDE), bus_features(frames, past), rest], how="horizontal")


def bus_schema(schema: Schema) -> Schema:
    """Return the schema of frames, of which no id is a name of rows and no byte their number.

    >>> from outlearn.data.schema import Column
    >>> schema = bus_schema(Schema(tuple(Column(name, Kind.IDENTIFIER) for name in BUS_FEATURES)))
    >>> str(schema["id"].kind), str(schema["byte 0"].kind)
    ('categorical', 'numeric')
    """
    kinds = dict.fromkeys(IDENTITY, Kind.CATEGORICAL) | dict.fromkeys(BYTES, Kind.NUMERIC)
    return schema.with_columns(
        [
            replace(schema[name], kind=kind, note="")
            for name, kind in kinds.items()
            if schema[name].kind is not Kind.CONSTANT
        ]
    )


def bus_words(cells: Mapping[str, Any]) -> str:
    """Return the id of a frame, and when it came.

    >>> bus_words({"id": "0x0CF00400", "time": 12.0341})
    'id 0x0CF00400 at 12.034 s'
    """
    when = cells["time"]
    return f"id {cells['id']}" + ("" if when is None else f" at {when:.3f} s")
