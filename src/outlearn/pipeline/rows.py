"""Rows in: a source that stages may walk again and again, and single rows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.datasets import LABEL
from outlearn.data.readers import ReadOptions, Source, open_source
from outlearn.data.readers.lines import LINE
from outlearn.errors import InputError

__all__ = ["Opener", "Spec", "answer_column", "chunk_rows", "chunks_of", "open_rows", "pick_rows"]

#: Whatever holds rows: a path, ``dataset:NAME``, a database URL, a dataframe, an `Opener`, or an open source.
Spec = Any

_HELD_CELLS = 5_000_000  # a table up to this size is kept in memory rather than read by each stage anew
LINE_CELLS = 50  # that a line of a log counts for
_CHUNK_CELLS, _CHUNK_ROWS = 1_000_000, 50_000  # of a piece, at most
_CHUNK_BYTES = 64 << 20  # beyond which a piece is cut into smaller ones


@dataclass(frozen=True, slots=True)
class Opener:
    """Rows that are not behind a name, and are opened anew as the options say."""

    open: Callable[[ReadOptions], Source]


def open_rows(spec: Spec, options: ReadOptions | None = None) -> Source:
    """Open a source; the rows of a small one are read once and kept."""
    if isinstance(spec, Opener):
        source = spec.open(options or ReadOptions())
    else:
        source = spec if isinstance(spec, Source) else open_source(spec, options=options)
    cells = LINE_CELLS if source.columns == (LINE,) else len(source.columns)
    if source.rows is None or source.rows * cells > _HELD_CELLS:
        return source
    frame = source.read()
    return replace(source, batches=lambda rows: frame.iter_slices(rows))


def answer_column(spec: Spec) -> str | None:
    """Return the column of a bundled data set that holds the answer, and that no detector may see unasked."""
    return LABEL if isinstance(spec, str) and spec.startswith("dataset:") else None


def chunk_rows(source: Source) -> int:
    """Return how many rows make a piece whose size in memory hardly depends on the width of the table."""
    return int(np.clip(_CHUNK_CELLS // max(len(source.columns), 1), 1_000, _CHUNK_ROWS))


def chunks_of(source: Source) -> Iterator[pl.DataFrame]:
    """Yield the rows in order, in such pieces, smaller ones where cells are heavy, such as lists."""
    for chunk in source.chunks(chunk_rows(source)):
        pieces = int(chunk.estimated_size() // _CHUNK_BYTES) + 1
        yield from chunk.iter_slices(-(-chunk.height // pieces))


def pick_rows(source: Source, rows: NDArray[np.int64]) -> pl.DataFrame:
    """Return the rows (k,) at these row numbers, in their order there; a number may come more than once.

    Raises
    ------
    InputError
        When there is no such row.

    >>> pick_rows(open_rows(pl.DataFrame({"a": [5, 6, 7]})), np.array([2, 0]))["a"].to_list()
    [7, 5]
    """
    wanted, place = np.unique(rows, return_inverse=True)
    if len(wanted) and wanted[0] < 0:
        raise InputError(f"row {wanted[0]} was asked for; rows count from 0")
    picked, start = [], 0
    for chunk in chunks_of(source):
        inside = wanted[(wanted >= start) & (wanted < start + chunk.height)] - start
        picked.append(chunk[inside])
        start += chunk.height
        if not len(wanted) or start > wanted[-1]:
            return pl.concat(picked)[place]
    raise InputError(f"row {wanted[-1]} was asked for; {source.name} has rows 0 to {start - 1}")
