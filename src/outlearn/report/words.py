"""Values, numbers and scores as short words that are safe to show."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np

from outlearn.explain.explanation import Contribution
from outlearn.shown import clean

__all__ = ["cell", "number", "reason_value", "score", "unique"]


def cell(value: Any, limit: int = 120) -> str:
    """Return the value of a table cell in words; None and NaN are "missing".

    >>> cell(None), cell(True), cell(12.50), cell(2024), cell("DE")
    ('missing', 'true', '12.5', '2024', 'DE')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.7g}" if abs(value) < 1e6 else f"{value:.12g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    return clean(value, limit)


def reason_value(why: Contribution) -> str:
    """Return the value of a column that makes a row odd, a number with its unit.

    >>> reason_value(Contribution("temp", 88.4, "20 to 22 °C", "high", 1.0, unit="°C"))
    '88.4 °C'
    """
    return cell(why.shown if why.unit and isinstance(why.value, int | float) else why.value)


def number(value: float) -> str:
    """Return a number with four significant digits.

    >>> number(12345.678), number(0.25), number(-3.0), number(1.5e-7), number(2e12)
    ('12,346', '0.25', '-3', '1.5e-07', '2e+12')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    size = math.floor(math.log10(abs(value)))
    if not -4 <= size < 9:
        return f"{value:.4g}"
    text = f"{value:,.{max(0, 3 - size)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def score(value: float) -> str:
    """Return a score in [0, 1] with three decimals, or with as many as keep it from being read as 0 or 1.

    >>> score(0.5), score(1.0), score(0.99987)
    ('0.500', '1.000', '0.9999')
    """
    decimals = 3
    while 0 < value < 1 and round(value, decimals) in (0.0, 1.0) and decimals < 9:
        decimals += 1
    return f"{value:.{decimals}f}"


def unique(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels with later copies numbered, so that each names one thing.

    >>> unique(("a", "b", "a"))
    ('a', 'b', 'a (2)')
    """
    taken: set[str] = set()
    result = []
    for label in labels:
        copy, name = 1, label
        while name in taken:
            copy += 1
            name = f"{label} ({copy})"
        taken.add(name)
        result.append(name)
    return tuple(result)
