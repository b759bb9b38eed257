"""Spans of time and sizes as people write them: "30d", "1h", "256MiB"."""

from __future__ import annotations

import math
import re

from outlearn.errors import ParameterError

__all__ = ["parse_bytes", "parse_seconds"]

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_BYTES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_WRITTEN = re.compile(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]+)\s*", re.IGNORECASE)
_LONGEST = 100 * 366 * 86_400.0  # a hundred years: what is later is no schedule


def parse_seconds(value: object, what: str) -> float:
    """Return a span such as "1h" in seconds; a number is one of seconds.

    what : the span is, for the message.

    Raises
    ------
    ParameterError
        When it is none, or not above 0, or longer than a hundred years.

    >>> parse_seconds("1.5h", "gap"), parse_seconds(30, "gap")
    (5400.0, 30.0)
    """
    seconds = _number(value, _SECONDS)
    if seconds is None or not 0 < seconds <= _LONGEST:
        raise ParameterError(f'{what} is {value!r}; wanted a span such as "30s", "5m", "1h" or "30d"')
    return seconds


def parse_bytes(value: object, what: str) -> int:
    """Return a size such as "256MiB" in bytes; a number is one of bytes.

    Raises
    ------
    ParameterError
        When it is none, or not above 0.

    >>> parse_bytes("4GiB", "worker_memory"), parse_bytes(1000, "worker_memory")
    (4294967296, 1000)
    """
    size = _number(value, _BYTES)
    if size is None or not 1 <= size < 1 << 60:
        raise ParameterError(f'{what} is {value!r}; wanted a size such as "256MiB" or "4GiB"')
    return int(size)


def _number(value: object, units: dict[str, float] | dict[str, int]) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if math.isfinite(value) else None
    written = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if written is None or written[2].lower() not in units:
        return None
    return float(written[1]) * units[written[2].lower()]
