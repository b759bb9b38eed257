"""Reading series out of a table: whose they are, in what order, at what steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import plain
from outlearn.data.columns.cells import numbers_of, text_of, written_of
from outlearn.data.columns.dates import check_form, moments_of
from outlearn.data.columns.moment import form_of_moments
from outlearn.data.named import literal, with_literal_names, written
from outlearn.data.quantities import Notation, Recognised, recognise
from outlearn.data.schema import unknown_column
from outlearn.data.series.repair import bridge, counts_up, increments, uneven
from outlearn.data.series.series import Series
from outlearn.errors import InputError, SchemaError
from outlearn.panics import without_panics

__all__ = ["SeriesReader", "form_of_times"]

Micros = NDArray[np.int64]
BRIDGED = 8  # missing points in a row that are put on a line; a longer gap parts two stretches
PARSED = 0.9  # share of cells of a channel that must be numbers
ONLY = ""  # key of the series of a table that holds one


@dataclass(frozen=True, slots=True)
class SeriesReader:
    """How the series of a table are read, settled by a first table.

    channels : columns that are read. counters : those of them that are counters, read as increments.
    time_column, series_column : or None. form : how times are read, see `dates.FORMS`.
    step : usual time between two points, in microseconds; 0 without times. even : whether points have equal
    steps as they come, or are put on a grid of that step.
    notations : how the numbers of channels of text are written.
    """

    channels: tuple[str, ...]
    counters: tuple[str, ...] = ()
    time_column: str | None = None
    series_column: str | None = None
    form: str = ""
    step: int = 0
    even: bool = True
    notations: Mapping[str, Notation] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The channels as the table that they came in calls them."""
        return tuple(map(written, self.channels))

    @classmethod
    @without_panics("the table")
    def fit(
        cls,
        frame: pl.DataFrame,
        *,
        time_column: str | None = None,
        series_column: str | None = None,
        ignore: Sequence[str] = (),
    ) -> tuple[Self, tuple[str, ...]]:
        """Settle how to read tables like this one; returns sentences on what was set aside as well.

        Raises
        ------
        SchemaError
            When a column is not there, times cannot be read, or no column holds numbers.
        """
        frame = with_literal_names(frame)
        time_column = None if time_column is None else literal(time_column)
        series_column = None if series_column is None else literal(series_column)
        for name, what in ((time_column, "the time column"), (series_column, "the series column")):
            if name is not None and name not in frame.columns:
                raise unknown_column(name, frame.columns, what=what)
        if not frame.height:
            raise InputError("the table has no rows; wanted the points of at least one series")
        apart = {time_column, series_column, *map(literal, ignore)}
        columns = {name: frame[name] for name in frame.columns if name not in apart}
        known = _recognised(columns)
        notations = {name: found.notation for name, found in known.items() if found.notation}
        channels, aside = _channels(columns, notations)
        form = "" if time_column is None else form_of_times(frame[time_column], time_column)
        draft = cls(channels, (), time_column, series_column, form, notations=notations)
        tables = [points for _, points in draft._by_series(frame)]
        counters = tuple(
            name for name in channels if all(counts_up(draft._values(name, points)) for points in tables)
        )
        step, even = draft._steps(tables)
        notes = [f"column '{name}': {known[name].note}" for name in notations if known[name].note]
        notes += [f"set aside, for they hold no numbers: {', '.join(aside)}"] if aside else []
        if counters:
            notes.append(f"counters, read as what they rose by: {', '.join(counters)}")
        if not even:
            notes.append(f"steps between points differ; they are put on a grid of {_spoken(step)}")
        return replace(draft, counters=counters, step=step, even=even), tuple(notes)

    @without_panics("the table")
    def read(self, frame: pl.DataFrame) -> tuple[list[Series], tuple[str, ...]]:
        """Return the series of a table, by key, and sentences on what was repaired.

        Raises
        ------
        SchemaError
            When a column is not there.
        InputError
            When no row has a time.
        """
        frame = with_literal_names(frame)
        for name in (*self.channels, self.time_column, self.series_column):
            if name is not None and name not in frame.columns:
                raise unknown_column(name, frame.columns, what="a column that was learnt from")
        tally = _Tally()
        series = [self._one(key, points, tally) for key, points in self._by_series(frame, tally)]
        if not series:
            raise InputError(
                f"no row has a time in column '{self.time_column}'"
                if frame.height
                else "the table has no rows"
            )
        return series, tuple(tally.sentences())

    def _by_series(
        self, frame: pl.DataFrame, tally: _Tally | None = None
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield each series' rows in order of time, with their row numbers as `_ROW` and times as `_TIME`."""
        tally = _Tally() if tally is None else tally
        table = frame.with_row_index(_ROW)
        if self.time_column is not None:
            moments, unread = moments_of(table[self.time_column], self.form)
            tally.count("times that cannot be read; their rows have no score", unread)
            tally.count("rows without a time; they have no score", moments.null_count() - unread)
            table = table.with_columns(moments.to_physical().alias(_TIME)).filter(pl.col(_TIME).is_not_null())
            backwards = int((np.diff(table[_TIME].to_numpy()) < 0).sum()) if self.series_column is None else 0
            tally.count("steps back in time; rows were put in order", backwards)
            table = table.sort(_TIME, maintain_order=True)
        if self.series_column is None:
            if table.height:
                yield ONLY, table
            return
        table = table.with_columns(text_of(table[self.series_column]).fill_null("").alias(_KEY))
        for (key,), points in sorted(table.partition_by(_KEY, as_dict=True).items()):
            yield str(key), points

    def _steps(self, tables: Sequence[pl.DataFrame]) -> tuple[int, bool]:
        if self.time_column is None:
            return 0, True
        steps = np.concatenate([np.diff(np.unique(points[_TIME].to_numpy())) for points in tables])
        if not len(steps):
            return 1, True
        usual = int(np.median(steps))
        return usual, not uneven(steps, usual)

    def _one(self, key: str, points: pl.DataFrame, tally: _Tally) -> Series:
        rows = points[_ROW].to_numpy().astype(np.int64)
        values = np.column_stack([self._channel(name, points, tally) for name in self.channels])
        if self.time_column is None:
            return self._joined(key, values, np.arange(len(rows)), rows, None, tally)
        micros = points[_TIME].to_numpy().astype(np.int64)
        moments, first, places = np.unique(micros, return_index=True, return_inverse=True)
        if len(moments) < len(micros):
            tally.count(
                "rows share a time with another; their values were averaged", len(micros) - len(moments)
            )
            values = _averaged(values, first, places)
        if not self.even:
            values, moments, on = _on_grid(values, moments, self.step)
            places = on[places]
        filled, at, moments = self._stepped(values, moments, tally)
        return self._joined(key, filled, at[places], rows, moments, tally)

    def _channel(self, name: str, points: pl.DataFrame, tally: _Tally) -> NDArray[np.float64]:
        values, unparsed, infinite = numbers_of(points[name], self.notations.get(name))
        missing = int(np.isnan(values).sum()) - unparsed - infinite
        tally.count(f"values of '{name}' are missing; put on a line between those beside", missing)
        tally.count(f"cells of '{name}' are no numbers; read as missing", unparsed)
        tally.count(f"values of '{name}' are infinite; read as missing", infinite)
        return increments(values) if name in self.counters else values

    def _values(self, name: str, points: pl.DataFrame) -> NDArray[np.float64]:
        return numbers_of(points[name], self.notations.get(name)).values

    def _stepped(
        self, values: NDArray[np.float64], micros: Micros, tally: _Tally
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], Micros]:
        """Put missing points in, where few are missing in a row; returns values, new places, new times."""
        if len(micros) < 2 or not self.step:
            return values, np.arange(len(micros)), micros
        ahead = np.rint(np.diff(micros) / self.step).astype(np.int64)
        ahead = np.where((ahead < 1) | (ahead > BRIDGED + 1), 1, ahead)
        at = np.r_[0, np.cumsum(ahead)]
        wide = np.full((at[-1] + 1, values.shape[1]), np.nan)
        wide[at] = values
        tally.count("points are missing in time; put on a line between those beside", len(wide) - len(at))
        return wide, at, np.interp(np.arange(len(wide)), at, micros).astype(np.int64)

    def _joined(
        self,
        key: str,
        values: NDArray[np.float64],
        places: NDArray[np.int64],
        rows: NDArray[np.int64],
        micros: Micros | None,
        tally: _Tally,
    ) -> Series:
        starts = np.zeros(1, dtype=np.int64)
        if micros is not None and self.step:
            gaps = 1 + np.flatnonzero(np.diff(micros) > (BRIDGED + 1.5) * self.step)
            tally.count("gaps in time; nothing is compared across them", len(gaps))
            starts = np.r_[starts, gaps]
        for channel in range(len(self.channels)):
            for start, end in pairwise([*starts.tolist(), len(values)]):
                values[start:end, channel] = bridge(values[start:end, channel])
        order = np.argsort(rows, kind="stable")
        times = None if micros is None else micros.astype("datetime64[us]")
        return Series(values, self.names, starts, rows[order], places[order], times, key)

    def to_state(self) -> dict[str, Any]:
        notations = {name: notation.to_state() for name, notation in self.notations.items()}
        return {**asdict(self), "notations": notations}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Return the reader whose `to_state` gave these values.

        Raises
        ------
        ValueError
            When a value is missing or unfit.
        """
        written = plain.record(state.get("notations", {}), "'notations'")  # earlier versions had none
        notations = {name: Notation.from_state(notation) for name, notation in written.items()}
        for notation in notations.values():
            notation.read(pl.Series(["1"]))  # else it would be found out only where a table is read
        reader = cls(
            plain.texts(state, "channels"),
            plain.texts(state, "counters"),
            plain.optional_text(state, "time_column"),
            plain.optional_text(state, "series_column"),
            plain.text(state, "form"),
            plain.whole(state, "step"),
            plain.flag(state, "even"),
            notations,
        )
        channels = reader.channels
        if not channels or len(set(channels)) < len(channels) or not set(reader.counters) <= set(channels):
            raise ValueError("it reads no channels, one twice, or counts what is none of them")
        if reader.time_column is not None:
            check_form(reader.form)
        return reader


_ROW, _TIME, _KEY = "\0row", "\0time", "\0series"


class _Tally:
    """Counts of what was repaired, one sentence a kind."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def count(self, what: str, number: int) -> None:
        if number > 0:
            self._counts[what] = self._counts.get(what, 0) + number

    def sentences(self) -> Iterator[str]:
        for what, number in self._counts.items():
            yield f"{number:,} {what}"


def _recognised(columns: Mapping[str, pl.Series]) -> dict[str, Recognised]:
    """Return how the numbers of columns of text are written, where that reads more cells than are plain."""
    recognised = {}
    for name, cells in columns.items():
        unparsed = numbers_of(cells).unparsed if cells.dtype == pl.String else 0
        if unparsed:
            found = recognise(written_of(cells).drop_nulls(), name=name, least=PARSED)
            if found.notation is not None and found.unread < unparsed:
                recognised[name] = found
    return recognised


def _channels(
    columns: Mapping[str, pl.Series], notations: Mapping[str, Notation]
) -> tuple[tuple[str, ...], list[str]]:
    """Return the columns of numbers, and those set aside."""
    channels: list[str] = []
    aside: list[str] = []
    for name, cells in columns.items():
        values, unparsed, _ = numbers_of(cells, notations.get(name))
        known = int(np.isfinite(values).sum())
        dated = cells.dtype.is_temporal()
        numeric = known and not dated and known >= PARSED * (known + unparsed)
        (channels if numeric else aside).append(name)
    if not channels:
        raise SchemaError(
            f"no column holds numbers to watch: {', '.join(columns) or 'none is left'}; wanted at least one "
            "besides those of time, series and labels"
        )
    return tuple(channels), aside


def form_of_times(cells: pl.Series, name: str) -> str:
    """Return how a column of times is read, see `dates.FORMS`; `SchemaError` when it holds none."""
    form = form_of_moments(cells)
    moments, _ = moments_of(cells, form)
    if moments.null_count() == len(moments):
        raise SchemaError(
            f"column '{name}' holds no times, e.g. {cells.drop_nulls().head(1).to_list()}; wanted dates with "
            "times, or numbers that count seconds"
        )
    return form


def _averaged(
    values: NDArray[np.float64], first: NDArray[np.int64], places: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean of the known values at each place."""
    known = np.isfinite(values)
    total = np.zeros((len(first), values.shape[1]))
    count = np.zeros_like(total)
    np.add.at(total, places, np.where(known, values, 0.0))
    np.add.at(count, places, known)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count)


def _on_grid(
    values: NDArray[np.float64], micros: Micros, step: int
) -> tuple[NDArray[np.float64], Micros, NDArray[np.int64]]:
    """Return values on a grid within each run without a long gap, its times, and the point of each row."""
    gaps = 1 + np.flatnonzero(np.diff(micros) > (BRIDGED + 1.5) * step)
    blocks: list[NDArray[np.float64]] = []
    times: list[Micros] = []
    at: list[NDArray[np.int64]] = []
    done = 0
    for run in np.split(np.arange(len(micros)), gaps):
        own = micros[run]
        grid = own[0] + step * np.arange((own[-1] - own[0]) // step + 1)
        columns = [_between(grid, own, values[run, c]) for c in range(values.shape[1])]
        blocks.append(np.column_stack(columns))
        times.append(grid)
        at.append(done + np.minimum(np.rint((own - own[0]) / step).astype(np.int64), len(grid) - 1))
        done += len(grid)
    return np.concatenate(blocks), np.concatenate(times), np.concatenate(at)


def _between(grid: Micros, micros: Micros, values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(grid), np.nan)
    return np.interp(grid, micros[known], values[known])


def _spoken(micros: int) -> str:
    for unit, size in (("days", 86_400_000_000), ("hours", 3_600_000_000), ("minutes", 60_000_000)):
        if micros >= size:
            return f"{micros / size:g} {unit}"
    return f"{micros / 1e6:g} seconds"
