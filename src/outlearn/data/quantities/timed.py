"""Columns of cells such as 11:30: are they times of day, or spans of time?"""

from __future__ import annotations

import re

import polars as pl

from outlearn.data.quantities.notation import Form, Notation
from outlearn.data.quantities.spans import DAY

__all__ = ["timed"]

# Words of names of columns.
_ELAPSED = {"age", "delay", "downtime", "dur", "duration", "elapsed", "hold", "hours", "idle", "lag", "lap"}
_ELAPSED |= {"latency", "length", "overtime", "pace", "runtime", "session", "span", "talk", "timeout", "took"}
_ELAPSED |= {"ttl", "uptime", "wait", "waited", "worked"}
_MOMENT = {"arrival", "at", "began", "begin", "checkin", "checkout", "clock", "close", "closed", "departure"}
_MOMENT |= {
    "end",
    "ended",
    "hour",
    "login",
    "logout",
    "open",
    "opened",
    "start",
    "started",
    "stop",
    "sunrise",
}
_MOMENT |= {"sunset", "time", "timestamp", "tod", "when"}
_TWO_PARTS = r"^[+-]?([0-9]+):[0-9]{2}$"
_MANY_HOURS = 4 * 3_600.0  # a median beyond which is more likely a time of day than a span


def timed(filled: pl.Series, name: str) -> tuple[Notation, str]:
    """Choose between times of day and spans of time; return the notation and how it reads, in words."""
    clock = Notation(Form.CLOCK)
    of_day = clock.read(filled)
    span = Notation(Form.SPAN, minutes=_in_minutes(filled))
    spans = span.read(filled)
    fit, other = of_day.null_count(), spans.null_count()
    if fit < other or (fit == other and _is_moment(filled, of_day, name)):
        return clock, "times of day read as such"
    if not filled.str.contains(_TWO_PARTS).any():
        return span, "durations read in seconds"
    parts = "minutes and seconds" if span.minutes else "hours and minutes"
    return span, f"durations read in seconds, 12:34 as {parts}"


def _in_minutes(filled: pl.Series) -> bool:
    """Tell whether a span of two parts is in minutes: beside those of three, or beyond a day."""
    short = filled.str.extract(_TWO_PARTS, 1).cast(pl.Float64)
    long = filled.str.contains(r"[0-9]:[0-9]{2}:[0-9]{2}|:[0-9]{2}[.,]").any()
    return bool(long) or bool((short > 23).any())


def _is_moment(filled: pl.Series, of_day: pl.Series, name: str) -> bool:
    """Tell by the name of a column whether it holds times of day, or else by their size."""
    words = set(re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))
    if words & _ELAPSED:
        return False
    if words & _MOMENT or filled.str.contains(r"(?i)[ap]\.?m").any():
        return True
    middle = of_day.median()
    return isinstance(middle, float) and _MANY_HOURS <= middle < DAY
