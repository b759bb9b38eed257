"""Trees on the columns themselves: how much a row looks like the labelled anomalies rather than the rest."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.tree import ExtraTreeClassifier

from outlearn.data.rows import row_hash

__all__ = ["LabelTrees"]

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]
FIRST, TREES = 60, 120  # trees that find hidden anomalies among the unlabelled rows; trees that judge
DRAW = 12  # other rows in a draw, a labelled anomaly
SHARPNESS = 3  # how fast a row that looks like an anomaly leaves the draws
LEAST = 0.005  # probability kept away from 0 and 1


class LabelTrees:
    """Extra trees, each on the labelled anomalies and a few of the other rows, drawn anew.

    An unlabelled row of the support, or an exact copy of one, is judged by the trees that did not see it; by
    none: even odds. So it scores the same whether it is part of the support or arrives later. So are labelled
    rows where they are `blind` to their own label; else all trees judge them.

    Source: bagging on unlabelled rows: Mordelet, Vert 2014; extra trees: Geurts, Ernst, Wehenkel 2006. That
    other rows are drawn the less the more a first forest takes them for anomalies is ours.
    """

    def __init__(self, hashes: NDArray[np.uint64], y: NDArray[np.int8]) -> None:
        self._hashes, self._group = np.unique(hashes, return_inverse=True)
        self._told = np.zeros(len(self._hashes), dtype=np.bool_)
        self._told[self._group[y >= 0]] = True
        self._trees: list[tuple[Any, Floats, NDArray[np.bool_]]] = []

    @classmethod
    def grow(
        cls, readings: Sequence[Rows], y: NDArray[np.int8], X: Rows, rng: np.random.Generator
    ) -> list[Self]:
        """Grow one forest a reading of the same support.

        Parameters
        ----------
        readings : (n, w) each: ways to write the rows; the first finds hidden anomalies for all.
        y : (n,) in {-1, 0, 1}, with one anomaly and one other row at least.
        X : (n, d) rows as `log_odds` gets them, to recognise copies.
        """
        hashes = row_hash(X)
        sure = np.where(y == 0, 2.0, 1.0)  # a known normal row is worth more than one that may be an anomaly
        first = cls(hashes, y)
        first._fit(readings[0], y, sure, FIRST, rng)
        hidden = np.where(y == 0, 0.0, first._probability(readings[0], hashes, blind=True))
        weights = sure * np.maximum(1 - hidden, 0.02) ** SHARPNESS
        forests = [cls(hashes, y) for _ in readings]
        for forest, reading in zip(forests, readings, strict=True):
            forest._fit(reading, y, weights, TREES, rng)
        return forests

    def _fit(
        self, rows: Rows, y: NDArray[np.int8], weights: Floats, trees: int, rng: np.random.Generator
    ) -> None:
        anomalies, others = np.flatnonzero(y == 1), np.flatnonzero(y != 1)
        chance = weights[others] / weights[others].sum()
        size = min(len(others), DRAW * len(anomalies))
        rows = np.ascontiguousarray(rows, dtype=np.float32)
        # Rows and parameters are sound here, and checking them took two thirds of the time of small trees.
        with config_context(skip_parameter_validation=True):
            for _ in range(trees):
                drawn = rng.choice(others, size, replace=False, p=chance)
                known = np.unique(rng.choice(anomalies, len(anomalies)))
                bag = np.concatenate([known, drawn])
                tree = ExtraTreeClassifier(max_features="sqrt", random_state=int(rng.integers(2**31 - 1)))
                odd = np.arange(len(bag)) < len(known)
                balanced = len(bag) / (2 * np.where(odd, len(known), size))
                grown = tree.fit(rows[bag], odd, balanced, check_input=False).tree_
                leaves = grown.value[:, 0, 1] / grown.value[:, 0].sum(axis=1)
                seen = np.zeros(len(self._hashes), dtype=np.bool_)
                seen[self._group[bag]] = True
                self._trees.append((grown, leaves, seen))

    def without(self, row: np.uint64) -> Self:
        """Return a forest that has not seen one row of the support, given by its hash, nor copies of it.

        It is made of the trees that did not draw the row: what the forest would have said without it, up to
        chance. Source: jackknife after bootstrap: Efron 1992.
        """
        group = int(np.searchsorted(self._hashes, row))
        less = copy(self)
        less._trees = [tree for tree in self._trees if not tree[2][group]]
        less._told = self._told.copy()
        less._told[group] = False
        return less

    def _probability(self, rows: Rows, hashes: NDArray[np.uint64], *, blind: bool) -> Floats:
        group = np.searchsorted(self._hashes, hashes).clip(max=len(self._hashes) - 1)
        copied = np.flatnonzero((self._hashes[group] == hashes) & (blind | ~self._told[group]))
        total, count = np.zeros(len(rows)), np.full(len(rows), float(len(self._trees)))
        rows = np.ascontiguousarray(rows, dtype=np.float32)
        for grown, leaves, seen in self._trees:
            value = leaves[grown.apply(rows)]
            own = copied[seen[group[copied]]]
            value[own] = 0.0
            count[own] -= 1
            total += value
        return np.where(count > 0, total / np.maximum(count, 1), 0.5)

    def log_odds(self, rows: Rows, X: Rows, *, blind: bool = False) -> Floats:
        """Return (m,) log-odds of being like the labelled anomalies.

        Parameters
        ----------
        rows : (m, w) as the reading of the support that this forest was grown on.
        X : (m, d) the same rows as the support's `X`.
        blind : labelled rows are judged as if their own label were unknown.
        """
        probability = self._probability(rows, row_hash(X), blind=blind).clip(LEAST, 1 - LEAST)
        odds: Floats = np.log(probability / (1 - probability))
        return odds
