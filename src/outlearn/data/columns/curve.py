"""Short series attached to a row, such as a heart beat or the load of an hour: level, course, spectrum."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import plain
from outlearn.data.columns.base import Repairs
from outlearn.data.columns.numeric import lower_median
from outlearn.data.columns.runs import Runs, runs_of
from outlearn.errors import SchemaError

__all__ = ["CurveEncoder"]

POINTS = 64  # that a series is read at, evenly, whatever its length
SHOWN = 32  # of them that stand in the matrix
BANDS = 8  # of the spectrum, each an octave or part of one
EDGES = (1, 2, 3, 4, 6, 9, 14, 21, 33)  # of the bands, in cycles a series
_LIMIT = 2.0**60
_FARTHEST = 1e60  # of a value: sums of its squares still fit in float64
_STATISTICS = ("length", "level", "spread", "lowest", "highest", "trend", "roughness", "longest flat")


@dataclass(frozen=True, slots=True)
class CurveEncoder:
    """Encodes what a series is as a whole, how its spectrum lies, and its course.

    * length, level (mean), spread (standard deviation), lowest and highest value, trend (how far a line
      through it rises, in spreads), roughness (mean step between points, in spreads), longest flat (share of
      its length over which nothing changes);
    * the share of its variation in eight bands of frequency: these do not mind where in it something happens;
    * its course at 32 places, less its level, in units of the fit's usual spread: these do.

    Values that are missing or infinite are left out of a series, as if those beside them had met. Numbers are
    less their medians in the fit.

    Parameters
    ----------
    centres : (48,) lower medians. unit : usual spread.
    """

    name: str
    centres: tuple[float, ...]
    unit: float

    @property
    def names(self) -> tuple[str, ...]:
        bands = (f"{low} to {high - 1} cycles" for low, high in pairwise(EDGES))
        places = (f"at {100 * i // SHOWN} %" for i in range(SHOWN))
        return tuple(f"{self.name} {feature}" for feature in (*_STATISTICS, *bands, *places, "is missing"))

    @classmethod
    def fit(cls, name: str, cells: pl.Series) -> CurveEncoder:
        """Learn from a column.

        Raises
        ------
        SchemaError
            When no cell is a list of numbers.
        """
        runs = _finite(runs_of(cells))
        if runs.missing.all():
            raise SchemaError(f"column {name!r} holds no list of numbers; set another kind for it")
        spread = _statistics(runs)[:, 2]
        unit = lower_median(spread[spread > 0]) or 1.0
        described = _describe(runs, unit)
        return cls(name, tuple(lower_median(column) for column in described.T), unit)

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return (n, 49) and what was repaired."""
        read = runs_of(cells)
        runs = _finite(read)
        values = np.zeros((len(runs.missing), len(self.centres) + 1), dtype=np.float32)
        described = _describe(runs, self.unit) - np.asarray(self.centres)
        clipped = int((np.abs(described) > _LIMIT).any(axis=1).sum())
        values[~runs.missing, :-1] = np.clip(described, -_LIMIT, _LIMIT)
        values[:, -1] = runs.missing
        return values, Repairs(unparsed=read.unparsed, clipped=clipped)

    def to_state(self) -> dict[str, Any]:
        return {**asdict(self), "centres": list(self.centres)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> CurveEncoder:
        encoder = cls(plain.text(state, "name"), plain.reals(state, "centres"), plain.real(state, "unit"))
        if len(encoder.centres) != len(encoder.names) - 1 or encoder.unit <= 0:
            raise ValueError(f"a series has {len(encoder.centres)} centres and a unit of {encoder.unit}")
        return encoder


def _finite(runs: Runs) -> Runs:
    """Return runs without the values that are missing; one that has no other is missing itself."""
    known = np.isfinite(runs.values)
    cell = np.repeat(np.arange(len(runs.lengths)), runs.lengths)
    lengths = np.bincount(cell[known], minlength=len(runs.lengths))
    within = np.clip(runs.values[known], -_FARTHEST, _FARTHEST)
    return Runs(within, lengths.astype(np.int64), lengths == 0, runs.unparsed)


def _describe(runs: Runs, unit: float) -> NDArray[np.float64]:
    """Return the statistics, bands and course of each series that is not missing: (r, 48)."""
    statistics = _statistics(runs)
    course = _course(runs)
    level, spread = statistics[:, 1:2], statistics[:, 2:3]
    shape = (course - level) / np.where(spread > 0, spread, 1.0)
    power = np.abs(np.fft.rfft(shape, axis=1)) ** 2
    bands = np.add.reduceat(power, EDGES[:-1], axis=1)
    bands /= np.maximum(bands.sum(axis=1, keepdims=True), 1e-12)
    places = (course - level)[:, :: POINTS // SHOWN] / unit
    return np.hstack([statistics, bands, places])


def _statistics(runs: Runs) -> NDArray[np.float64]:
    """Return `_STATISTICS` of each series that is not missing: (r, 8)."""
    there = ~runs.missing
    lengths, starts = runs.lengths[there], runs.starts[there]
    if not len(lengths):
        return np.empty((0, len(_STATISTICS)))
    cell = np.repeat(np.arange(len(lengths)), lengths)
    values = runs.values
    level = np.add.reduceat(values, starts) / lengths
    away = values - level[cell]
    spread = np.sqrt(np.add.reduceat(away**2, starts) / lengths)
    scale = np.where(spread > 0, spread, 1.0)
    place = np.arange(len(values)) - starts[cell] - (lengths[cell] - 1) / 2
    room = np.maximum(np.add.reduceat(place**2, starts), 1e-12)
    trend = np.add.reduceat(place * away, starts) / room * (lengths - 1) / scale
    step = np.abs(np.diff(values, prepend=values[:1]))
    step[starts] = 0.0
    rough = np.add.reduceat(step, starts) / np.maximum(lengths - 1, 1) / scale
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    flat = _longest_flat(values, starts, cell) / lengths
    return np.column_stack([np.log(lengths), level, spread, low, high, trend, rough, flat])


def _longest_flat(
    values: NDArray[np.float64], starts: NDArray[np.int64], cell: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the points of the longest stretch of one value in each series, (r,)."""
    begins = np.diff(values, prepend=np.nan) != 0
    begins[starts] = True
    first = np.flatnonzero(begins)
    longest = np.zeros(len(starts))
    np.maximum.at(longest, cell[first], np.diff(first, append=len(values)))
    return longest


def _course(runs: Runs) -> NDArray[np.float64]:
    """Return each series that is not missing at 64 even places, between points by a line: (r, 64)."""
    there = ~runs.missing
    lengths, starts = runs.lengths[there], runs.starts[there]
    place = np.linspace(0.0, 1.0, POINTS) * (lengths - 1)[:, None]
    low = np.floor(place).astype(np.int64)
    share = place - low
    after = np.minimum(low + 1, (lengths - 1)[:, None])
    values, begin = runs.values, starts[:, None]
    points: NDArray[np.float64] = (1 - share) * values[begin + low] + share * values[begin + after]
    return points
