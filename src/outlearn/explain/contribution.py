"""Which columns make a row odd: how far the score falls when each is made usual."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError, ParameterError
from outlearn.explain.neighbours import Usual, nearest_usual, usual_rows
from outlearn.explain.replace import Groups, Score, replaced, scores_of

__all__ = ["RowContribution", "check_groups", "explain_rows"]

PAIRED = 8  # strongest columns whose pairs are tried
TRIPLED = 5  # strongest columns whose triples are tried, beside the best pair with each of the paired ones
ENOUGH_DROP = 0.5  # of the way to the median of the support; below it more columns are tried together
HIDDEN = 2.0  # times as far as with fewer columns the score falls where columns hide one another


@dataclass(frozen=True, slots=True)
class RowContribution:
    """Contributions of the table columns to the raw score of one row.

    score : raw score of the row as it is.
    columns : (c,) numbers of table columns, in falling order of `drops`; only columns that were tried.
    drops : (c,) how far the raw score falls when the column is made usual. Negative: making it usual is
        odder.
    together : two or three columns of `columns` that hide one another: their drop is what making all of them
        usual lowers, more than twice what fewer of them lower.
    neighbours : (k,) positions in the support of the nearest usual rows.
    excess : how far the score lies above the median of the support.
    tried_together : 1, 2 or 3, the most columns that were made usual together in search of `drops`.
    """

    score: float
    columns: NDArray[np.int64]
    drops: NDArray[np.float64]
    together: tuple[int, ...]
    neighbours: NDArray[np.int64]
    excess: float
    tried_together: int


@dataclass(slots=True)
class _Search:
    """Search for the columns of one row that explain its score `own`: what was tried, and what it lowered.

    columns, drops : (c,) as in `RowContribution`, in the order in which they were thought of.
    pair : the best of the pairs that were tried, and its drop; () and -inf before any was.
    """

    row: NDArray[np.float32]
    own: float
    target: float
    columns: NDArray[np.int64]
    drops: NDArray[np.float64]
    together: tuple[int, ...] = ()
    tried_together: int = 1
    pair: tuple[int, ...] = ()
    pair_drop: float = -np.inf

    @property
    def unexplained(self) -> bool:
        """Whether more columns than were tried together may explain the score better."""
        enough = ENOUGH_DROP * (self.own - self.target)
        return len(self.columns) > self.tried_together and max(self.drops.max(), self.pair_drop) < enough

    def strongest(self, count: int) -> list[int]:
        """Return the columns that lower the score most, strongest first."""
        return [int(column) for column in self.columns[np.argsort(-self.drops, kind="stable")[:count]]]

    def sets(self) -> list[tuple[int, ...]]:
        """Return the sets of columns to try next, of one more than were tried together."""
        if self.tried_together == 1:
            return list(combinations(self.strongest(PAIRED), 2))
        wider = [tuple(sorted((*self.pair, c))) for c in self.strongest(PAIRED) if c not in self.pair]
        few = [tuple(sorted(three)) for three in combinations(self.strongest(TRIPLED), 3)]
        return list(dict.fromkeys((*wider, *few)))

    def take(self, sets: list[tuple[int, ...]], lowered: NDArray[np.float64]) -> None:
        """Note how far each of the sets lowers the score; where that is much further than fewer columns do,
        all members of the best get its drop: with a share of it each, columns that matter less would come
        before them."""
        best = int(np.argmax(lowered))
        members = np.isin(self.columns, sets[best])
        self.tried_together = len(sets[best])
        if lowered[best] > HIDDEN * max(self.drops[members].max(), self.pair_drop, 0.0):
            self.drops = np.where(members, lowered[best], self.drops)
            self.together = sets[best]
        if self.tried_together == 2:
            self.pair, self.pair_drop = sets[best], float(lowered[best])


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
    of the way to the median of the support, pairs of the strongest 8 are tried, and where no pair does,
    triples. A row costs at most ``1 + max_columns + 28 + 16`` scores.

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
    changed: list[NDArray[np.bool_]] = []
    singles = (
        _noting(changed, row, replaced(row, usual, [groups[g] for g in columns]))
        for row, columns in zip(rows, tried, strict=True)
    )
    target = float(np.median(support_scores))
    scored = scores_of(singles, score, chunk=chunk)
    searches = [
        _Search(row, float(mine), target, columns, np.where(changed[place], mine - new, 0.0))
        for place, (row, mine, columns, new) in enumerate(zip(rows, own, tried, scored, strict=True))
    ]
    for _ in ("pairs", "triples"):
        _try_together(searches, usual, groups, score, chunk)
    return [_ranked(search, close) for search, close in zip(searches, near, strict=True)]


def _noting(
    changed: list[NDArray[np.bool_]], row: NDArray[np.float32], copies: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return copies (s, d) of a row, with a note in which of them anything changed: a column that is as usual
    already explains nothing, and the last bits of a score vary with its place in a batch."""
    changed.append((copies != row).any(axis=1))
    return copies


def _try_together(searches: list[_Search], usual: Usual, groups: Groups, score: Score, chunk: int) -> None:
    """Try one more column together than before for the rows that are not explained yet."""
    open_ = [(search, search.sets()) for search in searches if search.unexplained]
    blocks = (
        replaced(search.row, usual, [[m for column in chosen for m in groups[column]] for chosen in sets])
        for search, sets in open_
    )
    for (search, sets), new in zip(open_, scores_of(blocks, score, chunk=chunk), strict=True):
        search.take(sets, search.own - new)


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
    """Return the table columns to try: rarest by themselves, furthest from the neighbours, in turn.

    Where single columns lower the score alike, as all do that hide one another, the first are tried together.
    """
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


def _ranked(search: _Search, near: NDArray[np.int64]) -> RowContribution:
    order = np.argsort(-search.drops, kind="stable")
    return RowContribution(
        score=search.own,
        columns=search.columns[order],
        drops=search.drops[order],
        together=search.together,
        neighbours=near,
        excess=search.own - search.target,
        tried_together=search.tried_together,
    )
