"""Episodes from a labelled set: the honest splits of each situation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError, ParameterError
from outlearn.tasks.episode import Episode
from outlearn.tasks.rows import stratified, unique_rows
from outlearn.tasks.situation import SITUATIONS, labels_for

__all__ = ["episode_from_set"]


def episode_from_set(
    X: NDArray[np.float32],
    y: NDArray[np.int8],
    *,
    rng: np.random.Generator,
    situation: str,
    support_share: float = 0.7,
    contamination: float | None = None,
    labels: int = 5,
    normals: int | None = 0,
    support_rows: int | None = None,
    query_rows: int | None = None,
    drop_duplicates: bool = False,
    origin: Mapping[str, Any] | None = None,
) -> Episode:
    """Split a labelled set into a support and a query that share no row.

    Parameters
    ----------
    X : (n, d) finite float32.
    y : (n,) int8 in {0, 1}.
    situation : ``contaminated`` and ``labelled`` split normals and anomalies alike, `support_share` of each
        into the support; ``normal`` and ``clean`` put `support_share` of the normals there and every anomaly
        into the query.
    contamination : share of anomalies in the support of ``contaminated`` and ``labelled``, reached by leaving
        out rows of one label; None keeps the share of the set.
    labels, normals : labelled anomalies and labelled normals in ``labelled``; see `labels_for`.
    support_rows, query_rows : upper bounds, reached by drawing rows in the proportions of the labels.
    drop_duplicates : keep one copy of each row; otherwise a copy may stand on either side.
    origin : what is to be known of the episode's source; the situation and the contamination are added.

    Raises
    ------
    InputError
        When a side would lack normals or the query anomalies.
    ParameterError
        When an argument is out of range.

    >>> X = np.arange(40, dtype=np.float32)[:, None]
    >>> y = (X[:, 0] > 35).astype(np.int8)
    >>> episode = episode_from_set(X, y, rng=np.random.default_rng(0), situation="clean", support_share=0.5)
    >>> episode.support_x.shape, int(episode.support_truth.sum()), int(episode.query_y.sum())
    ((18, 1), 0, 4)
    """
    _check(situation, support_share, contamination)
    X, y = np.asarray(X, dtype=np.float32), np.asarray(y, dtype=np.int8)
    if drop_duplicates:
        X, y = unique_rows(X, y)
    support, query = _split(rng, y, support_share, mixed=situation in ("contaminated", "labelled"))
    if contamination is not None and situation in ("contaminated", "labelled"):
        support = support[_with_share(rng, y[support], contamination)]
    support, query = _at_most(rng, y, support, support_rows), _at_most(rng, y, query, query_rows)
    _check_sides(y[support], y[query])
    truth = y[support]
    known = {**(origin or {}), "situation": situation, "contamination": float(truth.mean())}
    given = labels_for(rng, truth, situation, labels, normals=normals)
    return Episode(X[support], given, X[query], y[query], truth, known)


def _check(situation: str, support_share: float, contamination: float | None) -> None:
    if situation not in SITUATIONS:
        raise ParameterError(f"situation={situation!r} is unknown; choose from {list(SITUATIONS)}")
    if not 0 < support_share < 1:
        raise ParameterError(f"support_share={support_share} is not between 0 and 1")
    if contamination is not None and not 0 <= contamination < 1:
        raise ParameterError(f"contamination={contamination} is not in [0, 1)")


def _split(
    rng: np.random.Generator, y: NDArray[np.int8], share: float, *, mixed: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return shuffled positions of the support and of the query."""
    usual, odd = (rng.permutation(np.flatnonzero(y == label)) for label in (0, 1))
    a, b = round(len(usual) * share), round(len(odd) * share) if mixed else 0
    support = rng.permutation(np.concatenate([usual[:a], odd[:b]]))
    return support, rng.permutation(np.concatenate([usual[a:], odd[b:]]))


def _with_share(rng: np.random.Generator, truth: NDArray[np.int8], share: float) -> NDArray[np.int64]:
    """Return the most positions of which `share` are anomalies."""
    odd, usual = int(truth.sum()), int((truth == 0).sum())
    if odd > share * (odd + usual):
        odd = round(usual * share / (1 - share))
    elif share > 0:
        usual = round(odd * (1 - share) / share)
    kept = np.concatenate(
        [rng.permutation(np.flatnonzero(truth == label))[:n] for label, n in ((0, usual), (1, odd))]
    )
    return np.asarray(rng.permutation(kept))


def _at_most(
    rng: np.random.Generator, y: NDArray[np.int8], rows: NDArray[np.int64], count: int | None
) -> NDArray[np.int64]:
    if count is None or len(rows) <= count:
        return rows
    return rows[stratified(rng, y[rows], count)]


def _check_sides(support: NDArray[np.int8], query: NDArray[np.int8]) -> None:
    usual, usual_query, odd_query = int((support == 0).sum()), int((query == 0).sum()), int(query.sum())
    if min(usual, usual_query, odd_query) == 0:
        raise InputError(
            f"the split left {usual} normal rows in the support and {usual_query} normal and {odd_query} "
            "anomalous rows in the query; one of each is needed: give more rows or another support_share"
        )
