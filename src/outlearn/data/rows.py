"""Rows by content: hashes, an order that does not depend on how a table was sorted, exact copies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError

__all__ = ["canonical_order", "has_copy", "row_hash"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio, odd
_BLOCK = 1 << 18  # cells at a time, which keeps the work in the cache


def row_hash(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Hash rows by content: (n, d) float32 → (n,). Equal rows hash equal, 0.0 and -0.0 are equal.

    Each cell's bits, marked by its column, go through the SplitMix64 finaliser (Steele, Lea and Flood 2014)
    before they are summed: plain multiples of float bits, which end in zeros, would collide. The hash is the
    same on every machine, process and version. Two given rows that differ collide with probability about
    2**-64.

    >>> hashes = row_hash(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]], dtype=np.float32))
    >>> bool(hashes[0] == hashes[1]), bool(hashes[0] == hashes[2])
    (True, False)
    """
    places = np.arange(1, values.shape[1] + 1, dtype=np.uint64)
    return _hash(values, _mix(places * _GOLDEN))


def canonical_order(values: NDArray[np.float32], y: NDArray[np.int8] | None = None) -> NDArray[np.int64]:
    """Return a permutation (n,) that depends only on which rows, with which labels, are there.

    ``values[order]`` is the same for every shuffle of the rows. A shuffle of the columns gives the same rows
    too, except for rows that differ only by a swap of columns which hold the same values in another order.
    The order is pseudo-random, and each copy of a row has a place of its own, so that the first k rows are a
    uniform sample even under heavy duplication.

    >>> rows = np.array([[3.0], [1.0], [2.0]], dtype=np.float32)
    >>> turned = rows[::-1]
    >>> bool((rows[canonical_order(rows)] == turned[canonical_order(turned)]).all())
    True
    """
    count = len(values)
    if y is not None and y.shape != (count,):
        raise InputError(f"got labels of shape {y.shape} for {count} rows; wanted {(count,)}")
    content = _hash(values, _column_keys(values))
    if y is not None:
        content = _mix(content + y.astype(np.int64).view(np.uint64) * _GOLDEN)
    # Where the columns' keys are equal, swapped rows look alike: the place of a column then keeps them apart.
    by_content = np.lexsort((row_hash(values), content))
    ranked = content[by_content]
    first = np.r_[True, ranked[1:] != ranked[:-1]][:count]
    start = np.maximum.accumulate(np.where(first, np.arange(count), 0))
    ordinal = (np.arange(count) - start).astype(np.uint64)
    return by_content[np.argsort(_mix(ranked + (ordinal + np.uint64(1)) * _GOLDEN), kind="stable")].astype(
        np.int64
    )


def has_copy(query: NDArray[np.float32], support: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell for each query row (m, d) whether an equal row is in the support (n, d): (m,).

    >>> support = np.array([[1.0, 2.0]], dtype=np.float32)
    >>> has_copy(np.array([[1.0, 2.0], [2.0, 1.0]], dtype=np.float32), support)
    array([ True, False])
    """
    if query.shape[1] != support.shape[1]:
        raise InputError(
            f"got query rows of {query.shape[1]} columns; wanted {support.shape[1]}, as in the support"
        )
    known, wanted = np.sort(row_hash(support)), row_hash(query)
    if not known.size:
        return np.zeros(wanted.size, dtype=np.bool_)
    copied: NDArray[np.bool_] = known[np.searchsorted(known, wanted).clip(max=known.size - 1)] == wanted
    return copied


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the SplitMix64 finaliser of each number; it is a bijection."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _bits(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return the bits of float32 cells; adding 0.0 turns -0.0 into 0.0."""
    plain = np.ascontiguousarray(values, dtype=np.float32) + np.float32(0.0)
    return plain.view(np.uint32).astype(np.uint64)


def _hash(values: NDArray[np.float32], keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the hash of each row, (n,), where the cells of a column are marked by its key, (d,)."""
    hashes = np.empty(len(values), dtype=np.uint64)
    step = max(1, _BLOCK // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        cells = _bits(values[start : start + step])
        hashes[start : start + step] = _mix(_mix(cells + keys).sum(axis=1, dtype=np.uint64))
    return hashes


def _column_keys(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return a key for each column, (d,), that depends on its values, not on their order or its place."""
    keys = np.zeros(values.shape[1], dtype=np.uint64)
    step = max(1, _BLOCK // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        keys += _mix(_bits(values[start : start + step]) + _GOLDEN).sum(axis=0, dtype=np.uint64)
    return _mix(keys)
