"""How near the nearest rows are, and how near these lie to one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOCAL", "local_statistics", "log_distance", "mean_distance"]

Floats = NDArray[np.float64]
LOCAL = ("d1", "d5", "d20", "d50", "ratio5", "ratio20")
"""Log of the mean distance to the nearest rows, and of its ratio to the same of these rows."""


def log_distance(distance: Floats) -> Floats:
    return np.log(distance + 1e-6)


def mean_distance(distance: Floats, k: int) -> Floats:
    """Return the mean (m,) of the first k of rising distances (m, K)."""
    mean: Floats = distance[:, :k].mean(axis=1)
    return mean


def local_statistics(
    distance: Floats, number: NDArray[np.int64], usual5: Floats, usual20: Floats, floor: float
) -> list[Floats]:
    """Return `LOCAL` of rows whose nearest reference rows are `number` (m, 50) at `distance` (m, 50).

    usual5, usual20 : (n,) the mean distances of the reference rows to theirs.
    floor : log distance below which rows are just "very near": copies would make it run to -14.
    """
    mean5, mean20 = (log_distance(mean_distance(distance, k)) for k in (5, 20))
    lengths = (log_distance(distance[:, 0]), mean5, mean20, log_distance(distance.mean(axis=1)))
    ratios = (
        mean5 - log_distance(usual5[number[:, :5]].mean(axis=1)),
        mean20 - log_distance(usual20[number[:, :20]].mean(axis=1)),
    )
    return [*(np.maximum(c, floor) for c in lengths), *(np.clip(c, -5, 25) for c in ratios)]
