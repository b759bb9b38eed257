"""Detectors that add up how far out in its tail each column lies: ECOD and COPOD.

Both read the tail probabilities of a value from the support alone, so a row scores the same whatever else is
scored with it. On the support itself the scores are those of PyOD, whose classes instead mix every batch into
the support. They differ only in how the two tails of a column become one number.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew

from outlearn.detectors.classical.entry import Labels, Rows, Settings

__all__ = ["copod", "ecod"]

Column = NDArray[np.float64]
Join = Callable[[Column, Column, Column], Column]


def _skew_sign(X: Rows) -> NDArray[np.float64]:
    """Return the sign (d,) of the skewness; 0 for constant and symmetric columns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
        value = np.nan_to_num(skew(X, axis=0))
    # The third moment of a symmetric column is rounding noise, whose sign depends on the order of the rows.
    return np.where(np.abs(value) < 1e-9, 0.0, np.sign(value))


class _Tails:
    """Adds up, over columns, the joined negative log-probabilities of the left and of the right tail."""

    def __init__(self, support: Rows, join: Join) -> None:
        self._sorted = np.sort(support, axis=0)
        self._sign = _skew_sign(support)
        self._join = join

    def score(self, X: Rows) -> NDArray[np.float64]:
        n, total = len(self._sorted), np.zeros(len(X))
        for column, values, sign in zip(X.T, self._sorted.T, self._sign, strict=True):
            left = _surprise(np.searchsorted(values, column, side="right"), n)
            right = _surprise(n - np.searchsorted(values, column, side="left"), n)
            skewed = left + right if sign == 0 else left if sign < 0 else right
            total += self._join(left, right, skewed)
        return total


def _surprise(count: NDArray[np.intp], n: int) -> Column:
    """Return -log(count / n); a value beyond the whole support counts as the first of n + 1."""
    return -np.log(np.maximum(count / n, 1.0 / (n + 1)))


def _ecod_join(left: Column, right: Column, skewed: Column) -> Column:
    return np.maximum(np.maximum(left, right), skewed)


def _copod_join(left: Column, right: Column, skewed: Column) -> Column:
    return np.maximum((left + right) / 2, skewed)


def ecod(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _Tails:
    return _Tails(X, _ecod_join)


def copod(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _Tails:
    return _Tails(X, _copod_join)
