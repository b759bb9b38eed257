"""Times as whoever wrote a table writes them: how they are to be read, and as seconds since 1970."""

from __future__ import annotations

import polars as pl

__all__ = ["clock_of", "seconds_of"]

ISO = "ISO 8601"
#: Forms of dates as text; where day and month leave it open, the month comes first.
CLOCKS = (
    ISO,
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%Y %H:%M:%S%.f",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
)
UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def clock_of(values: pl.Series) -> str:
    """Return how times are read: of `CLOCKS`, or the unit of a count since 1970."""
    if values.dtype in (pl.Date, pl.Datetime):
        return "moment"
    if values.dtype.is_numeric():
        return _unit(values.cast(pl.Float64))
    if values.dtype != pl.String:
        return "none"
    numbers = values.cast(pl.Float64, strict=False)
    if numbers.null_count() == values.null_count() < len(values):
        return f"text of {_unit(numbers)}"
    read = {clock: len(values) - seconds_of(values, clock).null_count() for clock in CLOCKS}
    best = max(read, key=lambda clock: read[clock])
    return best if read[best] else "none"


def _unit(counts: pl.Series) -> str:
    """Return the unit of counts since 1970, by their size."""
    size = counts.abs().median()
    if not isinstance(size, float) or size < 1e11:
        return "s"
    return "ms" if size < 1e14 else "us" if size < 1e17 else "ns"


def seconds_of(values: pl.Series, clock: str) -> pl.Series:
    """Return times as seconds since 1970; null where they are none."""
    unit = clock.removeprefix("text of ")
    if unit in UNITS:
        return values.cast(pl.Float64, strict=False) / UNITS[unit]
    if clock == "moment" and values.dtype in (pl.Date, pl.Datetime):
        return values.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6
    if clock not in CLOCKS or values.dtype != pl.String:
        return pl.Series(values.name, [None] * len(values), dtype=pl.Float64)
    moments = (
        values.str.strip_chars()
        .str.strip_suffix(" UTC")
        .str.to_datetime(
            None if clock == ISO else clock, strict=False, time_unit="us", time_zone="UTC", ambiguous="null"
        )
    )
    return moments.dt.epoch("us").cast(pl.Float64) / 1e6
