"""Spans of time and times of day, cell by cell, in seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

__all__ = ["DAY", "clocks", "spans", "tried"]

DAY = 86_400.0
_NUMBER = r"([0-9]+(?:[.,][0-9]+)?)"
_SECONDS = {"week": 604_800.0, "day": DAY, "hour": 3_600.0, "minute": 60.0, "second": 1.0, "milli": 1e-3}
_WORDS = {
    "week": "weeks?|wks?|w",
    "day": "days?|d",
    "hour": "hours?|hrs?|h",
    "minute": "minutes?|mins?|m",
    "second": "seconds?|secs?|s",
    "milli": "milliseconds?|msecs?|ms",
}
_ISO = (
    rf"^([+-]?)P(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?$"
)
# Days before a colon are written "1 day, 3:00:00", "1-03:00:00" or "1.03:00:00".
_COLONS = (
    r"^([+-]?)(?:([0-9]+) *d(?:ays?)?,? +|([0-9]+)[-.])?"
    r"([0-9]{1,6}):([0-5][0-9])(?::([0-5][0-9](?:[.,][0-9]+)?))?$"
)
_LAP = r"^([+-]?)([0-9]{1,6}):([0-5][0-9][.,][0-9]+)$"
_ANY_WORD = "|".join(_WORDS.values())
_SENTENCE = rf"(?i)^[+-]?(?:{_NUMBER}\s*(?:{_ANY_WORD})(?:\s*,?\s*(?:and\s+)?))+$"
_CLOCK = r"(?i)^([0-9]{1,2})(?::([0-5][0-9])(?::([0-5][0-9](?:[.,][0-9]+)?))?)?\s*([ap])?\.?(?:m\.?)?$"
_CLOCK_SHAPE = (
    r"(?i)^(?:(?:[01]?[0-9]|2[0-4])(?::[0-5][0-9]){1,2}(?:[.,][0-9]+)?"
    r"|(?:0?[0-9]|1[0-2])(?::[0-5][0-9]){0,2}\s*[ap]\.?m\.?)$"
)

_SIX_DIGITS = "^[0-9]{1,2}:[0-5][0-9]:[0-5][0-9]$"

Reader = Callable[[pl.Series], pl.Series]


def tried(text: pl.Series, readers: Sequence[Reader]) -> pl.Series:
    """Return Float64 of the first reader that reads a cell; each sees only what is left."""
    values = readers[0](text)
    for reader in readers[1:]:
        left = (values.is_null() & text.is_not_null()).arg_true()
        if not len(left):
            break
        values = values.scatter(left, reader(text.gather(left)))
    return values


def spans(text: pl.Series, *, minutes: bool) -> pl.Series:
    """Return seconds, null where a cell is no span of time.

    minutes : whether 12:34 is in minutes and seconds, rather than in hours and minutes.

    >>> spans(pl.Series(["00:48:11", "PT1H30M", "1d 3h", "2 days, 0:00:10", "soon"]), minutes=False).to_list()
    [2891.0, 5400.0, 97200.0, 172810.0, None]
    """

    def colons(cells: pl.Series) -> pl.Series:
        return _colons(cells, minutes=minutes)

    return tried(text, (_full, colons, _laps, _iso, _sentence))


def clocks(text: pl.Series) -> pl.Series:
    """Return seconds since midnight, null where a cell is no time of day.

    >>> clocks(pl.Series(["03:01:00", "11:30 pm", "12 am", "25:00"])).to_list()
    [10860.0, 84600.0, 0.0, None]
    """
    return tried(text, (_full, _clock))


def _full(text: pl.Series) -> pl.Series:
    """Read cells such as 11:06:40, within a day: the commonest, and this is several times as fast."""
    times = text.set(~text.str.contains(_SIX_DIGITS).fill_null(False), None).str.to_time(
        "%H:%M:%S", strict=False
    )
    return times.cast(pl.Duration("us")).to_physical().cast(pl.Float64) / 1e6


def _clock(text: pl.Series) -> pl.Series:
    parts = text.str.extract_groups(_CLOCK).struct
    hours, half = _float(parts.field("1")), parts.field("4").str.to_lowercase()
    hours = (hours % 12 + 12 * (half == "p").cast(pl.Float64)).zip_with(half.is_not_null(), hours)
    seconds = hours * 3_600 + _float(parts.field("2")) * 60 + _float(parts.field("3"))
    return (seconds % DAY).zip_with(text.str.contains(_CLOCK_SHAPE).fill_null(False), _nothing(text))


def _colons(text: pl.Series, *, minutes: bool) -> pl.Series:
    parts = text.str.extract_groups(_COLONS).struct
    first, second, third = (parts.field(name) for name in "456")
    days = _float(parts.field("2")) + _float(parts.field("3"))
    full = _float(first) * 3_600 + _float(second) * 60 + _float(third)
    short = _float(first) * 60 + _float(second) if minutes else full
    seconds = days * DAY + full.zip_with(third.is_not_null(), short)
    return _signed(seconds, parts.field("1")).zip_with(second.is_not_null(), _nothing(text))


def _laps(text: pl.Series) -> pl.Series:
    parts = text.str.extract_groups(_LAP).struct
    seconds = _float(parts.field("2")) * 60 + _float(parts.field("3"))
    return _signed(seconds, parts.field("1")).zip_with(parts.field("2").is_not_null(), _nothing(text))


def _iso(text: pl.Series) -> pl.Series:
    fields = text.str.extract_groups(_ISO).struct
    sizes = list(_SECONDS.values())[:5]
    parts = [fields.field(str(place)) for place in range(2, 7)]
    seconds = sum(
        (_float(part) * size for part, size in zip(parts, sizes, strict=True)), _float(parts[0]) * 0
    )
    known = pl.DataFrame([part.is_not_null().alias(str(i)) for i, part in enumerate(parts)])
    return _signed(seconds, fields.field("1")).zip_with(
        known.select(pl.any_horizontal("*")).to_series(), _nothing(text)
    )


def _sentence(text: pl.Series) -> pl.Series:
    seconds = pl.Series([0.0], dtype=pl.Float64).new_from_index(0, text.len())
    for unit, words in _WORDS.items():
        shape = rf"(?i){_NUMBER}\s*(?:{words})(?:[^a-z]|$)"
        if text.str.contains(shape).any():
            seconds += _float(text.str.extract(shape, 1)) * _SECONDS[unit]
    read = text.str.contains(_SENTENCE).fill_null(False)
    return _signed(seconds, text.str.extract(r"^([+-])", 1)).zip_with(read, _nothing(text))


def _float(digits: pl.Series) -> pl.Series:
    """Return numbers with either decimal sign, 0 where there is none."""
    return digits.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False).fill_null(0.0)


def _signed(seconds: pl.Series, sign: pl.Series) -> pl.Series:
    return (-seconds).zip_with((sign == "-").fill_null(False), seconds)


def _nothing(text: pl.Series) -> pl.Series:
    return pl.Series([None], dtype=pl.Float64).new_from_index(0, text.len())
