"""The paths of rows through an Isolation Forest, and scores that are linear in them.

Source: node weights that follow an analyst's labels: Siddiqui, Fern, Dietterich, Wright, Theriault, Archer
2018; Das, Islam, Jayakodi, Doppa 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from outlearn.learners.profiles.isolation import Isolation, expected_depth

__all__ = ["NodeFeedback", "Paths"]

Floats = NDArray[np.float64]
TREES, SAMPLES = 100, 256


@dataclass(frozen=True)
class Paths:
    """Which nodes of a forest each row passes.

    rows : (m,) the rows that are followed: places in the table, ascending.
    passed : (m, N) sparse, 1 where a row does. lengths : (N,) that each adds to the length of a path.
    """

    rows: NDArray[np.int64]
    passed: csr_matrix
    lengths: Floats

    @classmethod
    def of(cls, X: NDArray[np.float32], seed: int = 0, *, most: int | None = None) -> Paths:
        """Fit a forest on rows (n, d), and follow them through it; of more than `most`, the oddest."""
        X = np.ascontiguousarray(X, dtype=np.float32)
        forest = Isolation(X, seed % 2**32, TREES, SAMPLES)
        rows = np.arange(len(X))
        if most is not None and len(X) > most:
            rows = np.sort(np.argsort(-forest.score(X), kind="stable")[:most])
        parts, lengths = [], []
        for tree in forest.trees:
            parts.append(tree.decision_path(X[rows]).astype(np.float32))
            leaf = tree.children_left < 0
            lengths.append(1.0 + np.where(leaf, expected_depth(tree.n_node_samples.astype(np.float64)), 0.0))
        return cls(rows, hstack(parts, format="csr"), np.concatenate(lengths))

    @property
    def scores(self) -> Floats:
        """(m,) the lengths of the paths, negative: high = abnormal."""
        scores: Floats = -(self.passed @ self.lengths)
        return scores

    def of_row(self, row: int) -> NDArray[np.int32]:
        """Return the nodes that a row passes."""
        nodes: NDArray[np.int32] = self.passed.indices[self.passed.indptr[row] : self.passed.indptr[row + 1]]
        return nodes


class NodeFeedback:
    """Scores that follow labels.

    A node's length grows by one with each normal row that passes it, and falls by one with each anomaly.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths, self._lengths = paths, paths.lengths.copy()
        self.scores = paths.scores

    def tell(self, row: int, label: int) -> None:
        """Follow the label of a row: 1 anomaly, 0 normal."""
        nodes = self._paths.of_row(row)
        step = -1.0 if label == 1 else 1.0
        self._lengths[nodes] += step
        change = np.zeros(len(self._lengths), dtype=np.float32)
        change[nodes] = step
        self.scores = self.scores - self._paths.passed @ change
