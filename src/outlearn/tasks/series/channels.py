"""Channels that hang together: each follows some of those before it, and has noise of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.tasks.series.courses import draw_course, unit

__all__ = ["draw_channels"]

Floats = NDArray[np.float64]
LAGS = 12  # points by which a channel may follow another, less one
SHAPES = (lambda x: x, np.tanh, lambda x: np.maximum(x, 0.0), np.abs)


def draw_channels(n: int, channels: int, rng: np.random.Generator) -> Floats:
    """Return (n, channels) normal courses with noise.

    A channel is drawn anew, or is a shape of a lagged sum of up to three before it (a causal graph).
    """
    clean = np.empty((n, channels))
    for c in range(channels):
        if c == 0 or rng.random() < 0.3:
            clean[:, c] = draw_course(n, rng)
            continue
        total = np.zeros(n)
        for parent in rng.choice(c, size=min(c, int(rng.integers(1, 4))), replace=False):
            total += rng.normal() * np.roll(clean[:, parent], int(rng.integers(LAGS)))
        shape = SHAPES[int(rng.integers(len(SHAPES)))]
        own = rng.choice([0.0, 0.1, 0.5]) * draw_course(n, rng)
        clean[:, c] = unit(shape(unit(total)) + own)
    return clean + np.column_stack([_noise(n, rng) for _ in range(channels)])


def _noise(n: int, rng: np.random.Generator) -> Floats:
    """Return (n,) noise of one kind and size: none, Gaussian, heavy-tailed, or of a size that changes."""
    size = float(rng.choice([0.0, 0.01, 0.03, 0.1, 0.3]))
    kind = rng.random()
    if kind < 0.6:
        return size * rng.normal(size=n)
    if kind < 0.8:
        return size * np.clip(rng.standard_t(3, size=n), -8, 8)
    swing = np.interp(np.arange(n), np.linspace(0, n, 8), rng.uniform(0.3, 1.7, size=8))
    return size * swing * rng.normal(size=n)
