"""Tables of series: recognised among tables of dated rows, read whole, with labels of their points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.answers import answer_columns
from outlearn.data.columns.dates import moments_of
from outlearn.data.infer import infer_schema
from outlearn.data.labels import LabelTally
from outlearn.data.missing import with_missing
from outlearn.data.readers import ReadOptions
from outlearn.data.schema import Kind, unknown_column
from outlearn.data.series.reader import form_of_times
from outlearn.data.series.repair import uneven
from outlearn.errors import InputError, LabelError, OutlearnError, ParameterError
from outlearn.pipeline.learn import Reading, open_table
from outlearn.pipeline.rows import Spec, chunks_of

__all__ = ["Labels", "SeriesTable", "holds_series", "rows_before"]

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
    apart = {name, reading.label_column, *reading.ignore, *answer_columns(head)}
    rest = [head[column] for column in head.columns if column not in apart]
    if head.height < FEWEST_POINTS or not rest or not all(map(_holds_numbers, rest)):
        return False
    try:
        moments, _ = moments_of(head[name], form_of_times(head[name], name))
    except OutlearnError:
        return False
    steps = np.diff(moments.drop_nulls().to_physical().to_numpy())
    usual = int(np.median(steps)) if len(steps) else 0
    return usual > 0 and bool((steps >= 0).all()) and not uneven(steps, usual)


def _holds_numbers(cells: pl.Series) -> bool:
    """Tell whether a column is of numbers, be they written as people do."""
    if cells.dtype != pl.String:
        return cells.dtype.is_numeric()
    return infer_schema(cells.to_frame())[cells.name].kind is Kind.NUMERIC


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """All rows of a table of series, its name, notes, and the columns that are no channels.

    time_column : that of times, which may be made of several.
    anomaly_values : labels that mean an anomaly, where the user says so; see `parse_labels`.
    """

    frame: pl.DataFrame
    name: str
    notes: tuple[str, ...]
    ignored: list[str]
    time_column: str | None = None
    anomaly_values: tuple[str, ...] = ()

    @classmethod
    def open(cls, spec: Spec, reading: Reading) -> SeriesTable:
        """Read a table; `reading` is of a plain table, whose numbers are taken as they are."""
        plain = replace(reading.options or ReadOptions(), kind="table")
        source, settled = open_table(spec, replace(reading, options=plain))
        frame = pl.concat(list(chunks_of(source)), how="vertical_relaxed")
        codes = reading.missing_in([name for name in frame.columns if name != settled.label_column])
        frame = frame.with_columns(with_missing(frame[name], values) for name, values in codes.items())
        aside = [*settled.ignore, *(name for name in (settled.label_column,) if name is not None)]
        answers = answer_columns(frame, {*aside, settled.time_column or ""})
        notes = (*map(_left_out, answers), *source.notes)
        ignored = [*aside, *answers]
        return cls(frame, source.name, notes, ignored, settled.time_column, settled.anomaly_values)

    def labels(self, name: str | None, *, required: bool) -> Labels:
        """Return the labels of rows: none without the column, unless it is required.

        Raises
        ------
        LabelError
            When a label means nothing, or most points are called anomalies and none normal.
        """
        if name is None or (name not in self.frame.columns and not required):
            return Labels(np.full(self.frame.height, -1, dtype=np.int8))
        self.check(name, "the label column")
        tally = LabelTally(name, source=self.name, anomaly_values=self.anomaly_values)
        tally.add(self.frame[name])
        labelling = tally.settle()
        for fault in (labelling.one_sided, labelling.absent if required else ""):
            if fault:
                raise LabelError(fault)
        notes = (*((labelling.caution,) if labelling.caution else ()), *labelling.notes)
        return Labels(labelling.labels(self.frame[name]), notes)

    def check(self, name: str | None, what: str) -> None:
        """Refuse a column that is not there. what : it is for."""
        if name is not None and name not in self.frame.columns:
            raise unknown_column(name, self.frame.columns, what=what, where=self.name)


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels (n,) of rows, -1 where there are none, and sentences on how they were read."""

    values: NDArray[np.int8]
    notes: tuple[str, ...] = ()


def _left_out(name: str) -> str:
    return (
        f"column '{name}' looks like the answer, by its name and its values, and is no channel: name it as "
        f"the label column (--label-column {name}) to learn from it"
    )


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
