"""Exact nearest rows of a reference in two parts, with ties settled the same way in every batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_ROWS", "Reference"]

Floats = NDArray[np.float64]
Keys = NDArray[np.int64]

MAX_ROWS = 8192
_ID_BITS = 13
_STEPS = 2.0**24  # a distance is kept to 6e-8
_FARTHEST = 2.0**25  # so that a key fits into 63 bits
_BATCH = 256  # rows whose distances are held at once
_GROUPS = 128  # of columns, in the search for the nearest: about twice the neighbours that are wanted


class _Part:
    """Some of the reference rows, under their numbers in the whole."""

    def __init__(self, points: Floats, numbers: NDArray[np.int64]) -> None:
        # Columns that stand for no row fill the last group up: they are infinitely far from anything.
        spare = -len(points) % _GROUPS
        self._turned = np.pad(-2 * points.T, ((0, 0), (0, spare)))
        self._squares = np.pad(np.square(points).sum(axis=1), (0, spare), constant_values=np.inf)
        self._numbers = numbers

    def keys(self, points: Floats, k: int) -> Keys:
        """Return (m, min(k, rows)) sorted keys: distance in the high bits, row number in the low ones.

        The search multiplies matrices, and the last bits of its distances vary with the size of the batch;
        they must not decide which of two equally near rows comes first.
        """
        k = min(k, len(self._numbers))
        found = np.empty((len(points), k), dtype=np.int64)
        for start in range(0, len(points), _BATCH):
            found[start : start + _BATCH] = self._keys(points[start : start + _BATCH], k)
        return found

    def _keys(self, points: Floats, k: int) -> Keys:
        # Less the square of the point, which makes no difference to the order.
        away = points @ self._turned
        away += self._squares
        flat = np.flatnonzero(away <= _bound(away, k)[:, None])
        row, column = np.divmod(flat, away.shape[1])
        squared = away.ravel()[flat] + np.square(points).sum(axis=1)[row]
        distance = np.minimum(np.sqrt(np.maximum(squared, 0)), _FARTHEST)
        steps = np.rint(distance * _STEPS).astype(np.int64)
        # Those of a row side by side, the rows with fewer filled up with what comes last.
        counts = np.bincount(row, minlength=len(points))
        place = np.arange(len(flat)) - np.repeat(np.cumsum(counts) - counts, counts)
        keys = np.full((len(points), counts.max()), np.iinfo(np.int64).max)
        keys[row, place] = (steps << _ID_BITS) | self._numbers[column]
        keys.sort(axis=1)
        return keys[:, :k]


def _bound(away: Floats, k: int) -> Floats:
    """Return (m,) what the k smallest of each row (m, n) are at most, of which not many more are.

    Of groups of columns, k have a smallest value up to the k-th of these: so that many columns are no larger.
    """
    smallest = away
    if k < _GROUPS:
        smallest = away.reshape(len(away), -1, _GROUPS).min(axis=1)
    return np.partition(smallest, k - 1, axis=1)[:, k - 1]


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
