"""Ranges: runs of points, and quantiles of numbers near the ends of float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["HUGE", "WIDEST", "quantiles", "runs", "width"]

HUGE = 1e300  # of numbers, from which on their differences may overflow
WIDEST = float(np.finfo(np.float64).max)


def quantiles(values: NDArray[np.float64], at: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return quantiles of finite numbers (n,), also where no float64 holds the difference of two of them.

    >>> quantiles(np.array([-1.7e308, 1.7e308, 1.7e308]), [0.25, 0.5]).tolist()
    [0.0, 1.7e+308]
    """
    part = 2.0 if np.abs(values).max() > HUGE else 1.0  # the difference of their halves is held
    found: NDArray[np.float64] = part * np.quantile(values / part, np.asarray(at, dtype=np.float64))
    return found


def width(low: float, high: float) -> float:
    """Return how far two numbers lie apart; where no float64 holds that, the largest one.

    >>> width(-1.0, 2.5), width(-1.7e308, 1.7e308) == WIDEST
    (3.5, True)
    """
    return min(high - low, WIDEST)


def runs(y: ArrayLike) -> list[tuple[int, int]]:
    """Return the runs of points that are true as (start, end), the end not included.

    >>> runs([0, 1, 1, 0, 1])
    [(1, 3), (4, 5)]
    """
    truth = np.asarray(y, dtype=bool)
    turns = np.flatnonzero(np.diff(np.r_[False, truth, False].astype(np.int8)))
    return [(int(start), int(end)) for start, end in turns.reshape(-1, 2)]
