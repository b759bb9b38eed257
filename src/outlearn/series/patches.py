"""Distances of windows of several widths to those of the reference, in all and channel by channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from outlearn.series.basis import Basis, Stretches
from outlearn.series.neighbours import MOST_WINDOWS, Memory, strides
from outlearn.series.windows import back_to_points, window_starts

__all__ = ["WIDTHS", "Patches", "Reach", "log_of"]

Floats = NDArray[np.float64]
WIDTHS = (16, 32, 64, 96, 128, 192)  # points of a window, the narrowest first
LONG = 64  # a width that is in use anyway, so that asking for it costs nothing
# Quantiles of the reference's own distances. The first makes 0 and the last 1: a channel that is rough now
# and then anyway is not to drown the others. But where the last lies more than `HEAVY` times as far as the
# second, there are anomalies in the reference, and so many times the second makes 1.
USUAL_QUANTILES = 0.5, 0.9, 0.99
HEAVY = 10.0
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Reach:
    """A memory of one width, and the distances that are usual in it.

    level, unit : (1 + c,) what makes 0, and how much more makes 1: first over all channels, then of each; NaN
        where the reference is too short to say.
    """

    memory: Memory
    level: Floats
    unit: Floats

    def rare(self, x: Floats, starts: NDArray[np.int64], own: int | None = None) -> Floats:
        """Return (m, 1 + c) log(1 + distance) of windows of a series (n, c), in all and by channel.

        A distance of 0 is usual and 1 is what one in a hundred windows of the reference has. NaN where there
        is nothing to compare with.
        """
        return self.rare_of(np.column_stack(self.memory.by_channel(x, starts, own)))

    def rare_of(self, away: Floats) -> Floats:
        """Return how rare distances (m, k) are, the first k of those over all channels and of each."""
        k = away.shape[1]
        return log_of((away - self.level[:k]) / self.unit[:k])

    def away(self, x: Floats, starts: NDArray[np.int64], own: int | None = None) -> Floats:
        """Return (m,) distances over all channels: 1 is rare, and what is usual from 0 down."""
        return np.asarray((self.memory.distances(x, starts, own) - self.level[0]) / self.unit[0])


def log_of(away: Floats) -> Floats:
    """Return how rare it is to lie so far away, 0 for all that is usual."""
    return np.asarray(np.log1p(np.maximum(away, 0.0)))


@dataclass(frozen=True, slots=True)
class Patches:
    """A reference to compare windows with; what a width needs is learnt when it is first asked for.

    most, seed, plain : as for `Memory.of`.
    """

    basis: Basis
    most: int = MOST_WINDOWS
    seed: int = 0
    plain: bool = False
    _known: dict[int, Reach] = field(default_factory=dict, repr=False, compare=False)

    def reach(self, width: int) -> Reach:
        """Return what is remembered of the reference at a width."""
        if width not in self._known:
            values, stretches = self.basis.values, self.basis.stretches
            memory = Memory.of(values, stretches, width, most=self.most, seed=self.seed, plain=self.plain)
            own = [
                np.column_stack(memory.by_channel(x, memory.starts[memory.series == i], own=i))
                for i, x in enumerate(values)
            ]
            pairs = [_usual(column) for column in np.concatenate(own).T]
            self._known[width] = Reach(memory, *np.array(pairs).T)
        return self._known[width]

    def tells(self) -> bool:
        """Tell whether the reference is long enough that its windows say what is usual, at any width."""
        return any(bool(np.isfinite(self.reach(width).unit[0])) for width in (LONG, *WIDTHS))

    def profile(
        self,
        x: Floats,
        stretches: Stretches,
        own: int | None = None,
        *,
        widths: Sequence[int] = WIDTHS,
        causal: bool = False,
    ) -> NDArray[np.float32]:
        """Return (n, 1 + c, w) how rare each point of a standardised series (n, c) is; see `Reach.rare`.

        Parameters
        ----------
        own : the reference series that it is, if any. widths : of `WIDTHS`, the narrowest first.
        causal : use, for each point, the window that ended last by then; else the windows that cover it.

        A point that no window of a width covers has the value of the next narrower one of `WIDTHS`; 0 where
        none has any.
        """
        n, channels = x.shape
        profile = np.zeros((n, 1 + channels, len(widths)), dtype=np.float32)
        for w, width in enumerate(widths):
            left = np.ones(n, dtype=bool)
            for narrower in reversed(WIDTHS[: WIDTHS.index(width) + 1]):
                starts = window_starts(stretches, narrower, strides(narrower), flush=not causal)
                starts = starts[_over(left, starts, narrower)]
                if len(starts):
                    rare = self.reach(narrower).rare(x, starts, own)
                    by_point = back_to_points(rare, starts, narrower, stretches, n, causal=causal)
                    fresh = left & ~np.isnan(by_point[:, 0])
                    profile[fresh, :, w] = by_point[fresh]
                    left &= ~fresh
        return profile


def _over(left: NDArray[np.bool_], starts: NDArray[np.int64], width: int) -> NDArray[np.bool_]:
    """Return (m,) whether a window lies over a point that is left."""
    before = np.concatenate([[0], np.cumsum(left)])
    return np.asarray(before[starts + width] > before[starts])


def _usual(distances: Floats) -> tuple[float, float]:
    """Return the distance that is usual, and how much more is rare."""
    distances = distances[np.isfinite(distances)]
    if not len(distances):  # all windows overlap: nothing shows what is usual
        return np.nan, np.nan
    low, middle, high = np.quantile(distances, USUAL_QUANTILES)
    rare = min(high - low, HEAVY * (middle - low)) if middle > low else high - low
    return float(low), max(float(rare), TINY)
