"""Scalings of a support: five ways to say how far apart two rows are.

A view is fitted on the rows of one support and then moves any row into a space where Euclidean distance has
one meaning. No view depends on the order of rows or columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.learners.profiles.ordered import Ordered

__all__ = ["LogView", "RankView", "RobustView", "StandardView", "WhitenedView"]

Floats = NDArray[np.float64]
WHITENED_WIDTH = 50  # beyond this, small directions are noise and cost time
NORMAL_IQR = 1.35  # width of the middle half of a normal distribution, in standard deviations
LEAST_SCALE = 0.05  # of a column's standard deviation, that its robust unit does not fall below
SHRINKAGE = 0.05  # share of the mean eigenvalue added to each: keeps d > n finite


@dataclass(frozen=True, slots=True)
class StandardView:
    """Each column to mean 0 and standard deviation 1; a constant column keeps its unit."""

    mean: Floats
    scale: Floats

    @classmethod
    def fit(cls, X: Floats) -> StandardView:
        mean = X.mean(axis=0)
        # Rounding leaves a residue of about eps·|mean| in a constant column; it is no spread.
        scale = X.std(axis=0)
        scale = np.where(scale > 1e-9 * np.maximum(np.abs(mean), 1e-30), scale, 1.0)
        return cls(mean, scale)

    def apply(self, X: Floats) -> Floats:
        # A value of 1,000 deviations is as odd as any; the bound keeps products of such rows exact enough.
        return np.clip((X - self.mean) / self.scale, -1e3, 1e3)


@dataclass(frozen=True, slots=True)
class LogView:
    """Each column on a logarithmic scale with its sign, standardised: what is twice as large is as far away.

    Amounts, counts and times spread over powers of ten, and the standard deviation of such a column is that
    of its largest values. The size of a value is told by the median size in its column, so that units make
    no difference; around a mean far from 0 the scale is nearly a straight line.
    """

    size: Floats
    standard: StandardView

    @classmethod
    def fit(cls, X: Floats) -> LogView:
        sizes = np.abs(X)
        empty = ~sizes.any(axis=0)
        size = np.nanmedian(np.where((sizes > 0) | empty, sizes, np.nan), axis=0)
        size[empty] = 1.0
        return cls(size, StandardView.fit(cls._drawn_in(X, size)))

    @staticmethod
    def _drawn_in(X: Floats, size: Floats) -> Floats:
        drawn_in: Floats = np.sign(X) * np.log1p(np.abs(X) / size)
        return drawn_in

    def apply(self, X: Floats) -> Floats:
        return self.standard.apply(self._drawn_in(X, self.size))


@dataclass(frozen=True, slots=True)
class RobustView:
    """Each column relative to its median and middle half, far values drawn in by sinh⁻¹.

    Anomalies in the support that stretch the standard deviation of a column leave this unit alone.
    """

    median: Floats
    scale: Floats

    @classmethod
    def fit(cls, X: Floats) -> RobustView:
        q25, median, q75 = np.percentile(X, (25, 50, 75), axis=0)
        standard = StandardView.fit(X).scale
        # Where half of a column is one value, its middle half has no width: the deviation counts.
        middle = (q75 - q25) / NORMAL_IQR
        scale = np.where(middle > 1e-9 * np.maximum(np.abs(median), 1e-30), middle, standard)
        return cls(median, np.maximum(scale, LEAST_SCALE * standard))

    def apply(self, X: Floats) -> Floats:
        drawn_in: Floats = np.arcsinh((X - self.median) / self.scale)
        return drawn_in


@dataclass(frozen=True, slots=True)
class RankView:
    """Each column to its mid-rank in the support, in [0, 1], with a slowly growing tail outside the range."""

    columns: tuple[Ordered, ...]  # d of (n,)

    @classmethod
    def fit(cls, X: Floats) -> RankView:
        return cls(Ordered.columns(X))

    def apply(self, X: Floats) -> Floats:
        out = np.empty(X.shape)
        for j, column in enumerate(self.columns):
            values, n = X[:, j], len(column.values)
            low, high = column.values[0], column.values[-1]
            below, upto = column.around(values)
            spread = (high - low) or 1.0
            beyond = np.maximum(low - values, 0) - np.maximum(values - high, 0)
            out[:, j] = (below + upto) / (2 * n) - np.sign(beyond) * 0.25 * np.log1p(np.abs(beyond) / spread)
        return out


@dataclass(frozen=True, slots=True)
class WhitenedView:
    """Principal directions of the standardised rows, each to unit variance (shrunk): decorrelated."""

    standard: StandardView
    directions: Floats  # (d, w), scaled
    residual_directions: Floats  # (d, r): the directions that hold most variance, for the residual

    @classmethod
    def fit(cls, X: Floats) -> WhitenedView:
        standard = StandardView.fit(X)
        Z = standard.apply(X)
        n, d = Z.shape
        # The smaller of the two Gram matrices has the same spectrum.
        if d <= n:
            values, vectors = np.linalg.eigh(Z.T @ Z / n)
        else:
            values, left = np.linalg.eigh(Z @ Z.T / n)
            values, left = values[-min(n, 500) :], left[:, -min(n, 500) :]
            vectors = Z.T @ left / np.sqrt(np.maximum(values * n, 1e-12))
        order = np.argsort(values)[::-1]
        values, vectors = np.maximum(values[order], 0), vectors[:, order]
        total = values.sum() or 1.0
        kept = int(np.searchsorted(np.cumsum(values) / total, 0.9)) + 1
        width = min(WHITENED_WIDTH, len(values))
        scale = 1 / np.sqrt(values[:width] + SHRINKAGE * total / d)
        return cls(standard, vectors[:, :width] * scale, vectors[:, : min(kept, len(values))])

    def apply(self, X: Floats) -> Floats:
        return self.standard.apply(X) @ self.directions

    def residual(self, X: Floats) -> Floats:
        """Length of each row outside the directions that hold 90 % of the variance: (m,)."""
        Z = self.standard.apply(X)
        # The difference of squared lengths would leave the root of the rounding error, which varies with the
        # batch.
        outside = Z - (Z @ self.residual_directions) @ self.residual_directions.T
        length: Floats = np.linalg.norm(outside, axis=1)
        return length
