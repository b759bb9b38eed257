"""Kinds of anomaly: each changes a stretch of a channel (m,), given the whole channel and the rest of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from outlearn.tasks.series.courses import draw_course

__all__ = ["KINDS", "POINTS", "Kind"]

Floats = NDArray[np.float64]
#: From a channel (n,), where a stretch begins and ends, and a generator, to the stretch as it becomes (m,).
Kind = Callable[[Floats, int, int, np.random.Generator], Floats]


def _size(x: Floats, rng: np.random.Generator) -> float:
    """Return a size, from hardly visible to plain, in the unit of the channel."""
    spread = float(x.std())
    return float(np.exp(rng.uniform(np.log(0.3), np.log(4.0)))) * (spread if spread > 1e-9 else 1.0)


def _sign(rng: np.random.Generator) -> float:
    return float(rng.choice([-1.0, 1.0]))


def spike(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return x[a:b] with a value, or a few, far off."""
    size = 1.5 * _size(x, rng)
    return np.asarray(x[a:b] + _sign(rng) * size * np.hanning(b - a + 2)[1:-1])


def elsewhen(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return values that are usual at another time."""
    start = int(rng.integers(0, len(x) - (b - a) + 1))
    return x[start : start + b - a].copy()


def level(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return x[a:b] with all values higher or lower."""
    return np.asarray(x[a:b] + _sign(rng) * _size(x, rng))


def trend(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return x[a:b] with values that drift away."""
    course = np.linspace(0, 1, b - a) ** rng.choice([1.0, 2.0])
    return np.asarray(x[a:b] + _sign(rng) * 1.5 * _size(x, rng) * course)


def stuck(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return a sensor that repeats its last value, or rests at zero."""
    return np.full(b - a, x[a] if rng.random() < 0.8 else 0.0)


def burst(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return x[a:b] with noise."""
    return np.asarray(x[a:b] + 0.7 * _size(x, rng) * rng.normal(size=b - a))


def quiet(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return x[a:b] without its detail."""
    return np.asarray(gaussian_filter1d(x[a:b], max(2.0, (b - a) / rng.uniform(4, 20))))


def faster(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return the course from a on at another speed."""
    rate = float(np.exp(_sign(rng) * rng.uniform(0.2, 1.0)))
    at = a + (np.arange(b - a) * rate) % max(len(x) - a, 1)
    return np.asarray(np.interp(at, np.arange(len(x)), x))


def warped(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return x[a:b] with time that runs slow and then fast, or the other way."""
    phase = np.linspace(0, 1, b - a)
    bent = phase + rng.uniform(0.1, 0.3) * _sign(rng) * np.sin(np.pi * phase)
    return np.interp(a + np.clip(bent, 0, 1) * (b - a - 1), np.arange(len(x)), x)


def larger(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return x[a:b] with a swing of another size."""
    middle = x[a:b].mean()
    factor = rng.uniform(1.5, 3) if rng.random() < 0.5 else rng.uniform(0, 0.6)
    return np.asarray(middle + factor * (x[a:b] - middle))


def mirrored(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return x[a:b] upside down, or from end to start."""
    return x[a:b][::-1].copy() if rng.random() < 0.5 else 2 * x[a:b].mean() - x[a:b]


def missing(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return a line between the ends of x[a:b]: a beat that does not come."""
    return np.linspace(x[a], x[b - 1], b - a)


def other(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return another course altogether, at the usual level and size."""
    spread = x.std()
    size = float(spread if spread > 1e-9 else 1.0)
    return np.asarray(x.mean() + size * draw_course(max(b - a, 64), rng)[: b - a])


def cut(x: Floats, a: int, b: int, rng: np.random.Generator) -> Floats:
    """Return x[a:b] with its peaks cut off."""
    bound = np.quantile(x[a:b], rng.uniform(0.3, 0.8))
    return np.minimum(x[a:b], bound) if rng.random() < 0.5 else np.maximum(x[a:b], bound)


POINTS: tuple[Kind, ...] = (spike, spike, elsewhen)
"""Kinds that make sense for one to a few points."""

KINDS: tuple[Kind, ...] = (
    spike,
    elsewhen,
    level,
    level,
    trend,
    stuck,
    burst,
    quiet,
    faster,
    warped,
    larger,
    mirrored,
    missing,
    other,
    cut,
)
"""Kinds for stretches. In a table of several channels `elsewhen` parts a channel from those it goes with."""
