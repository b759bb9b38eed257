"""Column-wise oddness: how far out and how rare each value is, column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ColumnTails", "largest"]

Floats = NDArray[np.float64]
BINS = 20


@dataclass(frozen=True, slots=True)
class ColumnTails:
    """Empirical tails and histograms of each column of a support (in the spirit of ECOD and HBOS)."""

    sorted_columns: Floats  # (n, d)
    edges: Floats  # (d, BINS - 1) inner edges
    rarity: Floats  # (d, BINS) -log of the share of rows a bin width

    @classmethod
    def fit(cls, X: Floats) -> ColumnTails:
        n, d = X.shape
        ordered = np.sort(X, axis=0)
        # Edges over the central 98 % so that one far value does not leave a single bin for all others.
        low, high = ordered[int(0.01 * (n - 1))], ordered[int(np.ceil(0.99 * (n - 1)))]
        edges = np.linspace(low, high, BINS - 1, axis=1)
        rarity = np.empty((d, BINS))
        for j in range(d):
            counts = np.bincount(np.searchsorted(edges[j], ordered[:, j], "left"), minlength=BINS)
            rarity[j] = -np.log((counts + 0.5) / (n + 0.5 * BINS))
        return cls(ordered, edges, rarity)

    def statistics(self, X: Floats) -> list[Floats]:
        """Tails: mean, largest, mean of the three largest; histogram rarity: mean, largest; five (m,)."""
        n, d = self.sorted_columns.shape
        tails = np.empty(X.shape)
        rarity = np.empty(X.shape)
        for j in range(d):
            column, values = self.sorted_columns[:, j], X[:, j]
            left = np.searchsorted(column, values, "right")  # rows at or below
            right = n - np.searchsorted(column, values, "left")  # rows at or above
            tails[:, j] = -np.log((np.minimum(left, right) + 0.5) / (n + 1))
            rarity[:, j] = self.rarity[j, np.searchsorted(self.edges[j], values, "left")]
        return [tails.mean(axis=1), *largest(tails), rarity.mean(axis=1), rarity.max(axis=1)]


def largest(values: Floats) -> tuple[Floats, Floats]:
    """Return the largest of each row (m, d), and the mean of the three largest."""
    top = min(3, values.shape[1])
    three = np.partition(values, values.shape[1] - top, axis=1)[:, values.shape[1] - top :]
    return three.max(axis=1), three.mean(axis=1)
