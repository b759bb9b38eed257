"""What is seen at each point of each channel: distances, jumps, rare values, likeness to cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from outlearn.series.basis import Basis, Stretches
from outlearn.series.neighbours import MOST, Memory, strides
from outlearn.series.patches import WIDTHS, Patches
from outlearn.series.windows import latest, spread, window_starts

__all__ = ["CASE_WIDTHS", "DISTANCES", "GLANCES", "Glance", "Ranges", "likeness_of", "without"]

Floats = NDArray[np.float64]
Ranges = Sequence[tuple[int, int]]
CASE_WIDTHS = (32, 64, 128)  # that likeness to labelled cases is told at
GLANCES = (
    *(f"distance at width {width}" for width in WIDTHS),
    "away from the median beside it",
    "beyond what the reference reaches",
    "step",
    "value",
    "likeness to cases, on average",
    "likeness to cases, at most",
)
"""What `Glance.points` tells of a point, in order."""
DISTANCES = slice(0, len(WIDTHS))
BESIDE = 25  # points of the running median
REACH = 0.005, 0.995
FAR = 5.0  # likeness is cut off at a factor of e to this
TINY = 1e-6
PER_CASE = 64  # windows of a width that are remembered of a labelled range


@dataclass(frozen=True, slots=True)
class Glance:
    """A reference, as far as points are compared with it.

    low, high : (c,) what the reference reaches. steps, aways : (c,) usual size of a step, and of the distance
    to the running median. cases : of each channel, a memory of labelled anomalies at each of `CASE_WIDTHS`;
    empty without labels.
    """

    basis: Basis
    patches: Patches
    low: Floats
    high: Floats
    steps: Floats
    aways: Floats
    cases: list[list[Memory]]

    @classmethod
    def fit(cls, basis: Basis, cases: Sequence[Ranges] = (), *, most: int = MOST, seed: int = 0) -> Self:
        """Learn from a basis. cases : of each of its series, the ranges labelled as anomalies."""
        ranges: list[Ranges] = list(cases) if cases else [()] * len(basis.values)
        usual = [without(stretches, told) for stretches, told in zip(basis.stretches, ranges, strict=True)]
        kept = Basis(basis.values, usual, basis.centre, basis.scale)
        patches = Patches.fit(kept, most=most, seed=seed)
        reference = np.concatenate(
            [x[a:b] for x, each in zip(basis.values, usual, strict=True) for a, b in each]
        )
        low, high = np.quantile(reference, REACH, axis=0)
        jumps = np.abs(np.diff(reference, axis=0, prepend=reference[:1]))
        away = np.abs(reference - _running_median(reference, causal=False))
        remembered = [
            [_cases(row[WIDTHS.index(w)], [x[:, c] for x in basis.values], ranges) for w in CASE_WIDTHS]
            for c, row in enumerate(patches.memories)
        ]
        if not any(len(told) for told in ranges):
            remembered = []
        scale = [np.maximum(np.quantile(each, 0.9, axis=0), 1e-3) for each in (jumps, away)]
        return cls(kept, patches, low, high, scale[0], scale[1], remembered)

    def points(
        self, x: Floats, stretches: Stretches, own: int | None = None, *, causal: bool = False
    ) -> NDArray[np.float32]:
        """Return (n, c, 12) what is seen of a standardised series (n, c); see `GLANCES`.

        own, causal : as for `Patches.profile`.
        """
        distances = np.log1p(np.maximum(self.patches.profile(x, stretches, own, causal=causal).values, 0.0))
        away = np.log1p(np.abs(x - _running_median(x, causal)) / self.aways)
        width = np.maximum(self.high - self.low, TINY)
        beyond = np.log1p(4 * np.maximum(np.maximum(self.low - x, x - self.high), 0.0) / width)
        steps = np.log1p(np.abs(np.diff(x, axis=0, prepend=x[:1])) / self.steps)
        likeness = self._likeness(x, stretches, own, causal)
        rest = np.stack([away, beyond, steps, np.arcsinh(x)], axis=2)
        return np.concatenate([distances, rest, likeness], axis=2).astype(np.float32)

    def _likeness(self, x: Floats, stretches: Stretches, own: int | None, causal: bool) -> Floats:
        """Return (n, c, 2) how much nearer to labelled anomalies than to the rest the windows lie."""
        if not self.cases:
            return np.zeros((*x.shape, 2))
        n = len(x)
        found = np.zeros((n, x.shape[1], len(CASE_WIDTHS)))
        back = latest if causal else spread
        for w, width in enumerate(CASE_WIDTHS):
            starts = window_starts(stretches, width, strides(width), flush=not causal)
            for c, cases in enumerate(self.cases):
                usual = self.patches.memories[c][WIDTHS.index(width)].distances(x[:, c], starts, own)
                like = cases[w].distances(x[:, c], starts, own)
                told = back(likeness_of(usual, like), starts, width, n)
                found[:, c, w] = np.where(np.isnan(told), 0.0, told)
        return np.stack([found.mean(axis=2), found.max(axis=2)], axis=2)


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
        parts = [((a, min(b, start)), (max(a, end), b)) for a, b in left]
        left = [(a, b) for pair in parts for a, b in pair if b > a]
    return left


def _running_median(x: Floats, causal: bool) -> Floats:
    size = (min(BESIDE, max(len(x) // 2 * 2 - 1, 1)), 1)
    return np.asarray(median_filter(x, size=size, mode="nearest", origin=(size[0] // 2 if causal else 0, 0)))


def _cases(memory: Memory, values: list[Floats], ranges: list[Ranges]) -> Memory:
    """Remember windows that lie over labelled ranges, at least by half of the window or of the range."""
    width = memory.width
    places = []
    for x, told in zip(values, ranges, strict=True):
        found = [np.empty(0, dtype=np.int64)]
        for start, end in told:
            half = min(width, end - start) // 2
            first, last = max(start - width + half, 0), min(end - half, len(x) - width)
            if last >= first:
                at = np.linspace(first, last, min(last - first + 1, PER_CASE))
                found.append(np.unique(at.astype(np.int64)))
        places.append(np.unique(np.concatenate(found)))
    return Memory.at(memory, values, places)
