"""How far windows of several widths, channel by channel, lie from those of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from outlearn.series.basis import Basis, Stretches
from outlearn.series.neighbours import MOST, Memory, strides
from outlearn.series.windows import latest, spread, window_starts

__all__ = ["WIDTHS", "Patches", "Profile"]

Floats = NDArray[np.float64]
WIDTHS = (16, 32, 64, 96, 128, 192)
# Quantiles of the reference's own distances. The first makes 0 and the last 1: a channel that is rough now
# and then anyway is not to drown the others. But where the last lies more than `HEAVY` times as far as the
# second, there are anomalies in the reference, and so many times the second makes 1.
USUAL = 0.5, 0.9, 0.99
HEAVY = 10.0
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Profile:
    """What is seen at each point: (n, c, w) distances of channels c at widths w; 0 usual, 1 rare."""

    values: NDArray[np.float32]
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Patches:
    """Memories of the reference, a channel and a width each.

    memories : channel by channel, of each width. level, unit : (c, w) the distances that are usual.
    """

    widths: tuple[int, ...]
    memories: list[list[Memory]]
    level: Floats
    unit: Floats

    @classmethod
    def fit(
        cls,
        basis: Basis,
        widths: Sequence[int] = WIDTHS,
        *,
        most: int = MOST,
        seed: int = 0,
        scaled: bool = True,
    ) -> Self:
        """Remember at most `most` windows of each width, and how far they lie from one another.

        scaled : as for `Memory.of`.
        """
        memories, levels, units = [], [], []
        for channel in range(basis.channels):
            values = [each[:, channel] for each in basis.values]
            row = [
                Memory.of(values, basis.stretches, width, most=most, seed=seed, scaled=scaled)
                for width in widths
            ]
            own = [_own_distances(memory, values) for memory in row]
            pairs = [_usual(each) for each in own]
            memories.append(row)
            levels.append([level for level, _ in pairs])
            units.append([unit for _, unit in pairs])
        return cls(tuple(widths), memories, np.array(levels), np.array(units))

    def profile(
        self, x: Floats, stretches: Stretches, own: int | None = None, *, causal: bool = False
    ) -> Profile:
        """Return the profile of a standardised series (n, c).

        Parameters
        ----------
        own : the reference series that it is, if any. causal : use, for each point, only what lies before it;
            else the windows that cover it.

        A point that no window of a width covers has what the next narrower one tells; 0 where none does.
        """
        n = len(x)
        found = np.zeros((n, len(self.memories), len(self.widths)), dtype=np.float32)
        back = latest if causal else spread
        for w, width in enumerate(self.widths):
            starts = window_starts(stretches, width, strides(width), flush=not causal)
            for channel, row in enumerate(self.memories):
                away = row[w].distances(x[:, channel], starts, own)
                scores = back((away - self.level[channel, w]) / self.unit[channel, w], starts, width, n)
                before = found[:, channel, w - 1] if w else 0.0
                found[:, channel, w] = np.where(np.isnan(scores), before, scores)
        return Profile(found, self.widths)


def _usual(distances: Floats) -> tuple[float, float]:
    """Return the distance that is usual, and how much more is rare."""
    distances = distances[np.isfinite(distances)]
    if not len(distances):
        return 0.0, 1.0
    low, middle, high = np.quantile(distances, USUAL)
    rare = min(high - low, HEAVY * (middle - low)) if middle > low else high - low
    return float(low), max(float(rare), TINY)


def _own_distances(memory: Memory, values: list[Floats]) -> Floats:
    """Return how far the windows that are remembered lie from one another."""
    parts = [memory.distances(x, memory.starts[memory.series == i], own=i) for i, x in enumerate(values)]
    return np.concatenate(parts) if parts else np.empty(0)
