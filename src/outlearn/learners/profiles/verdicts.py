"""What labelled rows tell of others: nearness to them, likeness of direction, the verdict of trees.

A feature is told in one of two ways. To rows that are to be scored, labelled rows and their exact copies have
the label that an analyst gave them: a confirmed case is nearest to itself. `blind` rows are told as if their
own label were unknown, which is how the labelled rows of a support bear witness of what the features are
worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import has_copy, row_hash
from outlearn.learners.profiles.nearest import MAX_ROWS, Reference
from outlearn.learners.profiles.trees import LabelTrees

__all__ = ["LABEL_FEATURES", "TREE_FEATURES", "VerdictFeatures", "has_verdicts", "known_share"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.float32]
Transform = Callable[[Floats], Floats]

LABELLED = MAX_ROWS  # labelled rows of one kind that distances are taken to
DISTANCES = ("log", "rank")
DIRECTIONS = ("whitened", "rank")
MOSTLY_KNOWN = 0.5  # share of known normals from which on a support is a reference
NEAR = (1, 3)
MOST_RATIO = 4.0
LABEL_FEATURES = (
    *(f"{view}.{which}" for view in DISTANCES for which in ("anomaly1", "anomaly3", "normal1")),
    *(f"{view}.{which}" for view in DIRECTIONS for which in ("anomaly direction", "normal direction")),
)
"""Log distance ratios, and largest cosines."""
TREE_FEATURES = ("trees.columns", "trees.whitened")
"""Log-odds of being like the labelled anomalies."""


def known_share(y: NDArray[np.int8]) -> float:
    """Return the share of known normals among rows (n,) that are no known anomalies."""
    rest = int((y != 1).sum())
    return float((y == 0).sum() / rest) if rest else 0.0


def has_verdicts(y: NDArray[np.int8]) -> bool:
    """Say whether labels (n,) tell more than that all rows are normal."""
    return bool((y == 1).any()) or 0 < known_share(y) < MOSTLY_KNOWN


class _Nearness:
    """Distances to the labelled rows of one kind, in one view."""

    def __init__(self, transform: Transform, scale: float, rows: Rows) -> None:
        self._transform, self._scale, self._size = transform, scale, len(rows)
        self._rows = None
        if len(rows):
            points = transform(rows.astype(np.float64))
            self._rows = Reference(points, np.ones(len(rows), dtype=np.bool_), max(NEAR))

    def ratios(self, X: Floats, near: Floats, hidden: Flags, ks: tuple[int, ...]) -> list[Floats]:
        """Log of (mean distance to the k nearest labelled rows / distance `near` to the reference), one a k.

        hidden : (m,) rows whose own copy among the labelled ones does not count.
        """
        if self._rows is None:
            return [np.zeros(len(X)) for _ in ks]
        distance, _, _ = self._rows.query(self._transform(X), hidden, hidden)
        alone = hidden if self._size == 1 else np.zeros(len(X), dtype=np.bool_)
        told = [np.log(distance[:, :k].mean(axis=1) + 1e-2 * self._scale + 1e-6) - near for k in ks]
        return [np.where(alone, 0.0, np.clip(ratio, -MOST_RATIO, MOST_RATIO)) for ratio in told]


class _Direction:
    """The largest cosine between a row and the labelled rows of one kind, seen from the middle of a view."""

    def __init__(self, transform: Transform, middle: Floats, rows: Rows) -> None:
        self._transform, self._middle = transform, middle
        self._hashes = row_hash(rows)
        self._units = self._unit(rows.astype(np.float64)) if len(rows) else np.empty((0, 0))

    def _unit(self, X: Floats) -> Floats:
        away = self._transform(X) - self._middle
        unit: Floats = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
        return unit

    def cosines(self, X: Floats, hashes: NDArray[np.uint64], *, blind: bool) -> Floats:
        if not len(self._units):
            return np.zeros(len(X))
        cosines = self._unit(X) @ self._units.T
        if blind:
            cosines[hashes[:, None] == self._hashes] = -2.0
        largest: Floats = cosines.max(axis=1)
        told: Floats = np.where(largest < -1.5, 0.0, largest).round(6)
        return told


class VerdictFeatures:
    """Features of rows relative to the labelled rows of a support.

    Parameters
    ----------
    X : (n, d) the support in canonical order; y : (n,) in {-1, 0, 1}.
    views : name → transform of the views of `DISTANCES` and `DIRECTIONS`.
    scales : name → usual distance to five neighbours, in the views of `DISTANCES`.
    middles : name → (w,) middle of the view, in those of `DIRECTIONS`.
    rng : of the trees; None for none.
    """

    def __init__(
        self,
        X: Rows,
        y: NDArray[np.int8],
        views: Mapping[str, Transform],
        scales: Mapping[str, float],
        middles: Mapping[str, Floats],
        rng: np.random.Generator | None,
    ) -> None:
        self._views, self._scales, self._middles = views, scales, middles
        self._anomalies, self._normals = X[y == 1][:LABELLED], X[y == 0][:LABELLED]
        # With every row known to be normal, distance to a known normal is distance to the reference: no news.
        if known_share(y) >= MOSTLY_KNOWN:
            self._normals = X[:0]
        self._with_trees = rng is not None
        self._trees: list[LabelTrees] = []
        if rng is not None and (y == 1).any() and (y != 1).any():
            self._trees = LabelTrees.grow((X, self._turned(X)), y, X, rng)
        self._measure()

    def _measure(self) -> None:
        kinds = (self._anomalies, self._normals)
        self._near = {
            v: [_Nearness(self._views[v], self._scales[v], rows) for rows in kinds] for v in DISTANCES
        }
        self._directions = [
            _Direction(self._views[v], self._middles[v], rows) for v in DIRECTIONS for rows in kinds
        ]

    def without(self, row: Rows) -> VerdictFeatures:
        """Return features that have forgotten the label of one row (d,) of the support, and of its copies."""
        less = copy(self)
        one = row_hash(row[None])
        less._anomalies = self._anomalies[row_hash(self._anomalies) != one]
        less._normals = self._normals[row_hash(self._normals) != one]
        less._measure()
        less._trees = [trees.without(one[0]) for trees in self._trees]
        return less

    def _turned(self, X: Rows) -> Rows:
        return self._views["whitened"](X.astype(np.float64)).round(6).astype(np.float32)

    def of_rows(self, X: Rows, near: Mapping[str, Floats], *, blind: bool = False) -> Floats:
        """Return (m, L) features of rows (m, d), 0 where there are no labels.

        near : view → (m,) log of the mean distance to five reference rows.
        """
        width = len(LABEL_FEATURES) + (len(TREE_FEATURES) if self._with_trees else 0)
        if not len(self._anomalies) and not len(self._normals):
            return np.zeros((len(X), width))
        rows, hashes = X.astype(np.float64), row_hash(X)
        nobody = np.zeros(len(X), dtype=np.bool_)
        hidden = [has_copy(X, each) if blind else nobody for each in (self._anomalies, self._normals)]
        columns: list[Floats] = []
        for view, (anomalies, normals) in self._near.items():
            columns += anomalies.ratios(rows, near[view], hidden[0], NEAR)
            columns += normals.ratios(rows, near[view], hidden[1], NEAR[:1])
        columns += [each.cosines(rows, hashes, blind=blind) for each in self._directions]
        if self._trees:
            readings = (X, self._turned(X))
            columns += [t.log_odds(r, X, blind=blind) for t, r in zip(self._trees, readings, strict=True)]
        columns += [np.zeros(len(X))] * (width - len(columns))
        return np.column_stack(columns)
