"""Runs of points as ranges."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["runs"]


def runs(y: ArrayLike) -> list[tuple[int, int]]:
    """Return the runs of points that are true as (start, end), the end not included.

    >>> runs([0, 1, 1, 0, 1])
    [(1, 3), (4, 5)]
    """
    truth = np.asarray(y, dtype=bool)
    turns = np.flatnonzero(np.diff(np.r_[False, truth, False].astype(np.int8)))
    return [(int(start), int(end)) for start, end in turns.reshape(-1, 2)]
