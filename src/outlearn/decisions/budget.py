"""Alert budgets: how many rows a team can look at, in all or in each period."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.decisions.checks import as_scores
from outlearn.decisions.threshold import by_budget
from outlearn.errors import InputError, ParameterError

__all__ = ["PERIODS", "Budget", "parse_budget"]

PERIODS = ("minute", "hour", "day", "week", "month")
_UNITS = {"minute": "m", "hour": "h", "day": "D", "month": "M"}
_PATTERN = re.compile(r"\s*([0-9][0-9_,]*)\s*(?:(?:/|\s+per\s+|\s+an?\s+)\s*([a-z]+?)s?)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Budget:
    """`alerts` rows in the whole batch, or in each `period` (one of `PERIODS`).

    Raises
    ------
    ParameterError
        When `alerts` is below 1 or the period is unknown.

    >>> str(Budget(20, "day"))
    '20/day'
    """

    alerts: int
    period: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.alerts, bool) or not isinstance(self.alerts, int) or self.alerts < 1:
            raise ParameterError(f"budget is {self.alerts!r} alerts, wanted a whole number of at least 1")
        if self.period is not None and self.period not in PERIODS:
            raise ParameterError(f"budget period is {self.period!r}, wanted one of {', '.join(PERIODS)}")

    def __str__(self) -> str:
        return f"{self.alerts}" if self.period is None else f"{self.alerts}/{self.period}"

    def flag(self, scores: ArrayLike, times: ArrayLike | None = None) -> tuple[NDArray[np.bool_], float]:
        """Return (m,) bool for the top rows (of each period), and the lowest score flagged.

        Periods are those of the clock (a day from midnight, a week from Monday) in the time zone of `times`.
        Rows without a time count together as one period. Ties go to the row that comes first.

        Parameters
        ----------
        scores : (m,) scores, high = abnormal.
        times : (m,) datetime64 time of each row; wanted with a period, not looked at without one.

        Raises
        ------
        ParameterError
            When a period is wanted but `times` is not given.
        InputError
            When times are not date-times, or not one a row.

        >>> days = np.array(["2024-01-01", "2024-01-01", "2024-01-02"], dtype="datetime64[D]")
        >>> Budget(1, "day").flag([0.3, 0.4, 0.1], days)
        (array([False,  True,  True]), 0.1)
        """
        values = as_scores(scores, "scores")
        if self.period is None:
            return by_budget(values, self.alerts)
        if times is None:
            raise ParameterError(
                f"a budget of {self} needs the time of each row; name a date-time column, or give a budget "
                f"for the whole batch such as {self.alerts}"
            )
        within = _period_of(times, self.period, len(values))
        order = np.lexsort((-values, within))  # stable: within a period by falling score, then by row
        ordered = within[order]
        starts = np.searchsorted(ordered, ordered, side="left")
        flagged = np.zeros(len(values), dtype=np.bool_)
        flagged[order[np.arange(len(values)) - starts < self.alerts]] = True
        return flagged, float(values[flagged].min(initial=np.inf))


def _period_of(times: ArrayLike, period: str, rows: int) -> NDArray[np.int64]:
    """Return (m,) int64, equal for rows of the same period."""
    stamps = np.asarray(times)
    if stamps.dtype.kind != "M":
        raise InputError(f"row times are of type {stamps.dtype}, wanted date-times (datetime64)")
    if stamps.shape != (rows,):
        raise InputError(f"row times have shape {stamps.shape}, wanted one a row: {(rows,)}")
    if period == "week":
        days = stamps.astype("datetime64[D]")
        # Day 0 is a Thursday: three days later weeks begin on Monday. NaT stays the smallest integer.
        numbers = np.where(np.isnat(days), np.iinfo(np.int64).min, (days.astype(np.int64) + 3) // 7)
        return cast("NDArray[np.int64]", numbers)
    return cast("NDArray[np.int64]", stamps.astype(f"datetime64[{_UNITS[period]}]").astype(np.int64))


def parse_budget(text: str) -> Budget:
    """Read "20", "20/day", "5 per hour" or "5 an hour".

    Raises
    ------
    ParameterError
        When the text is none of these.

    >>> parse_budget("20"), parse_budget("1,000/day")
    (Budget(alerts=20, period=None), Budget(alerts=1000, period='day'))
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ParameterError(
            f"budget is {text[:60]!r}, wanted a number of alerts such as 20, 20/day or 5/hour"
        )
    period = match[2].lower() if match[2] else None
    return Budget(int(match[1].replace(",", "").replace("_", "")), period)
