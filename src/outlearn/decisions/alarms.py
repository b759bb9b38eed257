"""Alarms of a series: flagged points taken together, and how many of them a day are false."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from outlearn.decisions.promise import Promise
from outlearn.decisions.threshold import just_above
from outlearn.errors import ParameterError
from outlearn.ranges import runs

__all__ = ["AlarmRate", "Segment", "alarms"]

Floats = NDArray[np.float64]
Stretches = list[tuple[int, int]]
UNITS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}  # seconds
_PATTERN = re.compile(rf"\s*([0-9.]+)\s*(?:/|per|an?)\s*({'|'.join(UNITS)})\s*", re.IGNORECASE)
CUTS = 400  # thresholds that are tried, denser at the top
MOST_FLAGGED = 0.01  # share of normal points, however few the alarms that they make


@dataclass(frozen=True, slots=True)
class Segment:
    """A range of points that is flagged.

    key : of the series. start, end : rows of the table, the last one included. peak : the row of
    the highest score. score : that score. since, until : times of start and end, None without times.
    channels : names of the channels that caused it, with their share, the largest first.
    """

    key: str
    start: int
    end: int
    peak: int
    score: float
    since: np.datetime64 | None
    until: np.datetime64 | None
    channels: tuple[tuple[str, float], ...]


def alarms(flagged: NDArray[np.bool_], stretches: Stretches, merged: int) -> list[tuple[int, int]]:
    """Return flagged ranges (start, end) of points (n,); those at most `merged` points apart are one.

    None reaches across two stretches.

    >>> alarms(np.array([1, 0, 1, 0, 0, 0, 1], bool), [(0, 7)], 1)
    [(0, 3), (6, 7)]
    """
    ranges: list[tuple[int, int]] = []
    for first, last in stretches:
        own: list[tuple[int, int]] = []
        for start, end in runs(flagged[first:last]):
            if own and first + start - own[-1][1] <= merged:
                own[-1] = (own[-1][0], first + end)
            else:
                own.append((first + start, first + end))
        ranges += own
    return ranges


@dataclass(frozen=True, slots=True)
class AlarmRate:
    """So many false alarms in a time, e.g. one a day. seconds : that time."""

    count: float
    seconds: int

    @classmethod
    def parse(cls, text: str | float) -> Self:
        """Read 1, "1/day" or "2 per hour"; a number alone is a day's.

        Raises
        ------
        ParameterError
            When it is none of these, or not above 0.

        >>> AlarmRate.parse("2 per hour")
        AlarmRate(count=2.0, seconds=3600)
        """
        match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
        try:
            count, unit = (float(match[1]), match[2].lower()) if match else (float(text), "day")
        except ValueError:
            count, unit = 0.0, "day"
        if not (count > 0 and np.isfinite(count)):
            raise ParameterError(f"false alarms are {text!r}; wanted a rate above 0 such as 1/day or 2/hour")
        return cls(count, UNITS[unit])

    def __str__(self) -> str:
        unit = next(name for name, seconds in UNITS.items() if seconds == self.seconds)
        return f"{self.count:g} a{'n' if unit == 'hour' else ''} {unit}"

    def threshold(
        self, scored: Sequence[tuple[Floats, Stretches]], *, step: int, merged: int
    ) -> tuple[float, Promise]:
        """Return the lowest threshold that keeps the rate on normal points kept out, and what it promises.

        Parameters
        ----------
        scored : scores (n,) and stretches of each normal series. step : microseconds between two points.

        The count is taken one higher than it was seen, for the next alarm may come the moment after: so the
        rate holds on average where times to come are like those. With too little time nothing is promised,
        and what scores above all of them is flagged.
        """
        seconds = sum(len(scores) for scores, _ in scored) * step / 1e6
        allowed = int(self.count * seconds / self.seconds + 1e-9) - 1
        falling = np.sort(np.concatenate([scores for scores, _ in scored]))[::-1]
        if allowed < 0:
            return just_above(float(falling[0])), Promise(
                False,
                f"no promise of {self} false alarms: the normal points kept out last {_lasting(seconds)}, "
                f"and {_lasting(self.seconds / self.count)} are needed; what scores above all of them is "
                "flagged",
            )
        lowest = just_above(float(falling[0]))
        # From the top down: below the first cut that gives too many, alarms would only grow together.
        for rank in np.unique(np.geomspace(1, len(falling), CUTS).astype(np.int64)):
            cut = float(falling[rank - 1])
            count = sum(len(alarms(scores >= cut, stretches, merged)) for scores, stretches in scored)
            if count > allowed or rank > MOST_FLAGGED * len(falling):
                break
            lowest = cut
        return lowest, Promise(
            True,
            f"{self} false alarms at most, on average, while the series runs as in the {_lasting(seconds)} "
            "of normal points kept out",
        )


def _lasting(seconds: float) -> str:
    for name, size in reversed(UNITS.items()):
        if seconds >= size:
            return f"{seconds / size:.3g} {name}s"
    return f"{seconds:.3g} seconds"
