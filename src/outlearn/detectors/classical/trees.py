"""Detectors made of random trees: Isolation Forest, and extra trees on many draws where there are labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.tree import ExtraTreeClassifier

from outlearn.detectors.classical.entry import Labels, Rows, Settings, seed_of
from outlearn.errors import LabelError

__all__ = ["bagged_trees", "isolation_forest"]


class _Isolation:
    def __init__(self, forest: IsolationForest) -> None:
        self._forest = forest

    def score(self, X: Rows) -> NDArray[np.float64]:
        return -np.asarray(self._forest.score_samples(X), dtype=np.float64)


def isolation_forest(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _Isolation:
    forest = IsolationForest(
        n_estimators=p["trees"], max_samples=min(p["max_samples"], len(X)), random_state=seed_of(rng)
    )
    return _Isolation(forest.fit(X))


class _Bagged:
    def __init__(self, trees: list[ExtraTreeClassifier]) -> None:
        self._trees = trees

    def score(self, X: Rows) -> NDArray[np.float64]:
        rows, total = X.astype(np.float32), np.zeros(len(X))
        for tree in self._trees:
            total += tree.predict_proba(rows, check_input=False)[:, 1]
        return total / len(self._trees)


def bagged_trees(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _Bagged:
    """Fit each tree on all labelled rows and a few unlabelled ones, drawn anew and taken as normal.

    A draw takes `unlabelled` rows a labelled anomaly, so that hidden anomalies are rare in it.
    """
    anomalies, labelled = np.flatnonzero(y == 1), np.flatnonzero(y != -1)
    unlabelled = np.flatnonzero(y == -1)
    if not len(anomalies) or len(anomalies) == len(X):
        raise LabelError(
            f"{len(anomalies)} of {len(X)} rows are labelled as anomalies; wanted at least one, and at least "
            "one other row: label some anomalies 1, leave the rest -1, or choose a detector without labels"
        )
    size = min(len(unlabelled), p["unlabelled"] * len(anomalies))
    trees = []
    for _ in range(p["trees"]):
        rows = np.concatenate([labelled, rng.choice(unlabelled, size, replace=False)])
        tree = ExtraTreeClassifier(max_features="sqrt", class_weight="balanced", random_state=seed_of(rng))
        trees.append(tree.fit(X[rows], y[rows] == 1))
    return _Bagged(trees)
