"""Scikit-learn's signs over an anomaly score: what every estimator here shares."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import Tags

__all__ = ["SignedOutlierMixin"]

Scores = NDArray[np.float64]


class SignedOutlierMixin(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Verdicts of an estimator that gives anomaly scores in [0, 1] and, once fitted, has a `threshold_`."""

    threshold_: float

    @abstractmethod
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Learn what is usual."""

    @abstractmethod
    def anomaly_score(self, X: Any) -> Scores:
        """Return (m,) scores in [0, 1], high = abnormal."""

    @property
    def offset_(self) -> float:
        """The offset of `decision_function`, which is below 0 for scores of at least the threshold."""
        return -float(np.nextafter(self.threshold_, -np.inf))

    def score_samples(self, X: Any) -> Scores:
        """Return -anomaly_score: (m,), low = abnormal (scikit-learn's sign)."""
        return -self.anomaly_score(X)

    def decision_function(self, X: Any) -> Scores:
        """Return (m,); negative for an outlier (scikit-learn's sign)."""
        scores: Scores = self.score_samples(X) - self.offset_
        return scores

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return (m,) of -1 for an outlier and 1 for the rest."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def fit_predict(self, X: Any, y: ArrayLike | None = None) -> NDArray[np.int64]:
        """Fit on `X` and return the verdicts on it: (n,) of -1 for an outlier and 1 for the rest."""
        return self.fit(X, y).predict(X)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
