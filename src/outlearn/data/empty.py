"""Rows in which nothing is said: all cells that a score is made from are missing."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.missing import cells_by
from outlearn.data.schema import Schema

__all__ = ["EMPTY_REASON", "empty_note", "empty_rows"]

EMPTY_REASON = "all cells are missing."


def empty_rows(frame: pl.DataFrame, schema: Schema) -> NDArray[np.bool_]:
    """Return which rows are empty, (n,); names of rows, labels and constants do not fill one.

    >>> from outlearn.data.schema import Column, Kind
    >>> schema = Schema((Column("id", Kind.IDENTIFIER), Column("a", Kind.NUMERIC), Column("b", Kind.TEXT)))
    >>> empty_rows(pl.DataFrame({"id": [1, 2], "a": [None, None], "b": ["x", " "]}), schema)
    array([False,  True])
    """
    names = [column.name for column in schema.used or schema.constant if column.name in frame.columns]
    empty = np.full(frame.height, bool(names))
    for name in names:
        if empty.any():
            empty &= _missing(cells_by(schema, frame, [name])[name]).to_numpy()
    return empty


def empty_note(count: int) -> str:
    """Return a sentence on so many empty rows.

    >>> empty_note(114)
    '114 rows are empty: all their cells are missing'
    """
    return (
        f"{count:,} rows are empty: all their cells are missing"
        if count > 1
        else ("1 row is empty: all its cells are missing")
    )


def _missing(cells: pl.Series) -> pl.Series:
    """Return which cells are null, not a number or blank."""
    if cells.dtype.is_float():
        return cells.is_null() | cells.is_nan().fill_null(True)
    if cells.dtype == pl.String:
        return cells.str.strip_chars().fill_null("") == ""
    return cells.is_null()
