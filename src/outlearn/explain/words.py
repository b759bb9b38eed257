"""Values, ranges and shares in words, safe to print whatever a cell holds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from outlearn.explain.quantities import between, in_unit
from outlearn.ranges import quantiles, width
from outlearn.shown import as_text, clean

__all__ = [
    "Cells",
    "as_moments",
    "as_numbers",
    "is_missing",
    "moment_range",
    "number_range",
    "percent",
    "plain",
    "shares",
    "shares_of",
    "show",
]

Cells = Sequence[Any] | NDArray[Any]  # of a table column

SHOWN = 3  # commonest values
MIDDLE = (0.05, 0.95)  # quantiles of the usual range


def is_missing(value: Any) -> bool:
    """Return whether a cell is empty: None, NaN, NaT or a null of a dataframe library.

    >>> is_missing(None), is_missing(float("nan")), is_missing(0), is_missing("")
    (True, True, False, False)
    """
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas' NA is neither equal nor unequal to itself
        return type(value).__name__ == "NAType"


def plain(value: Any) -> Any:
    """Return a cell as a plain Python value: None when missing, text cleaned and cut.

    >>> plain(np.float32(0.5)), plain(np.nan), plain("a\\nb")
    (0.5, None, 'a b')
    """
    if is_missing(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float | date) or (isinstance(value, int) and value.bit_length() <= 64):
        return value
    return clean(value)


def show(value: Any, unit: str = "") -> str:
    """Return a plain value for a sentence, a number with its unit: see `quantities`.

    >>> show(9120.0), show(1234567.8), show(0.00001234), show("KP"), show(None)
    ('9,120', '1,234,568', '1.234e-05', "'KP'", 'missing')
    """
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float) and unit and math.isfinite(value):
        return in_unit(value, unit, show)
    if isinstance(value, int | float):
        if not math.isfinite(value) or abs(value) >= 1e15:
            return f"{value:.6g}"
        if abs(value) >= 1e6 or value == int(value):
            return f"{value:,.0f}"
        return f"{value:,.6g}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    return f"'{clean(value)}'"


def as_numbers(values: Cells, *, finite: bool = True) -> NDArray[np.float64] | None:
    """Return values as numbers, or None where there is none or one is something else.

    finite : leave out infinities; NaN is always left out.

    >>> as_numbers([1, "2.5"]), as_numbers(["x"])
    (array([1. , 2.5]), None)
    """
    try:
        numbers = np.asarray(values).astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    numbers = numbers[np.isfinite(numbers) if finite else ~np.isnan(numbers)]
    return numbers if len(numbers) else None


def as_moments(values: Cells) -> NDArray[np.datetime64] | None:
    """Return values as datetime64[us] in UTC where they have a zone, or None where one is no date-time.

    >>> as_moments(["2024-01-01"]), as_moments(["soon"])
    (array(['2024-01-01T00:00:00.000000'], dtype='datetime64[us]'), None)
    """
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return values.astype("datetime64[us]") if len(values) else None
    try:
        moments = np.array(
            [np.datetime64(_without_zone(value), "us") for value in values], dtype="datetime64[us]"
        )
    except (TypeError, ValueError, OverflowError):
        return None
    return moments if len(moments) else None


def _without_zone(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, int | float):
        raise TypeError("a number is no date-time")
    return value


def number_range(numbers: NDArray[np.float64], unit: str = "") -> tuple[float, float, str]:
    """Return the middle 90 % of numbers: low, high and words, rounded to three digits of their difference.

    >>> number_range(np.linspace(0, 1000, 10001))
    (50.0, 950.0, '50 to 950')
    >>> number_range(np.array([3.0, 3.0]))[2]
    '3'
    """
    low, high = quantiles(numbers, MIDDLE).tolist()
    if low == high:
        return low, high, show(low, unit)
    decimals = 2 - math.floor(math.log10(width(low, high)))
    return low, high, between(low, high, unit, lambda end: _rounded(end, decimals))


def _rounded(value: float, decimals: int) -> str:
    if decimals > 6 or abs(value) >= 1e15:
        return f"{value:.4g}"
    # Not below units: 12,345 rows look odd as 12,300.
    text = f"{value:,.{max(decimals, 0)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def moment_range(moments: NDArray[np.datetime64]) -> tuple[np.datetime64, np.datetime64, str]:
    """Return the middle 90 % of date-times: low, high and words.

    >>> moment_range(np.array(["2024-01-01", "2024-03-01"], dtype="datetime64[us]"))[2]
    '2024-01-04 to 2024-02-27'
    """
    low, high = np.quantile(moments.astype(np.int64), MIDDLE)
    first, last = np.array([low, high]).astype(np.int64).astype("datetime64[us]")
    unit: Literal["D", "m"] = "D" if last - first > np.timedelta64(3, "D") else "m"
    start, end = (str(np.datetime_as_string(moment, unit=unit)).replace("T", " ") for moment in (first, last))
    return first, last, start if start == end else f"{start} to {end}"


def shares(values: Cells) -> str:
    """Return the commonest values with their shares, in words.

    >>> shares(["DE"] * 61 + ["FR"] * 30 + ["IT"] * 9)
    'DE 61 %, FR 30 %, IT 9 %'
    >>> shares([f"user{i}" for i in range(500)])
    '500 different values'
    """
    return shares_of(Counter(map(as_text, values)))


def shares_of(counts: Mapping[str, int]) -> str:
    """Return the commonest of counted values with their shares, in words."""
    rows, shown = sum(counts.values()), Counter[str]()
    for text, count in counts.items():  # thousands of rows hold a few values
        shown[clean(text)] += count
    common = [pair for pair in shown.most_common(SHOWN) if pair[1] >= 0.02 * rows]
    if not common:
        return f"{len(shown):,} different values"
    return ", ".join(f"{name} {percent(count / rows)}" for name, count in common)


def percent(share: float) -> str:
    """Return a share in per cent.

    >>> percent(0.614), percent(0.0023), percent(0.0), percent(1e-7)
    ('61 %', '0.23 %', '0 %', 'under 0.01 %')
    """
    if 0 < share < 1e-4:
        return "under 0.01 %"
    if 0.99 < share < 1:
        return f"{math.floor(share * 1e4) / 100:g} %"
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
