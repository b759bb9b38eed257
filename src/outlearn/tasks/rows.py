"""Choosing rows: without copies, and in the proportions of their labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import row_hash
from outlearn.errors import InputError

__all__ = ["stratified", "unique_rows"]


def unique_rows(X: NDArray[np.float32], y: NDArray[np.int8]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return the first copy of each row of `X` (n, d) with its label, in the old order.

    >>> X, y = unique_rows(np.array([[1], [2], [1]], dtype=np.float32), np.array([0, 1, 1], dtype=np.int8))
    >>> X.ravel().tolist(), y.tolist()
    ([1.0, 2.0], [0, 1])
    """
    first = np.sort(np.unique(row_hash(X), return_index=True)[1])
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
