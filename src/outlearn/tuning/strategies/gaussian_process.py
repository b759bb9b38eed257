"""A Gaussian process over configurations: what one shows of the others, learnt across tables.

The average precisions of the configurations of a table are taken as one draw from a normal distribution,
whose mean and covariance are those over the tables learnt from. A Gaussian process with this covariance, and
a free level for each table, then predicts all configurations once some were seen through a few labels.

Source: Gaussian processes whose kernel is learnt on other tasks: Swersky, Snoek, Adams 2013; expected
improvement: Jones, Schonlau, Welch 1998.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import norm

from outlearn.tuning.table import PerformanceTable

__all__ = ["GaussianProcess", "improvement"]

Floats = NDArray[np.float64]
SHRINK = 0.2  # of the covariance towards its diagonal: it is learnt from a few hundred tables
LEVEL = 0.2  # variance of the level of a table
USUAL_NOISE = 0.02  # variance of what labels say, where no table shows it
EXACT = (1e-3, 5e-3)  # other variances that what is seen may have; the likelihood decides


class GaussianProcess:
    """Mean and covariance of C configurations, learnt from a performance table.

    mean, covariance : (C,) and (C, C) of average precisions over tables.
    noise : variance of what a few labels say of an average precision.
    """

    def __init__(self, mean: Floats, covariance: Floats, noise: float) -> None:
        self.mean, self.covariance, self.noise = mean, covariance, noise

    @classmethod
    def learn(cls, table: PerformanceTable) -> Self:
        """Learn from a performance table."""
        precision = table.precision
        covariance = np.atleast_2d(np.cov(precision.T)) if len(precision) > 1 else np.eye(precision.shape[1])
        labelled = np.isfinite(table.seen).any(axis=1)
        noise = USUAL_NOISE
        if labelled.any():
            seen = np.where(np.isfinite(table.seen[labelled]), table.seen[labelled], np.nan)
            apart = seen - precision[labelled]
            noise = float(np.nanvar(apart - np.nanmean(apart, axis=1, keepdims=True)))
        return cls(precision.mean(axis=0), covariance, max(noise, EXACT[0]))

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Return the process that `state` describes."""
        return cls(state["mean"], state["covariance"], float(state["noise"][0]))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the mean, the covariance and the noise as arrays."""
        return {"mean": self.mean, "covariance": self.covariance, "noise": np.array([self.noise])}

    def posterior(
        self, among: NDArray[np.int64], prior: Floats, seen: NDArray[np.int64], observed: Floats
    ) -> tuple[Floats, Floats]:
        """Return mean and standard deviation (K,) of the average precisions of some configurations.

        Parameters
        ----------
        among : (K,) their places. prior : (K,) the mean before anything was seen.
        seen : (k,) which of the K were seen. observed : (k,) their average precision.
        """
        kernel = self._kernel(among)
        gram, apart = kernel[np.ix_(seen, seen)], observed - prior[seen]
        noise = max((*EXACT, self.noise), key=lambda value: _likelihood(gram, apart, value))
        factor = cho_factor(gram + noise * np.eye(len(seen)), lower=True)
        mean = prior + kernel[:, seen] @ cho_solve(factor, apart)
        known = (kernel[:, seen].T * cho_solve(factor, kernel[:, seen].T)).sum(axis=0)
        return mean, np.sqrt(np.maximum(np.diag(kernel) - known, 1e-9))

    def _kernel(self, among: NDArray[np.int64]) -> Floats:
        """Return (K, K) the covariance of what is above the mean of the K, and of a free level."""
        block = self.covariance[np.ix_(among, among)]
        block = block - block.mean(axis=0) - block.mean(axis=1, keepdims=True) + block.mean()
        own = np.diag(np.diag(block))
        kernel: Floats = (1 - SHRINK) * block + SHRINK * own + LEVEL
        return kernel


def improvement(mean: Floats, spread: Floats, best: float) -> Floats:
    """Return (K,) how far each is expected to exceed the best, where it does.

    >>> improvement(np.array([0.0, 1.0]), np.array([1.0, 1e-9]), 0.0).round(3)
    array([0.399, 1.   ])
    """
    over = (mean - best) / spread
    expected: Floats = spread * (over * norm.cdf(over) + norm.pdf(over))
    return expected


def _likelihood(gram: Floats, apart: Floats, noise: float) -> float:
    """Return the logarithm of the likelihood of what was seen, up to a constant."""
    factor = cho_factor(gram + noise * np.eye(len(gram)), lower=True)
    return float(-0.5 * apart @ cho_solve(factor, apart) - np.log(np.diag(factor[0])).sum())
