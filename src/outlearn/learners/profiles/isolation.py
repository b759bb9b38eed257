"""Isolation depth, without the per-tree overhead that scikit-learn's scoring has on small batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

__all__ = ["Isolation"]

TREES = 100
SAMPLE = 256


def _expected_depth(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean path length of a failed search among `rows` rows in a binary search tree (Liu et al. 2008)."""
    big = np.maximum(rows, 2.0)
    usual = 2 * (np.log(np.maximum(big - 1, 1.0)) + np.euler_gamma) - 2 * (big - 1) / big
    depth: NDArray[np.float64] = np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, usual))
    return depth


class Isolation:
    """A scikit-learn isolation forest whose leaves hold their path length. Scores equal `-score_samples`."""

    def __init__(self, X: NDArray[np.float32], seed: int) -> None:
        sample = min(SAMPLE, len(X))
        forest = IsolationForest(n_estimators=TREES, max_samples=sample, random_state=seed).fit(X)
        self._trees = [estimator.tree_ for estimator in forest.estimators_]
        self._lengths = [_leaf_lengths(tree) for tree in self._trees]
        self._scale = TREES * max(float(_expected_depth(np.array([float(sample)]))[0]), 1e-12)

    def score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (m,) in (0, 1), high = abnormal."""
        X = np.ascontiguousarray(X, dtype=np.float32)
        total = np.zeros(len(X))
        for tree, lengths in zip(self._trees, self._lengths, strict=True):
            total += lengths[tree.apply(X)]
        scores: NDArray[np.float64] = 2.0 ** (-total / self._scale)
        return scores


def _leaf_lengths(tree: object) -> NDArray[np.float64]:
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    depth = np.zeros(len(left))
    for node in range(len(left)):  # parents come before their children
        if left[node] >= 0:
            depth[left[node]] = depth[right[node]] = depth[node] + 1
    rows: NDArray[np.float64] = tree.n_node_samples.astype(np.float64)  # type: ignore[attr-defined]
    return depth + _expected_depth(rows)
