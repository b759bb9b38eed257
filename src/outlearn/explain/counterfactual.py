"""The fewest columns that would have to be usual for a row to pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError, ParameterError
from outlearn.explain.contribution import check_groups
from outlearn.explain.neighbours import usual_rows
from outlearn.explain.replace import Groups, Score, replaced

__all__ = ["Counterfactual", "smallest_change"]


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A row made usual in as few columns as were found.

    columns : numbers of the table columns that were changed, in the order they were found.
    row : (d,) float32, the changed row.
    score : its raw score.
    passes : whether it is under the threshold; False when `max_columns` changes did not do.
    """

    columns: tuple[int, ...]
    row: NDArray[np.float32]
    score: float
    passes: bool


def smallest_change(
    row: NDArray[np.float32],
    *,
    score: Score,
    support: NDArray[np.float32],
    support_scores: NDArray[np.float64],
    groups: Groups,
    threshold: float,
    max_columns: int = 5,
) -> Counterfactual:
    """Find few columns of a row whose usual values bring its raw score under `threshold`.

    Greedy: the column whose replacement lowers the score most, then the next beside it, and at the end each
    column is put back that turns out not to be needed. The set cannot be made smaller by leaving one out; a
    smaller one of other columns may exist.

    Parameters
    ----------
    row : (d,) float32.
    score : raw scores of rows (m, d), high = abnormal.
    support : (n, d) float32 with raw scores `support_scores` (n,); the lowest 80 % count as usual.
    groups : for each table column the matrix columns made from it.
    threshold : the raw score to get under.
    max_columns : how many columns may change.

    Raises
    ------
    InputError
        When shapes disagree or a group names a column that is not there.
    ParameterError
        When `max_columns` is below 1.

    >>> support = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    >>> def score(x): return np.abs(x).max(axis=1).astype(float)
    >>> smallest_change(np.array([8.0, 0.0, 9.0], np.float32), score=score, support=support,
    ...                 support_scores=score(support), groups=[[0], [1], [2]], threshold=4.0).columns
    (2, 0)
    """
    if max_columns < 1:
        raise ParameterError(f"max_columns is {max_columns}, wanted at least 1")
    if row.shape != support.shape[1:]:
        raise InputError(f"row has shape {row.shape}, wanted that of a support row: {support.shape[1:]}")
    check_groups(groups, len(row))
    usual = usual_rows(support, support_scores)
    changed, current = row.astype(np.float32), float(score(row[None])[0])
    columns: list[int] = []
    while current >= threshold and len(columns) < min(max_columns, len(groups)):
        left = [g for g in range(len(groups)) if g not in columns]
        options = replaced(changed, usual, [groups[g] for g in left])
        scores = score(options)
        best = int(np.argmin(scores))
        columns.append(left[best])
        changed, current = options[best], float(scores[best])
    if current < threshold:
        columns, changed, current = _put_back(row, changed, current, columns, groups, score, threshold)
    return Counterfactual(tuple(columns), changed, current, current < threshold)


def _put_back(
    row: NDArray[np.float32],
    changed: NDArray[np.float32],
    current: float,
    columns: list[int],
    groups: Groups,
    score: Score,
    threshold: float,
) -> tuple[list[int], NDArray[np.float32], float]:
    """Return the change without the columns that are not needed, tried in the order they were found."""
    for column in list(columns):
        if len(columns) == 1:
            break
        trial = changed.copy()
        trial[list(groups[column])] = row[list(groups[column])]
        without = float(score(trial[None])[0])
        if without < threshold:
            columns = [kept for kept in columns if kept != column]
            changed, current = trial, without
    return columns, changed, current
