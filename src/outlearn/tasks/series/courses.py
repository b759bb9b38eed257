"""How a channel runs when all is well: one function a kind, each returning (n,) values of about unit size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

__all__ = ["COURSES", "Course", "draw_course", "slow"]

Floats = NDArray[np.float64]
Course = Callable[[int, np.random.Generator], Floats]
FEWEST_CYCLES = 6  # of a season in a series


def draw_course(n: int, rng: np.random.Generator) -> Floats:
    """Return (n,) a course of a kind drawn at random, at mean 0 and spread 1."""
    kind = COURSES[int(rng.integers(len(COURSES)))]
    return unit(kind(n, rng))


def unit(x: Floats) -> Floats:
    """Return x at mean 0 and spread 1; what stands still stays at 0."""
    away: Floats = x - x.mean()
    spread = float(away.std())
    return away / spread if spread > 1e-9 else away


def _period(n: int, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(8), np.log(max(n / FEWEST_CYCLES, 9)))))


def _shape(points: int, rng: np.random.Generator) -> Floats:
    """Return one cycle of a random smooth course."""
    phase = np.arange(points) / points * 2 * np.pi
    total = np.zeros(points)
    for harmonic in range(1, int(rng.integers(1, 7)) + 1):
        total += rng.normal() / harmonic * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return unit(total)


def _along(cycle: Floats, phase: Floats) -> Floats:
    """Return a cycle at phases counted in cycles."""
    return np.interp(phase % 1.0 * len(cycle), np.arange(len(cycle) + 1), np.r_[cycle, cycle[0]])


def slow(n: int, rng: np.random.Generator, size: float) -> Floats:
    """Return a slow random course of some size."""
    knots = rng.normal(size=int(rng.integers(3, 9)))
    return size * np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)


def seasonal(n: int, rng: np.random.Generator) -> Floats:
    """Draw one to three seasons of random shape, maybe with a trend and a size that changes slowly."""
    total = np.zeros(n)
    period = _period(n, rng)
    for size in 0.5 ** np.arange(int(rng.integers(1, 4))):
        swing = 1.0 if rng.random() < 0.6 else np.exp(slow(n, rng, 0.3))
        total += size * swing * _along(_shape(64, rng), np.arange(n) / period + rng.random())
        period *= rng.choice([0.25, 1 / 3, 5.0, 7.0]) if rng.random() < 0.7 else rng.uniform(0.3, 3)
        period = float(np.clip(period, 6, n / 3))
    if rng.random() < 0.3:
        total += slow(n, rng, rng.uniform(0.2, 1.0))
    return total


def beats(n: int, rng: np.random.Generator) -> Floats:
    """Draw pulses of one form at intervals that vary a little, as of a heart or a machine."""
    period = max(_period(n, rng), 16.0)
    jitter = rng.uniform(0, 0.08)
    marks = np.cumsum(period * (1 + jitter * rng.normal(size=int(2 * n / period) + 8)))
    phase = np.interp(np.arange(n), np.r_[0, marks], np.arange(len(marks) + 1))
    grid = np.arange(128) / 128
    form = np.zeros(128)
    for _ in range(int(rng.integers(2, 6))):
        form += rng.normal() * np.exp(-(((grid - rng.uniform(0.1, 0.9)) / rng.uniform(0.01, 0.1)) ** 2))
    return _along(form, phase) + slow(n, rng, rng.uniform(0, 0.1))


def traffic(n: int, rng: np.random.Generator) -> Floats:
    """Draw counts that follow the day and the week, with bursts."""
    day = _period(n, rng)
    log = rng.uniform(0.3, 1.2) * _along(_shape(48, rng), np.arange(n) / day)
    log += rng.uniform(0, 0.4) * _along(_shape(7, rng), np.arange(n) / (7 * day))
    log += rng.uniform(0.02, 0.3) * lfilter([1], [1, -rng.uniform(0, 0.9)], rng.normal(size=n))
    counts = np.exp(log)
    burst = rng.random(n) < rng.choice([0.0, 0.002, 0.01])
    return counts * np.where(burst, rng.uniform(1.2, 2.0, size=n), 1.0)


def autoregressive(n: int, rng: np.random.Generator) -> Floats:
    """Draw a stationary process with one or two resonances."""
    poly = np.ones(1)
    for _ in range(int(rng.integers(1, 3))):
        radius, angle = rng.uniform(0.5, 0.99), rng.uniform(0, np.pi) * rng.choice([0.1, 1.0])
        poly = np.convolve(poly, [1, -2 * radius * np.cos(angle), radius**2])
    return np.asarray(lfilter([1.0], poly, rng.normal(size=n + 200))[200:])


def wandering(n: int, rng: np.random.Generator) -> Floats:
    """Draw a walk that is pulled back to a middle, smoothed at times."""
    walk = lfilter([1.0], [1.0, -rng.choice([0.98, 0.995, 0.999])], rng.normal(size=n))
    return np.asarray(gaussian_filter1d(walk, rng.choice([0.5, 3.0, 10.0])))


def chaotic(n: int, rng: np.random.Generator) -> Floats:
    """Draw a course of a Mackey-Glass or logistic system."""
    if rng.random() < 0.7:
        delay = int(rng.integers(14, 25))
        x = np.full(n + 300, 1.2)
        x[: delay + 1] += 0.1 * rng.normal(size=delay + 1)
        for t in range(delay, n + 299):
            late = x[t - delay]
            x[t + 1] = 0.9 * x[t] + 0.2 * late / (1 + late**10)
        return x[300:]
    x, rate = np.empty(n), rng.uniform(3.6, 3.9)
    x[0] = rng.uniform(0.2, 0.8)
    for t in range(n - 1):
        x[t + 1] = rate * x[t] * (1 - x[t])
    return np.asarray(gaussian_filter1d(x, rng.uniform(0.3, 3)))


def regimes(n: int, rng: np.random.Generator) -> Floats:
    """Draw switches among a few levels, each held for a while, as of commands, valves and duty cycles."""
    levels = rng.normal(size=int(rng.integers(2, 5)))
    mean = np.exp(rng.uniform(np.log(8), np.log(n / 8)))
    regular = rng.random() < 0.5
    x, at, state = np.empty(n), 0, 0
    order = rng.permutation(len(levels))
    while at < n:
        hold = max(2, int(mean * (1 + 0.05 * rng.normal() if regular else rng.exponential())))
        x[at : at + hold] = levels[order[state % len(levels)]]
        state += 1 if regular else int(rng.integers(1, len(levels)))
        at += hold
    kind = rng.random()
    if kind < 0.4:
        return np.asarray(gaussian_filter1d(x, rng.uniform(0.5, 6)))
    return x if kind < 0.7 else np.asarray(lfilter([0.1], [1, -0.9], x))


def sawtooth(n: int, rng: np.random.Generator) -> Floats:
    """Draw a level that fills and empties, as a tank or a battery does."""
    period, share = _period(n, rng), rng.uniform(0.1, 0.9)
    phase = np.cumsum(1 / period * (1 + 0.1 * lfilter([0.1], [1, -0.9], rng.normal(size=n)))) % 1.0
    return np.asarray(np.where(phase < share, phase / share, (1 - phase) / (1 - share)))


def events(n: int, rng: np.random.Generator) -> Floats:
    """Draw rest, and now and then a pulse of the usual form."""
    marks = rng.random(n) < rng.uniform(2, 20) / n
    length = int(rng.integers(2, 40))
    form = np.hanning(length + 2)[1:-1] if rng.random() < 0.5 else np.ones(length)
    return np.convolve(marks * rng.uniform(0.8, 1.2, size=n), form)[:n]


COURSES: tuple[Course, ...] = (
    seasonal,
    seasonal,
    beats,
    traffic,
    autoregressive,
    wandering,
    chaotic,
    regimes,
    regimes,
    sawtooth,
    events,
)
"""Kinds of courses; the commoner ones stand twice."""
