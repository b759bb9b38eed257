"""Features of each point of each channel: distances, jumps, rare values, likeness to cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from outlearn.series.basis import Basis, Stretches
from outlearn.series.neighbours import MOST_WINDOWS, Memory, strides
from outlearn.series.patches import WIDTHS, Patches
from outlearn.series.windows import back_to_points, window_starts

__all__ = [
    "BESIDE",
    "CASE_WIDTHS",
    "DISTANCES",
    "POINT_FEATURES",
    "TOGETHER",
    "PointFeatures",
    "Ranges",
    "latest_median",
    "likeness_of",
    "windows_over",
    "without",
]

Floats = NDArray[np.float64]
Ranges = Sequence[tuple[int, int]]
CASE_WIDTHS = (32, 64, 128)  # of windows that are compared with labelled cases
POINT_FEATURES = (
    *(f"distance at width {width}" for width in WIDTHS),
    *(f"distance at width {width} over all channels" for width in WIDTHS),
    "away from the median beside it",
    "beyond what the reference reaches",
    "step",
    "value",
    "likeness to cases, on average",
    "likeness to cases, at most",
)
"""The features of a point, in the order of `PointFeatures.points`."""
DISTANCES, TOGETHER = slice(0, len(WIDTHS)), slice(len(WIDTHS), 2 * len(WIDTHS))
BESIDE = 25  # points of the running median
REACH = 0.005, 0.995  # quantiles that count as the ends of the reference
FAR = 5.0  # likeness is cut off at a factor of e to this
TINY = 1e-6
PER_CASE = 64  # windows of a width that are remembered of a labelled range


@dataclass(frozen=True)
class PointFeatures:
    """Features of points beside a reference, which it is fitted to.

    cases : a memory of labelled anomalies at each of `CASE_WIDTHS`; empty without labels.
    """

    basis: Basis
    patches: Patches
    cases: list[Memory]

    @classmethod
    def fit(
        cls,
        basis: Basis,
        cases: Sequence[Ranges] = (),
        *,
        usual: list[Stretches] | None = None,
        most: int = MOST_WINDOWS,
        seed: int = 0,
    ) -> Self:
        """Learn from a basis.

        cases : of each of its series, the ranges labelled as anomalies. usual : of each, the stretches to
        compare with; by default all but the cases.
        """
        ranges: list[Ranges] = list(cases) if cases else [()] * len(basis.values)
        if usual is None:
            usual = [
                without(stretches, of_series)
                for stretches, of_series in zip(basis.stretches, ranges, strict=True)
            ]
        kept = Basis(basis.values, usual, basis.centre, basis.scale)
        patches = Patches(kept, most=most, seed=seed)
        labelled = any(len(of_series) for of_series in ranges)
        remembered = [windows_over(patches.reach(w).memory, basis, ranges) for w in CASE_WIDTHS if labelled]
        return cls(kept, patches, remembered)

    @cached_property
    def usual(self) -> tuple[Floats, Floats, Floats, Floats]:
        """The low and high ends of the reference in each channel, its usual steps and humps: four (c,)."""
        pairs = zip(self.basis.values, self.basis.stretches, strict=True)
        reference = np.concatenate([x[a:b] for x, stretches in pairs for a, b in stretches])
        low, high = np.quantile(reference, REACH, axis=0)
        steps = np.abs(np.diff(reference, axis=0, prepend=reference[:1]))
        humps = np.abs(reference - _running_median(reference))
        scale = [np.maximum(np.quantile(sizes, 0.9, axis=0), 1e-3) for sizes in (steps, humps)]
        return low, high, scale[0], scale[1]

    def points(
        self, x: Floats, stretches: Stretches, own: int | None = None, *, causal: bool = False
    ) -> NDArray[np.float32]:
        """Return the `POINT_FEATURES` (n, c, 18) of a standardised series (n, c).

        own, causal : as for `Patches.profile`.
        """
        rare = self.patches.profile(x, stretches, own, causal=causal)
        likeness = self.likeness(x, stretches, own, causal=causal)
        if causal:  # nothing crosses a gap
            middle = np.concatenate([latest_median(x[a:b]) for a, b in stretches])
            before = np.concatenate([[*x[a : a + 1], *x[a : b - 1]] for a, b in stretches])
        else:
            middle, before = _running_median(x), np.concatenate([x[:1], x[:-1]])
        return self.of_points(x, middle, before, rare, likeness)

    def of_points(
        self, x: Floats, middle: Floats, before: Floats, rare: NDArray[np.float32], likeness: Floats
    ) -> NDArray[np.float32]:
        """Return the `POINT_FEATURES` (n, c, 18) of points (n, c) from what they are computed from.

        Parameters
        ----------
        middle, before : (n, c) the median beside each point, and the point before it.
        rare : (n, 1 + c, w) of `Patches.profile`. likeness : (n, 3) of `likeness`.
        """
        low, high, step, hump = self.usual
        together = np.broadcast_to(rare[:, :1], rare[:, 1:].shape)
        away = np.log1p(np.abs(x - middle) / hump)
        width = np.maximum(high - low, TINY)
        beyond = np.log1p(4 * np.maximum(np.maximum(low - x, x - high), 0.0) / width)
        steps = np.log1p(np.abs(x - before) / step)
        summaries = [likeness.mean(axis=1), likeness.max(axis=1)]
        alike = [np.broadcast_to(summary[:, None], x.shape) for summary in summaries]
        rest = np.stack([away, beyond, steps, np.arcsinh(x), *alike], axis=2)
        return np.concatenate([rare[:, 1:], together, rest], axis=2).astype(np.float32)

    def likeness(
        self, x: Floats, stretches: Stretches, own: int | None = None, *, causal: bool = False
    ) -> Floats:
        """Return (n, 3) how much nearer to labelled anomalies than to the rest windows lie, by width.

        0 where nothing is labelled. own, causal : as for `Patches.profile`.
        """
        likeness = np.zeros((len(x), len(CASE_WIDTHS)))
        for w, (width, cases) in enumerate(zip(CASE_WIDTHS, self.cases, strict=False)):
            starts = window_starts(stretches, width, strides(width), flush=not causal)
            usual = self.patches.reach(width).memory.distances(x, starts, own)
            of_windows = likeness_of(usual, cases.distances(x, starts, own))
            points = back_to_points(of_windows, starts, width, stretches, len(x), causal=causal)
            likeness[:, w] = np.nan_to_num(points)
        return likeness


def likeness_of(usual: Floats, like: Floats) -> Floats:
    """Return (m,) how much nearer windows lie to labelled anomalies than to the rest; NaN: not known."""
    with np.errstate(invalid="ignore"):  # nothing is known where all cases overlap: NaN
        ratio = np.log((usual + TINY) / (like + TINY))
    return np.asarray(np.clip(ratio, -FAR, FAR))


def without(stretches: Stretches, ranges: Ranges) -> Stretches:
    """Return what is left of stretches when ranges are taken out.

    >>> without([(0, 10)], [(3, 5)])
    [(0, 3), (5, 10)]
    """
    left = list(stretches)
    for start, end in ranges:
        pairs = [((a, min(b, start)), (max(a, end), b)) for a, b in left]
        left = [(a, b) for pair in pairs for a, b in pair if b > a]
    return left


def latest_median(x: Floats) -> Floats:
    """Return (n, c) the median of the last 25 points of each channel (n, c), the first repeated before it.

    >>> latest_median(np.array([[1.0], [5.0], [2.0]])).ravel()
    array([1., 1., 1.])
    """
    size, origin = (BESIDE, 1), (BESIDE // 2, 0)
    return np.asarray(median_filter(x, size=size, mode="nearest", origin=origin))


def _running_median(x: Floats) -> Floats:
    size = (min(BESIDE, max(len(x) // 2 * 2 - 1, 1)), 1)
    return np.asarray(median_filter(x, size=size, mode="nearest"))


def windows_over(memory: Memory, basis: Basis, ranges: Sequence[Ranges]) -> Memory:
    """Remember windows that lie over labelled ranges, at least by half of the window or of the range."""
    width = memory.width
    places = []
    for stretches, labelled in zip(basis.stretches, ranges, strict=True):
        starts = [np.empty(0, dtype=np.int64)]
        for start, end in labelled:
            half = min(width, end - start) // 2
            for low, high in stretches:  # none reaches across a gap
                first, last = max(start - width + half, low), min(end - half, high - width)
                if last >= first and min(end, high) > max(start, low):
                    at = np.linspace(first, last, min(last - first + 1, PER_CASE))
                    starts.append(at.astype(np.int64))
        places.append(np.unique(np.concatenate(starts)))
    return Memory.at(memory, basis.values, places)
