"""Dataframes of any library that narwhals knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import narwhals as nw
import polars as pl

from outlearn.data.readers.records import text_series
from outlearn.data.readers.source import ReadOptions, Source, reading, unique_names
from outlearn.data.readers.text import from_text
from outlearn.data.readers.typed import plain_types, plain_types_notes
from outlearn.errors import ReadError

__all__ = ["open_dataframe"]


def open_dataframe(native: Any, options: ReadOptions) -> Source:
    """Open a dataframe; a lazy one is collected. The frame itself is never changed.

    Raises
    ------
    ReadError
        For a value that is no dataframe, or a frame without rows or columns.
    """
    native = nw.to_native(native, pass_through=True)
    name = f"{type(native).__module__.split('.')[0]} {type(native).__name__}"
    native, notes = _rename(native)
    try:
        frame = nw.from_native(native)
    except TypeError as error:
        raise ReadError(
            f"a {name} cannot be read; wanted a path, dataset:NAME, a database URL or a dataframe"
        ) from error
    with reading(name):
        eager = frame.collect("polars") if isinstance(frame, nw.LazyFrame) else frame
        if not eager.columns or not len(eager):
            raise ReadError(f"{name}: no {'rows' if eager.columns else 'columns'}; wanted at least one")
        columns, more = unique_names([str(column) for column in eager.columns])
        whole, said = _to_polars(name, dict(zip(columns, eager.iter_columns(), strict=True)), options)

    def batches(rows: int) -> Iterator[pl.DataFrame]:
        return whole.iter_slices(rows)

    return Source(name, columns, batches, (*notes, *more, *said), whole.height)


def _rename(native: Any) -> tuple[Any, tuple[str, ...]]:
    """Rename doubled columns where the library allows them, which narwhals does not."""
    if nw.dependencies.is_pandas_dataframe(native) and not native.columns.is_unique:
        columns, notes = unique_names([str(column) for column in native.columns])
        return native.set_axis(list(columns), axis=1), notes
    if nw.dependencies.is_pyarrow_table(native) and len(set(native.column_names)) < native.num_columns:
        columns, notes = unique_names(native.column_names)
        return native.rename_columns(list(columns)), notes
    return native, ()


def _to_polars(
    name: str, columns: dict[str, nw.Series[Any]], options: ReadOptions
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Convert column by column; those of mixed Python objects are read like text from a file."""
    kept = {column: _typed(series, column) for column, series in columns.items()}
    mixed = {c: text_series(c, columns[c].to_list()) for c, series in kept.items() if series is None}
    typed = pl.DataFrame([series for series in kept.values() if series is not None])
    notes = plain_types_notes(typed)
    typed = plain_types(typed)
    if mixed:
        text = from_text(name, lambda: [pl.DataFrame(mixed)], options=options)
        typed = typed.hstack(text.read()) if typed.width else text.read()
        notes += text.notes
    # By name, not by expression: a column may be called ^a$ or *.
    return pl.DataFrame([typed.get_column(column) for column in columns]), notes


def _typed(series: nw.Series[Any], name: str) -> pl.Series | None:
    if series.dtype == nw.Object:
        return None
    try:
        return series.to_polars().alias(name)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        return None
