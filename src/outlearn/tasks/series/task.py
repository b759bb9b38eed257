"""A task: a series of which some stretches are anomalous, with or without a clean past to compare with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.rng import derive
from outlearn.tasks.series.channels import draw_channels
from outlearn.tasks.series.drift import drifted
from outlearn.tasks.series.inject import KINDS, POINTS

__all__ = ["SeriesTask", "draw_series"]

LENGTHS = 1500, 4000  # points
CHANNELS = (1, 1, 1, 2, 3, 5)  # drawn evenly from these
CHANGING = 0.6  # share of tasks whose normal course changes
SEEN = 0.15  # mean change, in spreads of the channel, below which nobody could see an anomaly
TRIES = 8  # for each anomaly that is wanted


@dataclass(frozen=True, slots=True)
class SeriesTask:
    """values : (n, c). labels : (n,) 1 anomaly, 0 normal; not all are 0. reference : points at the beginning
    that are known to be normal; 0 where the whole may be contaminated."""

    values: NDArray[np.float64]
    labels: NDArray[np.int8]
    reference: int


def draw_series(seed: int, number: int) -> SeriesTask:
    """Return task `number` of a stream: a pure function of both.

    >>> task = draw_series(0, 0)
    >>> task.values.shape[0] == len(task.labels), bool(task.labels[: task.reference].any())
    (True, False)
    """
    rng = derive(seed, 0x5E7, number)
    n = int(rng.integers(*LENGTHS))
    channels = int(rng.choice(CHANNELS))
    values = draw_channels(n, channels, rng)
    if rng.random() < CHANGING:
        values = drifted(values, rng)
    reference = int(n * rng.uniform(0.15, 0.5)) if rng.random() < 0.5 else 0
    labels = np.zeros(n, dtype=np.int8)
    clean = values.copy()
    short = rng.random() < 0.25
    repeated = KINDS[int(rng.integers(len(KINDS)))] if rng.random() < 0.3 else None
    wanted = 1 + int(rng.exponential(2.0))
    for _ in range(wanted * TRIES):
        if wanted == 0:
            break
        length = int(rng.integers(1, 6)) if short else _length(n, rng)
        kinds = POINTS if short else KINDS
        kind = repeated if repeated is not None and not short else kinds[int(rng.integers(len(kinds)))]
        start = int(rng.integers(reference, max(n - length, reference + 1)))
        end = min(start + length, n)
        touched = rng.choice(channels, size=int(rng.integers(1, channels + 1)), replace=False)
        if labels[max(start - 20, 0) : end + 20].any() or (labels.sum() + length) > 0.25 * n:
            continue
        changed = {int(c): kind(clean[:, c], start, end, rng) for c in touched}
        if not any(_seen(clean[:, c], new, start, end) for c, new in changed.items()):
            continue
        for c, new in changed.items():
            values[start:end, c] = new
        labels[start:end] = 1
        wanted -= 1
    if not labels.any():
        return draw_series(seed, number + 1_000_003)
    return SeriesTask(values * rng.uniform(0.5, 2, channels) + rng.normal(size=channels), labels, reference)


def _length(n: int, rng: np.random.Generator) -> int:
    return int(np.exp(rng.uniform(np.log(24), np.log(n / 5))))


def _seen(x: NDArray[np.float64], new: NDArray[np.float64], start: int, end: int) -> bool:
    spread = max(float(x.std()), 1e-6)
    return bool(np.abs(new - x[start:end]).mean() > SEEN * spread)
