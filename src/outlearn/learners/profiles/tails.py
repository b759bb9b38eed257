"""Column-wise oddness: how far out and how rare each value is, column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.learners.profiles.ordered import Ordered

__all__ = ["ColumnTails", "largest"]

Floats = NDArray[np.float64]
BINS = 20


@dataclass(frozen=True, slots=True)
class ColumnTails:
    """Empirical tails and histograms of each column of a support (in the spirit of ECOD and HBOS)."""

    columns: tuple[Ordered, ...]  # d of (n,)
    edges: Floats  # (d, BINS - 1) inner edges
    rarity: Floats  # (d, BINS) -log of the share of rows a bin width

    @classmethod
    def fit(cls, X: Floats) -> ColumnTails:
        n, d = X.shape
        columns = Ordered.columns(X)
        # Edges over the central 98 % so that one far value does not leave a single bin for all others.
        central = (int(0.01 * (n - 1)), int(np.ceil(0.99 * (n - 1))))
        low, high = np.array([[column.values[place] for column in columns] for place in central])
        edges = np.linspace(low, high, BINS - 1, axis=1)
        rarity = np.empty((d, BINS))
        for j in range(d):
            counts = np.bincount(np.searchsorted(edges[j], columns[j].values, "left"), minlength=BINS)
            rarity[j] = -np.log((counts + 0.5) / (n + 0.5 * BINS))
        return cls(columns, edges, rarity)

    def statistics(self, X: Floats) -> list[Floats]:
        """Tails: mean, largest, mean of the three largest; histogram rarity: mean, largest; five (m,)."""
        tails = np.empty(X.shape)
        rarity = np.empty(X.shape)
        for j, column in enumerate(self.columns):
            values, n = X[:, j], len(column.values)
            below, upto = column.around(values)
            tails[:, j] = -np.log((np.minimum(upto, n - below) + 0.5) / (n + 1))
            rarity[:, j] = self.rarity[j, np.searchsorted(self.edges[j], values, "left")]
        return [tails.mean(axis=1), *largest(tails), rarity.mean(axis=1), rarity.max(axis=1)]


def largest(values: Floats) -> tuple[Floats, Floats]:
    """Return the largest of each row (m, d), and the mean of the three largest."""
    top = min(3, values.shape[1])
    three = np.partition(values, values.shape[1] - top, axis=1)[:, values.shape[1] - top :]
    return three.max(axis=1), three.mean(axis=1)
