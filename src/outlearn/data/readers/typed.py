"""Frames that have types of their own: kept, save for those that no stage downstream wants."""

from __future__ import annotations

import polars as pl

from outlearn.data.readers.records import text_series

__all__ = ["plain_types", "plain_types_notes"]

_FLOAT = (pl.Decimal, pl.Null, pl.Int128)
_TEXT = (pl.Categorical, pl.Enum)
_NESTED = (pl.List, pl.Array, pl.Struct, pl.Object)


def plain_types(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with numbers, lists of numbers, booleans, times and text only, and null for NaN.

    >>> plain_types(pl.DataFrame({"a": [[1, 2], None], "b": [float("nan"), 1.0]})).rows()
    [([1.0, 2.0], None), (None, 1.0)]
    >>> plain_types(pl.DataFrame({"a": [["x", "y"]]})).rows()
    [('["x", "y"]',)]
    """
    return pl.DataFrame([_plain(column) for column in frame.iter_columns()])


def plain_types_notes(frame: pl.DataFrame) -> tuple[str, ...]:
    """Say which columns were nested and became JSON text."""
    nested = [
        repr(name)
        for name, dtype in frame.schema.items()
        if isinstance(dtype, _NESTED) and not _numbers(dtype)
    ]
    return (f"nested values became JSON text in {', '.join(nested)}",) if nested else ()


def _numbers(dtype: pl.DataType) -> bool:
    """Tell whether cells are lists of numbers."""
    inner = dtype.inner if isinstance(dtype, pl.List | pl.Array) else None
    return inner is not None and inner.is_numeric()


def _plain(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if _numbers(dtype):
        column = column.arr.to_list() if isinstance(dtype, pl.Array) else column
        return column.cast(pl.List(pl.Float64))
    if isinstance(dtype, (*_NESTED, pl.Binary)):
        return text_series(column.name, column.to_list())
    if isinstance(dtype, _FLOAT):
        column = column.cast(pl.Float64, strict=False)
    elif isinstance(dtype, _TEXT):
        column = column.cast(pl.String)
    return column.fill_nan(None) if column.dtype.is_float() else column
