"""Which sets are one source: united where a family is shared, or enough of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["related"]

_ROWS, _SHARE = 5, 0.1


def related(families: Sequence[str], sketches: Sequence[NDArray[np.uint64]]) -> list[str]:
    """Return a family a set: the first name of all that are joined to it, directly or through others.

    Parameters
    ----------
    families : the family of each set as far as known.
    sketches : sorted, distinct hashes of rows of each set. Two sets are joined by at least 5 shared
        hashes that are a tenth of the smaller sketch.

    >>> a, b = np.arange(10, dtype=np.uint64), np.arange(5, 90, dtype=np.uint64)
    >>> related(["wide", "narrow", "alone"], [a, b, b[:0]])
    ['wide', 'wide', 'alone']
    """
    parent = list(range(len(families)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for i, j in combinations(range(len(families)), 2):
        if root(i) != root(j) and (families[i] == families[j] or _share_rows(sketches[i], sketches[j])):
            low, high = sorted((root(i), root(j)))
            parent[high] = low
    return [families[root(i)] for i in range(len(families))]


def _share_rows(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> bool:
    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared >= _ROWS and shared >= _SHARE * min(len(a), len(b))
