"""Oddness of a value beside the other values of its row: what they lead to expect is missed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.learners.profiles.tails import largest
from outlearn.learners.profiles.views import StandardView

__all__ = ["Dependence"]

Floats = NDArray[np.float64]
LEAST_RIDGE, MOST_RIDGE = 0.02, 0.5  # on correlations: the more, the more columns there are for each row
USUAL = 0.9  # quantile of the residuals of the support, that a residual is told by


class Dependence:
    """Residuals of each column given all others, by ridge regression on rows (n, d).

    All d regressions are one inverse: the residual of column j is (P z)_j / P_jj, P the inverse of the
    correlations. Source: Lauritzen, "Graphical Models", 1996, chapter 5.
    """

    def __init__(self, rows: Floats) -> None:
        self._standard = StandardView.fit(rows)
        Z = self._standard.apply(rows)
        n, d = Z.shape
        self._ridge = max(LEAST_RIDGE, MOST_RIDGE * d / (n + d))
        self._wide: Floats | None = None
        if d <= n:
            self._inverse = np.linalg.inv(Z.T @ Z / n + self._ridge * np.eye(d))
            own = np.diag(self._inverse)
        else:  # by the smaller of the two products (Woodbury)
            self._wide = Z
            self._inverse = np.linalg.solve(n * self._ridge * np.eye(n) + Z @ Z.T, Z)
            own = (1 - np.einsum("nd,nd->d", Z, self._inverse)) / self._ridge
        self._own = own
        self._usual = np.quantile(np.abs(self._residuals(Z)), USUAL, axis=0) + 1e-3

    def _residuals(self, Z: Floats) -> Floats:
        if self._wide is None:
            return np.asarray(Z @ self._inverse / self._own)
        return np.asarray((Z - (Z @ self._wide.T) @ self._inverse) / self._ridge / self._own)

    def statistics(self, X: Floats) -> list[Floats]:
        """Return the mean, the largest and the mean of the three largest over columns of rows, (m,) each."""
        told = np.log1p(np.abs(self._residuals(self._standard.apply(X))) / self._usual)
        return [told.mean(axis=1), *largest(told)]
