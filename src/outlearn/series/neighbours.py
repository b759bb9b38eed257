"""Distances to the nearest of some reference windows, those that overlap left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from outlearn.rng import derive
from outlearn.series.basis import Stretches
from outlearn.series.windows import FEATURES, describe, window_starts

__all__ = ["MOST_WINDOWS", "NEAREST", "Memory", "Unit", "strides"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
NEAREST = 3  # neighbours whose distance is averaged
MOST_WINDOWS = 3000  # reference windows
CELLS = 6_000_000  # numbers that are remembered of one width, where there are many channels
FEWEST = 200  # reference windows there, if there are so many
FLOOR = 1e-3  # of the widest spread of a feature of its channel, that each has at least
# Both chosen on a part of the series of the benchmark in docs/series.md ("How good it is").
POWER = 0.5  # of its spread, that a feature is divided by
BEND = 2.0  # usual sizes up to which a feature counts in proportion, and beyond by its logarithm
BLOCK = 2048  # windows that are compared at once
SHARED = 4_000_000  # numbers that are split by channel at once


def strides(width: int) -> int:
    """Return how far apart windows of a width begin: a sixteenth of it."""
    return max(1, width // 16)


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit in which features (m, c, f) of windows are compared.

    Each is centred and divided by the root of its spread in the reference: what varies much counts for more,
    but less than in proportion. Beyond twice the usual size it counts by its logarithm, so that one channel
    that leaps does not hide all others. `plain` ones are left as they are.

    centre, scale : (c, f).
    """

    centre: NDArray[np.float32]
    scale: NDArray[np.float32]
    plain: bool = False

    @classmethod
    def of(cls, features: NDArray[np.float32], *, plain: bool = False) -> Self:
        """Learn from the windows (m, c, f) of a reference."""
        centre = features.mean(axis=0)
        if plain:
            return cls(centre, np.ones_like(centre), plain=True)
        spread = features.std(axis=0)
        spread = np.maximum(spread, FLOOR * np.maximum(spread.max(axis=1, keepdims=True), FLOOR))
        usual = np.sqrt(np.mean(spread ** (2 - 2 * POWER)))  # size of what is left, over all channels
        return cls(centre, (spread**POWER * usual).astype(np.float32))

    def __call__(self, features: NDArray[np.float32]) -> Floats:
        """Return (m, c · f) features as they are compared."""
        x = (features - self.centre).astype(np.float64) / self.scale
        if not self.plain:
            x = np.sign(x) * BEND * np.log1p(np.abs(x) / BEND)
        return x.reshape(len(x), self.centre.size)


@dataclass(frozen=True, slots=True)
class Memory:
    """Reference windows over all channels, by what describes them.

    width : points of a window. unit : of the features.
    windows : (r, c · f) in that unit. norms : (r,) their squared lengths.
    series, starts : (r,) the reference series that each lies in, and where it begins.
    """

    width: int
    unit: Unit
    windows: Floats
    norms: Floats
    series: Places
    starts: Places

    @classmethod
    def of(
        cls,
        values: list[Floats],
        stretches: list[Stretches],
        width: int,
        *,
        most: int = MOST_WINDOWS,
        seed: int = 0,
        plain: bool = False,
    ) -> Self:
        """Remember windows of reference series, each (n, c), evenly drawn where there are too many.

        plain : whether features are left in the unit of their channel.
        """
        channels = values[0].shape[1]
        most = min(most, max(CELLS // (channels * len(FEATURES)), FEWEST))
        # At every place: between two strides a periodic course has other phases, which would look odd.
        places = [window_starts(spans, width, 1) for spans in stretches]
        series = np.repeat(np.arange(len(places)), [len(p) for p in places])
        starts = np.concatenate(places)
        if len(starts) > most:
            # A few times as many as are kept show the spread of the features.
            drawn = np.sort(
                derive(seed, width).choice(len(starts), min(len(starts), 4 * most), replace=False)
            )
            series, starts = series[drawn], starts[drawn]
        features = np.concatenate([describe(x, starts[series == i], width) for i, x in enumerate(values)])
        if not len(features):
            nothing = np.zeros((channels, len(FEATURES)), dtype=np.float32)
            return cls._kept(width, Unit(nothing, nothing + 1), features, series, starts)
        unit = Unit.of(features, plain=plain)
        kept = np.linspace(0, len(features) - 1, min(len(features), most)).astype(np.int64)
        return cls._kept(width, unit, features[kept], series[kept], starts[kept])

    @classmethod
    def at(cls, like: Memory, values: list[Floats], places: list[Places]) -> Self:
        """Remember the windows that begin at `places` of each series, in the unit of another memory."""
        features = np.concatenate([describe(x, at, like.width) for x, at in zip(values, places, strict=True)])
        series = np.repeat(np.arange(len(places)), [len(at) for at in places])
        return cls._kept(like.width, like.unit, features, series, np.concatenate(places))

    @classmethod
    def _kept(
        cls, width: int, unit: Unit, features: NDArray[np.float32], series: Places, starts: Places
    ) -> Self:
        windows = unit(features)
        return cls(width, unit, windows, np.einsum("rf,rf->r", windows, windows), series, starts)

    @property
    def nbytes(self) -> int:
        """Bytes of the remembered windows."""
        return self.windows.nbytes + self.norms.nbytes + self.series.nbytes + self.starts.nbytes

    def distances(self, x: Floats, starts: Places, own: int | None = None) -> Floats:
        """Return (m,) mean distances of windows of a series (n, c) to the nearest that are remembered.

        own : the reference series that x is, if any: windows of it that overlap are no neighbours. Where none
        is left, and without a reference, the distance is NaN.
        """
        distances = np.full(len(starts), np.nan)
        for block, features in self._blocks(x, starts, BLOCK):
            _, away = self._nearest(features, starts[block], own)
            distances[block] = _mean(away)
        return distances

    def by_channel(self, x: Floats, starts: Places, own: int | None = None) -> tuple[Floats, Floats]:
        """Return `distances`, and (m, c) how much of them lies in each channel, by the same neighbours."""
        channels = x.shape[1]
        if channels == 1:
            distances = self.distances(x, starts, own)
            return distances, distances[:, None]
        distances, shares = np.full(len(starts), np.nan), np.full((len(starts), channels), np.nan)
        size = max(min(BLOCK, SHARED // (NEAREST * self.windows.shape[1])), 1)
        for block, features in self._blocks(x, starts, size):
            places, away = self._nearest(features, starts[block], own)
            distances[block] = _mean(away)
            gaps = (self.windows[places] - features[:, None]).reshape(*places.shape, channels, -1)
            lengths = np.sqrt(np.einsum("mkcf,mkcf->mkc", gaps, gaps))
            lengths[np.isnan(away)] = np.nan
            shares[block] = _mean(lengths)
        return distances, shares

    def nearest(self, x: Floats, start: int, own: int | None = None) -> tuple[int, Floats] | None:
        """Return the place of the remembered window that is nearest to one of x, and how they differ (c, f).

        The difference is in the unit of the memory. None where nothing is left to compare with.
        """
        at = np.array([start], dtype=np.int64)
        features = self.unit(describe(x, at, self.width))
        if not len(self.windows):
            return None
        places, away = self._nearest(features, at, own)
        if np.isnan(away[0, 0]):
            return None
        place = int(places[0, 0])
        return place, (features[0] - self.windows[place]).reshape(x.shape[1], -1)

    def _blocks(self, x: Floats, starts: Places, size: int) -> Iterator[tuple[slice, Floats]]:
        """Yield windows of x as they are compared, so many at once; none where nothing is remembered."""
        for first in range(0, len(starts) if len(self.windows) else 0, size):
            block = slice(first, first + size)
            yield block, self.unit(describe(x, starts[block], self.width))

    def _nearest(self, features: Floats, at: Places, own: int | None) -> tuple[Places, Floats]:
        """Return (m, k) which of the remembered windows are nearest, and how far; NaN where none is left.

        For so few, finding one after the other is quicker than a partition.
        """
        squares = features @ self.windows.T
        squares *= -2.0
        squares += self.norms
        squares += np.einsum("mf,mf->m", features, features)[:, None]
        for row, overlap in enumerate(self._overlaps(at, own)):
            squares[row, overlap] = np.inf
        rows = np.arange(len(features))
        count = min(NEAREST, len(self.windows))
        places = np.empty((len(features), count), dtype=np.int64)
        away = np.empty((len(features), count))
        for k in range(count):
            places[:, k] = squares.argmin(axis=1)
            away[:, k] = squares[rows, places[:, k]]
            squares[rows, places[:, k]] = np.inf
        # Rounding may leave a hair below 0 between windows that are the same.
        return places, np.sqrt(np.where(np.isfinite(away), np.maximum(away, 0.0), np.nan))

    def _overlaps(self, at: Places, own: int | None) -> list[slice]:
        """Return which of the remembered windows share a point with each window of a reference series."""
        if own is None:
            return []
        first, end = np.searchsorted(self.series, (own, own + 1))
        starts = self.starts[first:end]  # ascending
        low = first + np.searchsorted(starts, at - self.width, side="right")
        high = first + np.searchsorted(starts, at + self.width, side="left")
        return [slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)]


def _mean(away: Floats) -> Floats:
    """Return (m, …) the mean over the neighbours (m, k, …) that there are; NaN where there is none."""
    known = np.isfinite(away)
    count = known.sum(axis=1)
    total = np.where(known, away, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
