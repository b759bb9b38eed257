"""Which columns make a row odd: how far the score falls when each is made usual."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError, ParameterError
from outlearn.explain.neighbours import Usual, nearest_usual, usual_rows
from outlearn.explain.replace import Groups, Score, replaced, scores_of

__all__ = ["RowContribution", "check_groups", "explain_rows"]

PAIRED = 8  # strongest columns whose pairs are tried
ENOUGH_DROP = 0.5  # of the way to the median of the support; below it pairs are tried


@dataclass(frozen=True, slots=True)
class RowContribution:
    """Contributions of the table columns to the raw score of one row.

    score : raw score of the row as it is.
    columns : (c,) numbers of table columns, in falling order of `drops`; only columns that were tried.
    drops : (c,) how far the raw score falls when the column is made usual. Negative: making it usual is
        odder.
    together : two columns of `columns` that hide one another: their drop is what making both usual lowers,
        more than twice what either lowers alone.
    neighbours : (k,) positions in the support of the nearest usual rows.
    """

    score: float
    columns: NDArray[np.int64]
    drops: NDArray[np.float64]
    together: tuple[int, ...]
    neighbours: NDArray[np.int64]


def explain_rows(
    rows: NDArray[np.float32],
    *,
    score: Score,
    support: NDArray[np.float32],
    support_scores: NDArray[np.float64],
    groups: Groups,
    max_columns: int = 12,
    neighbours: int = 10,
    chunk: int = 8192,
) -> list[RowContribution]:
    """Explain rows by replacing their columns, one after another, with usual values.

    Works on any score. The value put in is what the usual rows most like this one in its other columns have,
    so a column that is odd only beside the others is found too. Where no single column lowers the score half
    of the way to the median of the support, pairs of the strongest 8 are tried. A row costs at most
    ``1 + max_columns + 28`` scores.

    Parameters
    ----------
    rows : (r, d) float32, the rows to explain.
    score : raw scores of rows, high = abnormal.
    support : (n, d) float32, the rows that the detector compares with.
    support_scores : (n,) their raw scores; the lowest 80 % count as usual.
    groups : for each table column the matrix columns made from it.
    max_columns : of more table columns, only those furthest from the usual ones and from the neighbours are
        tried.
    neighbours : how many nearest usual rows to name.
    chunk : rows a call of `score` gets, about.

    Raises
    ------
    InputError
        When shapes disagree or a group names a column that is not there.
    ParameterError
        When `max_columns` or `neighbours` is below 1.

    >>> rng = np.random.default_rng(0)
    >>> support = rng.normal(size=(200, 3)).astype(np.float32)
    >>> def score(x): return np.abs(x).max(axis=1).astype(float)
    >>> odd = np.array([[0.1, 9.0, 0.2]], dtype=np.float32)
    >>> why, = explain_rows(odd, score=score, support=support, support_scores=score(support),
    ...                     groups=[[0], [1], [2]])
    >>> int(why.columns[0]), bool(why.drops[0] > 5)
    (1, True)
    """
    if max_columns < 1 or neighbours < 1:
        raise ParameterError(f"max_columns is {max_columns} and neighbours {neighbours}, wanted at least 1")
    if rows.ndim != 2 or rows.shape[1:] != support.shape[1:]:
        raise InputError(f"rows to explain have shape {rows.shape}, support {support.shape}: columns differ")
    check_groups(groups, rows.shape[1])
    usual = usual_rows(support, support_scores)
    near = nearest_usual(rows, usual, neighbours) if len(rows) else np.empty((0, neighbours), np.int64)
    tried = [
        _candidates(row, usual, support[close], groups, max_columns)
        for row, close in zip(rows, near, strict=True)
    ]
    own = np.concatenate([np.empty(0), *scores_of((row[None] for row in rows), score, chunk=chunk)])
    singles = (
        replaced(row, usual, [groups[g] for g in columns]) for row, columns in zip(rows, tried, strict=True)
    )
    drops = [mine - new for mine, new in zip(own, scores_of(singles, score, chunk=chunk), strict=True)]
    target = float(np.median(support_scores))
    weak = [
        i for i, drop in enumerate(drops) if len(drop) > 1 and drop.max() < ENOUGH_DROP * (own[i] - target)
    ]
    pairs = {i: _strongest_pairs(tried[i], drops[i]) for i in weak}
    doubles = (replaced(rows[i], usual, [[*groups[a], *groups[b]] for a, b in pairs[i]]) for i in weak)
    together: dict[int, tuple[int, ...]] = {}
    for i, new in zip(weak, scores_of(doubles, score, chunk=chunk), strict=True):
        drops[i], together[i] = _with_best_pair(tried[i], drops[i], pairs[i], own[i] - new)
    return list(_ranked(own, tried, drops, together, near))


def check_groups(groups: Groups, width: int) -> None:
    """Check that groups name columns of a matrix of `width` columns.

    Raises
    ------
    InputError
        When there is no group, one is empty, or one names a column that is not there.
    """
    if len(groups) == 0 or any(len(group) == 0 for group in groups):
        raise InputError("each table column must name at least one matrix column")
    named = np.concatenate([np.asarray(group, dtype=np.intp) for group in groups])
    if named.min() < 0 or named.max() >= width:
        raise InputError(f"groups name matrix columns {named.min()} to {named.max()} of {width}")


def _candidates(
    row: NDArray[np.float32], usual: Usual, close: NDArray[np.float32], groups: Groups, most: int
) -> NDArray[np.int64]:
    """Return the table columns to try: rarest by themselves, furthest from the neighbours, in turn."""
    if len(groups) <= most:
        return np.arange(len(groups))
    higher = (usual.values >= row).sum(axis=0)  # (d,)
    lower = (usual.values <= row).sum(axis=0)
    tail = -np.log((1 + np.minimum(higher, lower)) / (1 + len(usual.values)))
    outside = np.log1p(np.maximum(usual.low - row, row - usual.high).clip(min=0) / usual.scale)
    here = np.abs(row - np.median(close, axis=0)) / usual.scale
    by_tail = _group_order(tail + outside, groups)
    by_place = _group_order(here, groups)
    in_turn = np.column_stack([by_tail, by_place]).ravel()
    _, first = np.unique(in_turn, return_index=True)
    return in_turn[np.sort(first)[:most]]


def _group_order(oddness: NDArray[np.floating], groups: Groups) -> NDArray[np.int64]:
    """Return group numbers in falling order of their oddest matrix column."""
    worst = np.array([oddness[list(group)].max() for group in groups])
    return np.argsort(-worst, kind="stable")


def _strongest_pairs(columns: NDArray[np.int64], drops: NDArray[np.float64]) -> list[tuple[int, int]]:
    strongest = columns[np.argsort(-drops, kind="stable")[:PAIRED]]
    return list(combinations(strongest.tolist(), 2))


def _with_best_pair(
    columns: NDArray[np.int64],
    drops: NDArray[np.float64],
    pairs: list[tuple[int, int]],
    pair_drops: NDArray[np.float64],
) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Return the drops with that of the best pair given to both its columns, and the pair, if they hide one
    another: with half of it each, columns that matter less would come before them."""
    best = int(np.argmax(pair_drops))
    members = np.isin(columns, pairs[best])
    if pair_drops[best] / 2 <= drops[members].max():
        return drops, ()
    return np.where(members, pair_drops[best], drops), pairs[best]


def _ranked(
    own: NDArray[np.float64],
    tried: list[NDArray[np.int64]],
    drops: list[NDArray[np.float64]],
    together: dict[int, tuple[int, ...]],
    near: NDArray[np.int64],
) -> Iterator[RowContribution]:
    for i, (columns, drop) in enumerate(zip(tried, drops, strict=True)):
        order = np.argsort(-drop, kind="stable")
        yield RowContribution(float(own[i]), columns[order], drop[order], together.get(i, ()), near[i])
