"""Frames that have types of their own: kept, save for those that no stage downstream wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import polars as pl

from outlearn.data.named import literal, written
from outlearn.data.readers.nested import DEPTH, Nesting
from outlearn.data.readers.records import text_series
from outlearn.data.readers.source import unique_names
from outlearn.errors import ReadError

__all__ = ["plain_columns", "plain_types", "plain_types_notes"]

_FLOAT = (pl.Decimal, pl.Null, pl.Int128)
_TEXT = (pl.Categorical, pl.Enum)

DType = pl.DataType


def plain_types(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with numbers, lists of numbers, booleans, times and text only, and null for NaN.

    Fields of structs become columns, as objects in JSON do.

    >>> plain_types(pl.DataFrame({"a": [[1, 2], None], "b": [float("nan"), 1.0]})).rows()
    [([1.0, 2.0], None), (None, 1.0)]
    >>> plain_types(pl.DataFrame({"a": [["x", "y"]], "b": [{"c": 1, "d": [{"e": 2}]}]})).to_dicts()
    [{'a': '["x", "y"]', 'b.c': 1, 'b.d.count': 1}]
    """
    columns = [plain for column in frame.iter_columns() for plain in plain_columns(column)]
    names, _ = unique_names([column.name for column in columns])
    return pl.DataFrame([column.alias(name) for column, name in zip(columns, names, strict=True)])


def plain_columns(column: pl.Series, depth: int = 0) -> Iterator[pl.Series]:
    """Yield the columns that one becomes."""
    dtype = column.dtype
    if isinstance(dtype, pl.Struct) and dtype.fields and depth < DEPTH:
        for inner in column.struct.unnest().iter_columns():
            name = literal(f"{written(column.name)}.{inner.name}")
            yield from plain_columns(inner.alias(name), depth + 1)
    elif _objects(dtype):
        lists = column.arr.to_list() if isinstance(dtype, pl.Array) else column
        yield lists.list.len().cast(pl.Int64).alias(f"{written(column.name)}.count")
    else:
        yield _plain(column)


def plain_types_notes(schema: Mapping[str, DType]) -> tuple[str, ...]:
    """Say which columns were nested, and what became of them."""
    nesting = Nesting()
    for name, dtype in schema.items():
        _look(nesting, name, dtype, 0)
    return nesting.notes()


def _look(nesting: Nesting, name: str, dtype: DType, depth: int) -> None:
    if isinstance(dtype, pl.Struct) and dtype.fields and depth < DEPTH:
        for field in dtype.fields:
            _look(nesting, f"{name}.{field.name}", pl.Series(dtype=field.dtype).dtype, depth + 1)
        return
    if depth:
        nesting.objects[f"{name}.count" if _objects(dtype) else name] = None
    if _objects(dtype):
        nesting.counted[name] = None
    elif _is_text(dtype) and dtype.is_nested():
        nesting.texts[name] = None


def _objects(dtype: DType) -> bool:
    """Tell whether cells are lists of structs."""
    return isinstance(dtype, pl.List | pl.Array) and isinstance(dtype.inner, pl.Struct)


def _numbers(dtype: DType) -> bool:
    """Tell whether cells are lists of numbers."""
    inner = dtype.inner if isinstance(dtype, pl.List | pl.Array) else None
    return inner is not None and inner.is_numeric()


def _is_text(dtype: DType) -> bool:
    """Tell whether cells are of a kind that is kept as text: nested, bytes, or known to one library alone."""
    if _numbers(dtype):
        return False
    known = dtype.is_numeric() or dtype.is_temporal() or dtype in (pl.String, pl.Boolean)
    return not known and not isinstance(dtype, (*_FLOAT, *_TEXT))


def _check_years(column: pl.Series) -> None:
    """Refuse moments that neither Python nor the clocks of other libraries can tell.

    Raises
    ------
    ReadError
        For a moment outside the years 1 to 9999.
    """
    if column.dtype != pl.Date and not isinstance(column.dtype, pl.Datetime):
        return
    limits = pl.Series([date(1, 1, 2), date(9999, 12, 30)], dtype=pl.Date).cast(column.dtype, strict=False)
    counts, (first, last) = column.to_physical(), limits.to_physical().to_list()
    if first is None:  # nanoseconds, which all lie inside
        return
    outside = ((counts < first) | (counts > last)).fill_null(value=False)
    if outside.any():
        raise ReadError(
            f"column {column.name!r} holds moments outside the years 1 to 9999, the first as the count "
            f"{counts.filter(outside)[0]:,}; set them to missing"
        )


def _plain(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    _check_years(column)
    if _numbers(dtype):
        column = column.arr.to_list() if isinstance(dtype, pl.Array) else column
        return column.cast(pl.List(pl.Float64))
    if _is_text(dtype):
        return text_series(column.name, column.to_list())
    if isinstance(dtype, _FLOAT):
        column = column.cast(pl.Float64, strict=False)
    elif isinstance(dtype, _TEXT):
        column = column.cast(pl.String)
    elif dtype == pl.Float16:
        column = column.cast(pl.Float32)
    return column.fill_nan(None) if column.dtype.is_float() else column
