"""Dataframes of any library that narwhals knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from outlearn.data.foreign import parted, readable
from outlearn.data.readers.nested import Layout, Nesting, Unfolded
from outlearn.data.readers.records import text_series
from outlearn.data.readers.source import ReadOptions, Source, reading, unique_names
from outlearn.data.readers.text import from_text
from outlearn.data.readers.typed import plain_columns, plain_types_notes
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
    if nw.dependencies.is_pandas_dataframe(native):
        native, said = parted(native)
        notes = (*notes, *_on_index(native), *said)
    try:
        frame = nw.from_native(native)
    except TypeError as error:
        raise ReadError(
            f"a {name} cannot be read; wanted a path, dataset:NAME, a database URL or a dataframe"
        ) from error
    with reading(name):
        eager = frame.collect("polars") if isinstance(frame, nw.LazyFrame) else readable(frame)
        if not eager.columns or not len(eager):
            raise ReadError(f"{name}: no {'rows' if eager.columns else 'columns'}; wanted at least one")
        columns, more = unique_names([str(column) for column in eager.columns])
        whole, said = _to_polars(name, dict(zip(columns, eager.iter_columns(), strict=True)), options)

    def batches(rows: int) -> Iterator[pl.DataFrame]:
        return whole.iter_slices(rows)

    return Source(name, tuple(whole.columns), batches, (*notes, *more, *said), whole.height)


def _rename(native: Any) -> tuple[Any, tuple[str, ...]]:
    """Rename doubled columns where the library allows them, which narwhals does not."""
    if nw.dependencies.is_pandas_dataframe(native) and not native.columns.is_unique:
        columns, notes = unique_names([str(column) for column in native.columns])
        return native.set_axis(list(columns), axis=1), notes
    if nw.dependencies.is_pyarrow_table(native) and len(set(native.column_names)) < native.num_columns:
        columns, notes = unique_names(native.column_names)
        return native.rename_columns(list(columns)), notes
    return native, ()


def _on_index(native: Any) -> tuple[str, ...]:
    """Say that an index with a name, or one of times, is no column."""
    index = native.index
    names = [str(name) for name in index.names if name is not None]
    if not names and index.dtype.kind not in "mM":
        return ()
    words = f"index {', '.join(map(repr, names))}" if names else "index of times"
    return (f"the {words} is not read; reset_index() makes it a column",)


def _to_polars(
    name: str, columns: dict[str, nw.Series[Any]], options: ReadOptions
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Convert column by column; those of mixed Python objects are read like text from a file."""
    kept = {column: _typed(series, column) for column, series in columns.items()}
    nesting = Nesting()
    plain = [
        (cells, series is None)
        for column, series in kept.items()
        for cells in (
            _as_text(column, columns[column].to_list(), nesting) if series is None else plain_columns(series)
        )
    ]
    names, _ = unique_names([cells.name for cells, _ in plain])
    named = dict(zip(names, plain, strict=True))
    notes = plain_types_notes({c: series.dtype for c, series in kept.items() if series is not None})
    mixed = {column: cells for column, (cells, is_text) in named.items() if is_text}
    read = pl.DataFrame()
    if mixed:
        text = from_text(name, lambda: [pl.DataFrame(mixed)], options=options)
        read, notes = text.read(), (*notes, *nesting.notes(), *text.notes)
    # By name, not by expression: a column may be called ^a$ or *.
    return pl.DataFrame(
        [
            read.get_column(column) if column in mixed else cells.alias(column)
            for column, (cells, _) in named.items()
        ]
    ), notes


def _as_text(name: str, values: Sequence[Any], nesting: Nesting) -> Iterator[pl.Series]:
    """Yield the columns of text that a column of mixed objects becomes."""
    if not any(isinstance(value, dict | list) for value in values):
        yield text_series(name, values)
        return
    records = [{name: value} for value in values]
    yield from Unfolded(name, Layout.of(records), nesting).frame(records).iter_columns()


def _typed(series: nw.Series[Any], name: str) -> pl.Series | None:
    if series.dtype == nw.Object:
        return None
    try:
        return series.to_polars().alias(name)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        return None
