"""Distances to the nearest of some reference windows, those that overlap left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics.pairwise import euclidean_distances

from outlearn.rng import derive
from outlearn.series.basis import Stretches
from outlearn.series.windows import FEATURES, describe, window_starts

__all__ = ["MOST", "NEAREST", "Memory", "strides"]

Floats = NDArray[np.float64]
NEAREST = 3  # neighbours whose distance is averaged
MOST = 3000  # reference windows
FLOOR = 1e-3  # of the widest spread of a feature, that each has at least
BLOCK = 2048


def strides(width: int) -> int:
    """Return how far apart windows of a width begin: a sixteenth of it."""
    return max(1, width // 16)


@dataclass(frozen=True, slots=True)
class Memory:
    """Reference windows of one channel, by what describes them.

    width : points of a window. centre, scale : (f,) of the features.
    windows : (r, f) float32, standardised. series, starts : (r,) the reference series that each lies in, and
    where it begins.
    """

    width: int
    centre: NDArray[np.float32]
    scale: NDArray[np.float32]
    windows: NDArray[np.float32]
    series: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        values: list[Floats],
        stretches: list[Stretches],
        width: int,
        *,
        most: int = MOST,
        seed: int = 0,
        scaled: bool = True,
    ) -> Self:
        """Remember windows of reference series, each (n,), evenly drawn where there are too many.

        scaled : whether each feature is put on the scale of its own spread.
        """
        # At every place: between two strides a periodic course has other phases, which would look odd.
        places = [window_starts(each, width, 1) for each in stretches]
        series = np.repeat(np.arange(len(places)), [len(p) for p in places])
        starts = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
        if len(starts) > most:
            # A few times as many as are kept tell the spread of the features.
            drawn = np.sort(
                derive(seed, width).choice(len(starts), min(len(starts), 4 * most), replace=False)
            )
            series, starts = series[drawn], starts[drawn]
        told = [describe(x, starts[series == i], width) for i, x in enumerate(values)]
        found = np.concatenate(told) if told else np.empty((0, len(FEATURES)), dtype=np.float32)
        if not len(found):
            nothing = np.zeros(len(FEATURES), dtype=np.float32)
            return cls(width, nothing, nothing + 1, found, series, starts)
        centre, scale = found.mean(axis=0), found.std(axis=0)
        scale = scale if scaled else np.ones_like(scale)
        scale = np.maximum(scale, FLOOR * max(float(scale.max()), FLOOR)).astype(np.float32)
        kept = np.linspace(0, len(found) - 1, min(len(found), most)).astype(np.int64)
        return cls(width, centre, scale, (found[kept] - centre) / scale, series[kept], starts[kept])

    @classmethod
    def at(cls, like: Memory, values: list[Floats], places: list[NDArray[np.int64]]) -> Self:
        """Remember the windows that begin at `places` of each series, on the scale of another memory."""
        told = [describe(x, at, like.width) for x, at in zip(values, places, strict=True)]
        series = np.repeat(np.arange(len(places)), [len(at) for at in places])
        found = like.standard(np.concatenate(told))
        return cls(like.width, like.centre, like.scale, found, series, np.concatenate(places))

    def standard(self, told: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return features (m, f) on the scale of the memory."""
        return (told - self.centre) / self.scale

    def distances(self, x: Floats, starts: NDArray[np.int64], own: int | None = None) -> Floats:
        """Return (m,) the mean distance of windows of a channel (n,) to the nearest that are remembered.

        own : the reference series that x is, if any: windows of it that overlap are no neighbours. Where none
        is left, and without a reference, the distance is NaN.
        """
        found = np.full(len(starts), np.nan)
        known = self.windows.astype(np.float64)
        for first in range(0, len(starts) if len(known) else 0, BLOCK):
            at = starts[first : first + BLOCK]
            away = euclidean_distances(
                self.standard(describe(x, at, self.width)).astype(np.float64), known, squared=True
            )
            for row, overlap in enumerate(self._overlaps(at, own)):
                away[row, overlap] = np.inf
            found[first : first + BLOCK] = _mean_of_least(away, min(NEAREST, len(known)))
        return found

    def nearest(
        self, x: Floats, start: int, own: int | None = None
    ) -> tuple[int, NDArray[np.float32]] | None:
        """Return the place of the remembered window that is nearest to one of x, and how they differ (f,).

        The difference is in spreads of each feature. None where nothing is left to compare with.
        """
        at = np.array([start], dtype=np.int64)
        told = self.standard(describe(x, at, self.width))
        away = np.square(self.windows - told).sum(axis=1)
        for overlap in self._overlaps(at, own):
            away[overlap] = np.inf
        if not np.isfinite(away).any():
            return None
        place = int(away.argmin())
        return place, told[0] - self.windows[place]

    def _overlaps(self, at: NDArray[np.int64], own: int | None) -> list[slice]:
        """Return, for windows of a reference series, which of the remembered ones share a point with each."""
        if own is None:
            return []
        first, end = np.searchsorted(self.series, (own, own + 1))
        starts = self.starts[first:end]  # ascending
        low = first + np.searchsorted(starts, at - self.width, side="right")
        high = first + np.searchsorted(starts, at + self.width, side="left")
        return [slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)]


def _mean_of_least(squares: Floats, count: int) -> Floats:
    """Return (m,) the mean root of the `count` least finite squares of each row (m, r), which are used up.

    NaN for a row that has none. For so few, finding one after the other is quicker than a partition.
    """
    rows = np.arange(len(squares))
    total, known = np.zeros(len(squares)), np.zeros(len(squares))
    for _ in range(count):
        place = squares.argmin(axis=1)
        least = squares[rows, place]
        finite = np.isfinite(least)
        total += np.sqrt(np.where(finite, least, 0.0))
        known += finite
        squares[rows, place] = np.inf
    return np.asarray(np.where(known > 0, total / np.maximum(known, 1.0), np.nan))
