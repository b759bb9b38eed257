"""Detectors that look at the nearest rows: kNN, kNN on a cleaned support, LOF."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.neighbors import NearestNeighbors

from outlearn.detectors.classical.entry import Labels, Rows, Settings
from outlearn.detectors.classical.trees import isolation_forest

__all__ = ["NeighbourDistance", "Neighbours", "cleaned_knn", "knn", "kth_nn", "lof"]

_BLOCK = 256
"""Rows searched at a time: fewer cost throughput, more make a lone row slow."""
_TREE_COLUMNS = 6
"""Up to so many columns a tree is faster than comparing with each of 1,000 to 20,000 rows."""


class Neighbours:
    """Finds the nearest support rows, leaving one exact copy of the asked row out.

    Leaving the copy out makes a support row score the same as an equal new row: both are judged by the
    others.

    Above `_TREE_COLUMNS` columns distances come from matrix products, whose last bits depend on the shape of
    the batch. Blocks of one fixed size keep the choice among equally near rows the same in every batch, and
    distances are computed anew from differences, so that a copy lies at exactly 0.
    """

    def __init__(self, support: Rows) -> None:
        self.support = support
        self._brute = support.shape[1] > _TREE_COLUMNS
        self._index = NearestNeighbors(algorithm="brute" if self._brute else "kd_tree").fit(support)

    def nearest(self, X: Rows, k: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return distances, ascending, and support positions, both (m, k); k is lowered to n - 1."""
        k = min(k, len(self.support) - 1)
        blocks = [self._block(X[start : start + _BLOCK], k) for start in range(0, len(X), _BLOCK)]
        return np.concatenate([d for d, _ in blocks]), np.concatenate([i for _, i in blocks])

    def _block(self, X: Rows, k: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        asked = np.resize(X, (_BLOCK, X.shape[1])) if self._brute else X
        near = self._index.kneighbors(asked, k + 1, return_distance=False)[: len(X)]
        distance = np.stack(
            [np.sqrt(((X - self.support[column]) ** 2).sum(axis=1)) for column in near.T], axis=1
        )
        order = np.argsort(distance, axis=1, kind="stable")
        distance = np.take_along_axis(distance, order, axis=1)
        near = np.take_along_axis(near, order, axis=1)
        copy = distance[:, :1] == 0.0
        return (
            np.where(copy, distance[:, 1:], distance[:, :-1]),
            np.where(copy, near[:, 1:], near[:, :-1]),
        )


class NeighbourDistance:
    """Scores by the mean or the largest of the distances to the k nearest support rows."""

    def __init__(self, support: Rows, k: int, reduce: Literal["mean", "max"]) -> None:
        self._neighbours = Neighbours(support)
        self._k = k
        self._reduce = reduce

    def score(self, X: Rows) -> NDArray[np.float64]:
        distance, _ = self._neighbours.nearest(X, self._k)
        return distance.mean(axis=1) if self._reduce == "mean" else distance[:, -1]


class _LocalOutlierFactor:
    """How much sparser a row lies than its neighbours do (Breunig et al. 2000).

    scikit-learn's estimator is not used because it counts a copy of a support row as its own neighbour.
    """

    def __init__(self, support: Rows, k: int) -> None:
        self._neighbours = Neighbours(support)
        self._k = k
        distance, near = self._neighbours.nearest(support, k)
        self._reach = distance[:, -1]
        self._density = self._density_at(distance, near)

    def _density_at(self, distance: NDArray[np.float64], near: NDArray[np.intp]) -> NDArray[np.float64]:
        # The small summand, as in scikit-learn, keeps the density of more than k equal rows finite.
        mean: NDArray[np.float64] = np.maximum(distance, self._reach[near]).mean(axis=1)
        return 1.0 / (mean + 1e-10)

    def score(self, X: Rows) -> NDArray[np.float64]:
        distance, near = self._neighbours.nearest(X, self._k)
        factor: NDArray[np.float64] = self._density[near].mean(axis=1) / self._density_at(distance, near)
        return factor


def knn(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> NeighbourDistance:
    return NeighbourDistance(X, p["k"], "mean")


def kth_nn(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> NeighbourDistance:
    return NeighbourDistance(X, p["k"], "max")


def lof(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _LocalOutlierFactor:
    return _LocalOutlierFactor(X, p["k"])


def cleaned_knn(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> NeighbourDistance:
    """Drop the share `drop` of the rows that a forest and a wide kNN together rank oddest, then kNN.

    Rows that tie at the border are kept, so the order of the rows does not matter to the cut.
    """
    forest = isolation_forest(X, y, rng, {"trees": p["trees"], "max_samples": 256})
    wide = NeighbourDistance(X, p["screen_k"], "mean")
    oddness = rankdata(forest.score(X)) + rankdata(wide.score(X))
    kept = len(X) - int(p["drop"] * len(X))
    return NeighbourDistance(X[oddness <= np.sort(oddness)[kept - 1]], p["k"], "mean")
