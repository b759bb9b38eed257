"""Executables as a kind of rows."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from outlearn.data.kinds.executables.source import FILE, SCHEMA, executable_words, open_executables
from outlearn.data.kinds.kind import RowFacts, RowKind
from outlearn.data.kinds.written import holds_written
from outlearn.data.readers.paths import located
from outlearn.data.readers.source import ReadOptions, Source
from outlearn.errors import ReadError

__all__ = ["EXECUTABLES"]


def _open(name: str, _: ReadOptions) -> Source | None:
    """Open a folder, or a file; None for a table that executables were written to."""
    return None if holds_written(located(name), SCHEMA) else open_executables(name)


def _view(source: Source, _keep: Sequence[str], _options: ReadOptions) -> tuple[Source, tuple[str, ...]]:
    raise ReadError(f"{source.name}: no executables; wanted a folder, or a file, of PE and ELF files")


def _facts(frame: pl.DataFrame, _clock: str) -> RowFacts:
    return RowFacts(frame[FILE], None, {"file": frame[FILE]})


EXECUTABLES = RowKind(
    "executables",
    one="file",
    many="executables",
    seen=SCHEMA,
    open=_open,
    view=_view,
    names=lambda _: (FILE,),
    words=executable_words,
    facts=_facts,
    category=("file",),
)
