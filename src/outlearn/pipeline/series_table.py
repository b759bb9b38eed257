"""Tables of series: recognised among tables of dated rows, read whole, with labels of their points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.dates import moments_of
from outlearn.data.labels import parse_labels
from outlearn.data.readers import ReadOptions
from outlearn.data.schema import unknown_column
from outlearn.data.series.reader import form_of_times
from outlearn.data.series.repair import uneven
from outlearn.errors import InputError, OutlearnError, ParameterError
from outlearn.pipeline.learn import Reading, open_table
from outlearn.pipeline.rows import Spec, chunks_of

__all__ = ["SeriesTable", "holds_series", "labels_of", "rows_before"]

PROBED_ROWS = 5000  # rows that are read to tell a series from a table of dated rows
FEWEST_POINTS = 100  # that a series has at least, where nobody says that it is one


def holds_series(spec: Spec, reading: Reading) -> bool:
    """Tell whether a table with a time column is one series: numbers only, at even steps in time.

    Rows that are dated but come when they please, such as transactions, are a table.
    """
    source, reading = open_table(spec, reading)
    name = reading.time_column
    if name is None or name not in source.columns:
        return False
    head = next(iter(chunks_of(source))).head(PROBED_ROWS)
    apart = {name, reading.label_column, *reading.ignore}
    rest = [head[column] for column in head.columns if column not in apart]
    if head.height < FEWEST_POINTS or not rest or not all(cells.dtype.is_numeric() for cells in rest):
        return False
    try:
        moments, _ = moments_of(head[name], form_of_times(head[name], name))
    except OutlearnError:
        return False
    steps = np.diff(moments.drop_nulls().to_physical().to_numpy())
    usual = int(np.median(steps)) if len(steps) else 0
    return usual > 0 and bool((steps >= 0).all()) and not uneven(steps, usual)


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """All rows of a table of series, its name, notes, and the columns that are no channels."""

    frame: pl.DataFrame
    name: str
    notes: tuple[str, ...]
    ignored: list[str]

    @classmethod
    def open(cls, spec: Spec, reading: Reading) -> SeriesTable:
        """Read a table; `reading` is of a plain table, whose numbers are taken as they are."""
        plain = replace(reading.options or ReadOptions(), kind="table")
        source, settled = open_table(spec, replace(reading, options=plain))
        frame = pl.concat(list(chunks_of(source)), how="vertical_relaxed")
        label = settled.label_column
        return cls(frame, source.name, source.notes, [*settled.ignore, *([] if label is None else [label])])


def labels_of(frame: pl.DataFrame, name: str | None, *, required: bool) -> NDArray[np.int8]:
    """Return (n,) labels of rows, -1 where there are none; without the column all, unless it is required."""
    if name is None or (name not in frame.columns and not required):
        return np.full(frame.height, -1, dtype=np.int8)
    if name not in frame.columns:
        raise unknown_column(name, frame.columns, what="the label column")
    return parse_labels(frame[name], name=name)


def rows_before(frame: pl.DataFrame, time_column: str | None, until: str) -> NDArray[np.bool_]:
    """Return (n,) whether each row lies before a moment."""
    if time_column is None:
        raise ParameterError("reference_until needs a time column; name it")
    if time_column not in frame.columns:
        raise unknown_column(time_column, frame.columns, what="the time column")
    cells = frame[time_column]
    moments, _ = moments_of(cells, form_of_times(cells, time_column))
    text = pl.Series([until])
    try:
        limit = moments_of(text, form_of_times(text, "reference_until"))[0][0]
    except OutlearnError as error:
        raise ParameterError(f"reference_until is {until!r}; wanted a date such as 2026-01-31") from error
    past = (moments < limit).fill_null(False).to_numpy()
    if not past.any():
        raise InputError(
            f"no row lies before {until}; the first is of {moments.drop_nulls().sort()[0]}: give a later one"
        )
    return np.asarray(past)
