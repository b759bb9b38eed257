"""Change that nobody calls an anomaly: levels and swings that wander, steps that last, single glitches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from outlearn.tasks.series.courses import slow

__all__ = ["DRIFTS", "drifted"]

Floats = NDArray[np.float64]
Drift = Callable[[Floats, np.random.Generator], Floats]
GLITCHES = 1e-4, 5e-3  # share of points


def _wandering_level(x: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(x + slow(len(x), rng, float(rng.uniform(0.2, 1.0)) * _spread(x)))


def _wandering_swing(x: Floats, rng: np.random.Generator) -> Floats:
    middle = np.median(x)
    return np.asarray(middle + np.exp(slow(len(x), rng, float(rng.uniform(0.1, 0.4)))) * (x - middle))


def _lasting_step(x: Floats, rng: np.random.Generator) -> Floats:
    size = float(rng.choice([-1.0, 1.0]) * np.exp(rng.uniform(np.log(0.1), np.log(1.5)))) * _spread(x)
    return np.asarray(x + size * (np.arange(len(x)) >= rng.integers(len(x))))


def _glitches(x: Floats, rng: np.random.Generator) -> Floats:
    count = max(round(len(x) * float(np.exp(rng.uniform(*np.log(GLITCHES))))), 1)
    glitched, at = x.copy(), rng.choice(len(x), size=count, replace=False)
    glitched[at] += rng.normal(size=count) * rng.uniform(0.5, 3.0) * _spread(x)
    return glitched


DRIFTS: tuple[Drift, ...] = (_wandering_level, _wandering_swing, _lasting_step, _glitches)


def drifted(values: Floats, rng: np.random.Generator) -> Floats:
    """Return series (n, c) of which some channels change in one or two of these ways."""
    changed = values.copy()
    channels = values.shape[1]
    for _ in range(int(rng.integers(1, 3))):
        drift = DRIFTS[int(rng.integers(len(DRIFTS)))]
        for c in rng.choice(channels, size=int(rng.integers(1, channels + 1)), replace=False):
            changed[:, c] = drift(changed[:, c], rng)
    return changed


def _spread(x: Floats) -> float:
    spread = float(x.std())
    return spread if spread > 1e-9 else 1.0
