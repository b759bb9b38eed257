"""Rows with some of their columns made usual."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from outlearn.explain.neighbours import Usual

__all__ = ["Groups", "Score", "donors", "replaced", "scores_of"]

Score = Callable[[NDArray[np.float32]], NDArray[np.float64]]
"""Raw scores of rows: (m, d) float32 → (m,) float64, high = abnormal."""

Groups = Sequence[Sequence[int]]
"""For each table column the matrix columns made from it."""

DONORS = 15


def replaced(row: NDArray[np.float32], usual: Usual, sets: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """Return (s, d) copies of a row (d,), in each of which one set of matrix columns is as usual.

    The new values are what the row's other columns make us expect: of the 15 usual rows nearest in the other
    columns, those of the one in the middle (least summed distance to the rest, in the replaced columns). All
    values of a set come from one real row, so that columns made from one category stay valid.

    >>> from outlearn.explain.neighbours import usual_rows
    >>> line = np.repeat(np.arange(30.0, dtype=np.float32)[:, None], 2, axis=1)
    >>> copies = replaced(np.array([3.0, 25.0], dtype=np.float32), usual_rows(line, np.zeros(30)), [[0], [1]])
    >>> bool(copies[0, 0] > 15), bool(copies[1, 1] < 12)
    (True, True)
    """
    scaled = usual.scaled(usual.values)  # (u, d)
    squares = (scaled - usual.scaled(row[None])) ** 2  # (u, d)
    total = squares.sum(axis=1)  # (u,)
    copies = np.repeat(row[None].astype(np.float32), len(sets), axis=0)
    for copy, columns in zip(copies, sets, strict=True):
        chosen, nearest = _nearest(squares, total, columns)
        options = scaled[np.ix_(nearest, chosen)]  # (k, c)
        apart = np.abs(options[:, None] - options[None]).sum(axis=(1, 2))  # (k,)
        copy[chosen] = usual.values[nearest[np.argmin(apart)], chosen]
    return copies


def donors(row: NDArray[np.float32], usual: Usual, columns: Sequence[int]) -> NDArray[np.int64]:
    """Return the 15 usual rows that a row (d,) is nearest to in other matrix columns than these.

    >>> from outlearn.explain.neighbours import usual_rows
    >>> line = usual_rows(np.repeat(np.arange(30.0, dtype=np.float32)[:, None], 2, axis=1), np.zeros(30))
    >>> rows = donors(np.array([3.0, 25.0], dtype=np.float32), line, [0])
    >>> len(rows), bool(line.values[rows].min() > 12)
    (15, True)
    """
    squares = (usual.scaled(usual.values) - usual.scaled(row[None])) ** 2  # (u, d)
    return _nearest(squares, squares.sum(axis=1), columns)[1]


def _nearest(
    squares: NDArray[np.float32], total: NDArray[np.float32], columns: Sequence[int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the distinct columns (c,), and the rows (k,) nearest in the others, by squares (u, d) and their
    sums (u,)."""
    chosen = np.unique(np.asarray(columns, dtype=np.intp))  # sums must not depend on their order
    k = min(DONORS, len(total))
    return chosen, np.argpartition(total - squares[:, chosen].sum(axis=1), k - 1)[:k]


def scores_of(
    blocks: Iterable[NDArray[np.float32]], score: Score, *, chunk: int = 8192
) -> Iterator[NDArray[np.float64]]:
    """Yield the scores (s,) of each block (s, d), scoring blocks together in calls of about `chunk` rows.

    >>> blocks = [np.ones((2, 1), np.float32), np.zeros((1, 1), np.float32)]
    >>> [block.tolist() for block in scores_of(blocks, lambda rows: rows.sum(axis=1).astype(float))]
    [[1.0, 1.0], [0.0]]
    """
    waiting: list[NDArray[np.float32]] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= chunk:
            yield from _scored(waiting, score)
            waiting = []
    if waiting:
        yield from _scored(waiting, score)


def _scored(blocks: list[NDArray[np.float32]], score: Score) -> list[NDArray[np.float64]]:
    scores = np.asarray(score(np.concatenate(blocks)), dtype=np.float64)
    return np.split(scores, np.cumsum([len(block) for block in blocks])[:-1])
