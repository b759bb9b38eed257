"""Choosing rows: without copies, and in the proportions of their labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError

__all__ = ["row_hashes", "stratified", "unique_rows"]


def row_hashes(X: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return (n,) hashes of the rows of `X` (n, d): equal rows have equal hashes in every table.

    A multiply-shift sum with fixed odd weights; two different rows collide about once in 2**64 pairs.

    >>> a, b, c = row_hashes(np.array([[1, 2], [1, 2], [2, 1]], dtype=np.float32))
    >>> bool(a == b), bool(a == c)
    (True, False)
    """
    bits = np.ascontiguousarray(X + np.float32(0), dtype=np.float32).view(np.uint32).astype(np.uint64)
    weights = np.random.default_rng(0).integers(2**63, size=(2, bits.shape[1]), dtype=np.uint64) * 2 + 1
    mixed = (bits + np.uint64(1)) * weights[0]
    mixed ^= mixed >> np.uint64(29)
    total = np.asarray((mixed * weights[1]).sum(axis=1, dtype=np.uint64))
    return np.asarray(total ^ (total >> np.uint64(31)))


def unique_rows(X: NDArray[np.float32], y: NDArray[np.int8]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return the first copy of each row of `X` (n, d) with its label, in the old order.

    >>> X, y = unique_rows(np.array([[1], [2], [1]], dtype=np.float32), np.array([0, 1, 1], dtype=np.int8))
    >>> X.ravel().tolist(), y.tolist()
    ([1.0, 2.0], [0, 1])
    """
    first = np.sort(np.unique(row_hashes(X), return_index=True)[1])
    return X[first], y[first]


def stratified(rng: np.random.Generator, truth: NDArray[np.int8], count: int) -> NDArray[np.int64]:
    """Return `count` distinct positions, shuffled, with the share of anomalies that `truth` (n,) has.

    A label that occurs at all is kept at least once if `count` is 2 or more.

    Raises
    ------
    InputError
        When there are fewer than `count` rows.
    """
    if count > len(truth):
        raise InputError(f"{count} rows were asked for and {len(truth)} are there; ask for fewer")
    odd, usual = (rng.permutation(np.flatnonzero(truth == label)) for label in (1, 0))
    wanted = round(count * len(odd) / max(1, len(truth)))
    low = max(int(len(odd) > 0 and count > 1), count - len(usual))
    high = min(len(odd), count - int(len(usual) > 0 and count > 1))
    wanted = min(max(wanted, low), high)
    return np.asarray(rng.permutation(np.concatenate([odd[:wanted], usual[: count - wanted]])))
