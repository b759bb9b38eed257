"""Exact nearest rows of a reference in two parts, with ties settled the same way in every batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

__all__ = ["MAX_ROWS", "Reference"]

Floats = NDArray[np.float64]
Keys = NDArray[np.int64]

MAX_ROWS = 8192
_ID_BITS = 13
_STEPS = 2.0**24  # a distance is kept to 6e-8
_FARTHEST = 2.0**25  # so that a key fits into 63 bits


class _Part:
    """Some of the reference rows, under their numbers in the whole."""

    def __init__(self, points: Floats, numbers: NDArray[np.int64]) -> None:
        self._index = NearestNeighbors(algorithm="brute").fit(points)
        self._numbers = numbers

    def keys(self, points: Floats, k: int) -> Keys:
        """Return (m, min(k, rows)) sorted keys: distance in the high bits, row number in the low ones.

        The search multiplies matrices, and the last bits of its distances vary with the size of the batch;
        they must not decide which of two equally near rows comes first.
        """
        distance, place = self._index.kneighbors(points, n_neighbors=min(k, len(self._numbers)))
        steps = np.rint(np.minimum(distance, _FARTHEST) * _STEPS).astype(np.int64)
        return np.sort((steps << _ID_BITS) | self._numbers[place], axis=1)


class Reference:
    """Reference rows (n ≤ 8192, w), of which some are kept.

    A query row that is an exact copy of a reference row does not count that one copy as its neighbour.

    Parameters
    ----------
    k, kept_k : neighbours among all rows and among the kept ones; `kept_k` is `k` by default, and no larger.
    """

    def __init__(self, points: Floats, kept: NDArray[np.bool_], k: int, kept_k: int | None = None) -> None:
        numbers = np.arange(len(points))
        self._all = _Part(points, numbers)
        self._is_kept = kept
        self._kept = _Part(points[kept], numbers[kept]) if not kept.all() else None
        self._k, self._kept_k = k, k if kept_k is None else kept_k

    def query(
        self, points: Floats, copies: NDArray[np.bool_], kept_copies: NDArray[np.bool_]
    ) -> tuple[Floats, NDArray[np.int64], Floats]:
        """Return distances (m, k) to all rows, rising, their numbers, and distances (m, kept_k) to kept rows.

        `copies` and `kept_copies` (m,) tell which query rows have a copy in the reference and among its kept.
        """
        everything = self._all.keys(points, self._k + 1)
        nearest = _without_copy(everything, copies, self._k)
        kept = _without_copy(self._kept_keys(points, everything), kept_copies, self._kept_k)
        return _distance(nearest), nearest & (MAX_ROWS - 1), _distance(kept)

    def _kept_keys(self, points: Floats, everything: Keys) -> Keys:
        """Return (m, kept_k + 1) keys of kept rows: mostly they are among those of all rows."""
        wanted = min(self._kept_k + 1, int(self._is_kept.sum()))
        if self._kept is None:
            return everything[:, :wanted]
        there = self._is_kept[everything & (MAX_ROWS - 1)]
        keys = np.sort(np.where(there, everything, np.iinfo(np.int64).max), axis=1)[:, :wanted]
        short = there.sum(axis=1) < wanted
        if short.any():
            keys = np.pad(keys, ((0, 0), (0, wanted - keys.shape[1])))
            keys[short] = self._kept.keys(points[short], wanted)
        return keys


def _without_copy(keys: Keys, copies: NDArray[np.bool_], k: int) -> Keys:
    k = min(k, max(keys.shape[1] - 1, 1))
    if keys.shape[1] == 1:  # a single row: nothing can be left out
        return keys
    return np.take_along_axis(keys, copies.astype(np.int64)[:, None] + np.arange(k), 1)


def _distance(keys: Keys) -> Floats:
    distance: Floats = (keys >> _ID_BITS) / _STEPS
    return distance
