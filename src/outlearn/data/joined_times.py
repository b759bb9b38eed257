"""One time that stands in several columns: a date and a time of day, or year, month, day and hour."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, KeysView, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from outlearn.data.columns.cells import text_of
from outlearn.data.columns.dates import form_of, moments_of
from outlearn.data.named import literal
from outlearn.data.readers.source import Source

__all__ = ["LOOKED", "JoinedTime", "joined_times", "may_join", "with_times"]

LOOKED = 10_000  # rows that show what columns hold
SHARE = 0.99  # of filled cells that must be dates, or times of day
_ROLES = {
    "date": {"date", "datum", "fecha", "dteday"},
    "clock": {"time", "hour", "hr", "hrmn", "hhmm", "zeit", "uhrzeit", "stunde", "heure", "hora"},
    "year": {"year", "yr", "yyyy", "jahr"},
    "month": {"month", "mon", "mnth", "mo", "mm", "monat"},
    "day": {"day", "dy", "dd", "da", "tag"},
    "minute": {"minute", "minutes", "min", "mn"},
    "second": {"second", "seconds", "sec"},
}
_RANGES = {"year": (1800, 2200), "month": (1, 12), "day": (1, 31), "minute": (0, 59), "second": (0, 59)}
_HOURS = {"hour", "hr", "stunde", "heure", "hora"}  # names of whole numbers
_PACKED = {"hrmn", "hhmm"}  # names of hours and minutes in one number
_MIDNIGHT = r"[ T]00?:00(:00(\.0+)?)?$"  # that programs write after a day
_CLOCK = r"^(\d{1,2})[:.h](\d{2})(?:[:.m](\d{2})(?:[.,](\d+))?s?)?\s*(?:([AaPp])\.?[Mm]\.?)?$"


@dataclass(frozen=True, slots=True)
class JoinedTime:
    """Columns that make up one time.

    date : of one column of dates, or those of year, month and day. clock : the time of day, or an hour; where
    it is one, columns of minutes and seconds may follow. packed : how many digits a number such as 1830 has
    that is a time of day; 0 where it is an hour.
    """

    date: tuple[str, ...]
    clock: tuple[str, ...] = ()
    packed: int = 0

    @property
    def parts(self) -> tuple[str, ...]:
        return (*self.date, *self.clock)

    @property
    def name(self) -> str:
        return literal(" ".join(self.parts))

    def of(self, frame: pl.DataFrame) -> pl.Series:
        """Return the time of each row as text, (n,), null where a part is missing.

        >>> frame = pl.DataFrame({"Date": ["10/03/2004"], "Time": ["18.00.00"]})
        >>> JoinedTime(("Date",), ("Time",)).of(frame).to_list()
        ['10/03/2004 18:00:00']
        """
        days = _days(frame, self.date)
        if not self.clock:
            return days.alias(self.name)
        hours, *smaller = (frame[name] for name in self.clock)
        clock = _clocks(hours, self.packed)
        if smaller:
            rest = clock.str.slice(3 + 3 * len(smaller) - 1)
            parts = [clock.str.head(2), *(_digits(cells, 2) for cells in smaller)]
            clock = _joined([_joined(parts, ":"), rest], "")
        return _joined([days, clock], " ").alias(self.name)


def may_join(columns: Sequence[str]) -> bool:
    """Tell by the names alone whether columns may make up one time.

    >>> may_join(["date", "hour"]), may_join(["date", "price"])
    (True, False)
    """
    roles = {_role(name)[0] for name in columns}
    return bool(roles & {"date", "day"} and roles & {"clock", "month"})


def joined_times(head: pl.DataFrame, apart: Collection[str] = ()) -> tuple[JoinedTime, ...]:
    """Return the times that stand in several columns of a table, as names and values of its first rows tell.

    Columns belong together where the rest of their names is the same, as of "Start Date" and "Start Time".

    apart : columns that are read by themselves.
    """
    groups: dict[tuple[str, ...], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in head.columns:
        role, rest = _role(name)
        if role and name not in apart:
            groups[rest][role].append(name)
    alone = [rest for rest, group in groups.items() if rest and group.keys() & {"date", "clock"}]
    if len(alone) == 1 and len(groups[()]) == 1:  # "sale_date" and "time", where there is no other
        for role, names in groups.pop(alone[0]).items():
            groups[()][role] += names
    joined = (_time_of(head, group) for group in groups.values())
    return tuple(time for time in joined if time is not None)


def with_times(source: Source, times: Sequence[JoinedTime]) -> Source:
    """Return the source with a column more for each time, and a note on it."""
    fresh = [time for time in times if time.name not in source.columns]

    def batches(rows: int) -> Iterator[pl.DataFrame]:
        return (batch.with_columns(time.of(batch) for time in fresh) for batch in source.batches(rows))

    notes = (
        f"{', '.join(map(repr, time.parts))} are one time, read as '{time.name}' (a role in a schema file "
        "keeps them apart)"
        for time in times
    )
    columns = (*source.columns, *(time.name for time in fresh))
    return replace(source, columns=columns, batches=batches, notes=(*source.notes, *notes))


def _role(name: str) -> tuple[str, tuple[str, ...]]:
    """Return what a column says of a time, by its name, and the rest of the name.

    >>> _role("StartDate"), _role("<TIME>"), _role("day of month"), _role("temperature")
    (('date', ('start',)), ('clock', ()), ('day', ()), ('', ()))
    """
    words = list(_words(name))
    if words == ["day", "of", "month"]:
        return "day", ()
    roles = {role: word for word in words for role, known in _ROLES.items() if word in known}
    if len(roles) != 1:
        return "", ()
    [(role, word)] = roles.items()
    return role, tuple(other for other in words if other != word)


def _words(name: str) -> KeysView[str]:
    """Return the words of a name, in order, split at capitals and signs."""
    return dict.fromkeys(
        re.findall(r"[a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower())
    ).keys()


def _time_of(head: pl.DataFrame, group: Mapping[str, Sequence[str]]) -> JoinedTime | None:
    """Return the time that columns of one group make up; None where they make none."""
    dates = (*group.get("date", ()), *group.get("day", ()))
    date: tuple[str, ...] | None = next(((name,) for name in dates if _holds_dates(head[name])), None)
    if date is None:
        parts = [_first_whole(head, group, role) for role in ("year", "month", "day")]
        if None in parts:
            return None
        date = tuple(name for name in parts if name is not None)
    for name in group.get("clock", ()):
        packed = _packed(head, date, name)
        if head[name].dtype.is_numeric() and not packed and _words(name).isdisjoint(_HOURS):
            continue  # hours worked, seconds since the start: whatever it is, it may be no time of day
        if _holds_clocks(head[name], packed):
            hours = head[name].dtype.is_numeric() and not packed
            return JoinedTime(date, (name, *(_smaller(head, group) if hours else ())), packed)
    return JoinedTime(date) if len(date) > 1 else None


def _packed(head: pl.DataFrame, date: Sequence[str], clock: str) -> int:
    """Return how many digits a number has that stands for a time of day; 0 where it is an hour, or text."""
    if not head[clock].dtype.is_numeric():
        return 0
    largest = float(head[clock].max() or 0)  # type: ignore[arg-type]
    named = not _words(clock).isdisjoint(_PACKED)
    beside = len(date) == 1 and head[date[0]].dtype.is_numeric()  # as 20040131 is
    return (6 if largest > 2400 else 4) if named or (beside and largest > 24) else 0


def _smaller(head: pl.DataFrame, group: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the columns of minutes and seconds."""
    for role in ("minute", "second"):
        name = _first_whole(head, group, role)
        if name is None:
            return
        yield name


def _first_whole(head: pl.DataFrame, group: Mapping[str, Sequence[str]], role: str) -> str | None:
    """Return the column of a group that holds the whole numbers of a role."""
    low, high = _RANGES[role]
    for name in group.get(role, ()):
        values = head[name].drop_nulls()
        if not values.dtype.is_numeric() or not len(values):
            continue
        whole = (values >= low) & (values <= high) & (values == values.floor())
        if whole.all():
            return name
    return None


def _holds_dates(cells: pl.Series) -> bool:
    """Tell whether a column holds days without a time of day."""
    text = _dates(cells).drop_nulls()
    form = form_of(text) if len(text) else None
    if form is None:
        return False
    moments = moments_of(text, form)[0].drop_nulls()
    return bool((moments == moments.dt.truncate("1d")).all())


def _holds_clocks(cells: pl.Series, packed: int) -> bool:
    filled = len(cells.drop_nulls())
    read = _clocks(cells, packed).drop_nulls().str.contains(r"^([01]\d|2[0-4]):[0-5]\d:[0-5]\d(\.\d+)?$")
    return filled > 0 and int(read.sum()) >= SHARE * filled


def _joined(parts: Sequence[pl.Series], separator: str) -> pl.Series:
    """Return parts of text put together, null where one is null."""
    frame = pl.DataFrame([part.alias(str(place)) for place, part in enumerate(parts)])
    return frame.select(pl.concat_str(pl.all(), separator=separator)).to_series()


def _digits(cells: pl.Series, width: int) -> pl.Series:
    return text_of(cells).str.zfill(width)


def _days(frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    if len(names) == 1:
        return _dates(frame[names[0]])
    return _joined([_digits(frame[name], width) for name, width in zip(names, (4, 2, 2), strict=True)], "-")


def _dates(cells: pl.Series) -> pl.Series:
    """Return days as text; numbers are such as 20040131."""
    if cells.dtype in (pl.Date, pl.Datetime):
        return cells.dt.strftime("%Y-%m-%d")
    text = text_of(cells)
    if not cells.dtype.is_numeric():
        return text.str.replace(_MIDNIGHT, "")
    return text.str.replace(r"^(\d{4})(\d\d)(\d\d)$", "${1}-${2}-${3}")


def _clocks(cells: pl.Series, packed: int) -> pl.Series:
    """Return times of day as HH:MM:SS; what is none stays as it is.

    packed : how many digits a number has that stands for a time of day; 0 where it is an hour.
    """
    if cells.dtype == pl.Duration:
        cells = (cells.dt.total_microseconds() * 1000).cast(pl.Time, strict=False)
    if cells.dtype == pl.Time:
        return cells.dt.strftime("%H:%M:%S%.f")
    if cells.dtype.is_numeric():
        width = packed or 2
        digits = _digits(cells, width)
        full = digits.str.pad_end(6, "0").str.replace(r"^(\d\d)(\d\d)(\d\d)$", "${1}:${2}:${3}")
        return full.zip_with(digits.str.len_chars() == width, digits)
    read = (
        text_of(cells)
        .alias("text")
        .to_frame()
        .with_columns(pl.col("text").str.extract_groups(_CLOCK).alias("read"))
    )
    hour, minute, second, fraction, half = (pl.col("read").struct.field(str(place)) for place in range(1, 6))
    whole = hour.cast(pl.Int64)
    of_day = pl.when(half.is_null()).then(whole).otherwise(whole % 12 + 12 * half.str.to_lowercase().eq("p"))
    clock = pl.format(
        "{}:{}:{}{}",
        of_day.cast(pl.String).str.zfill(2),
        minute,
        second.fill_null("00"),
        (pl.lit(".") + fraction).fill_null(""),
    )
    return read.select(pl.coalesce(clock, "text")).to_series()
