"""k-means as an outlier detector: the distance to the nearest centre."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.cluster import KMeans
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["KMeansOutlier"]

Floats = NDArray[np.float64]


class KMeansOutlier(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Rows far from every k-means centre are outliers.

    Parameters
    ----------
    n_clusters : number of centres, lowered to the number of rows.
    relative : tell the distance in units of the mean distance within the cluster, so that tight clusters call
        rows abnormal that loose ones would not.
    contamination : share of the rows fitted on that `predict` calls outliers.
    n_init : random starts, of which the tightest is kept.
    random_state : int, generator or None.

    Attributes
    ----------
    cluster_centers_ : (k, d).
    offset_ : `decision_function` is `score_samples` less this.

    >>> rows = np.concatenate([np.random.default_rng(0).normal(size=(99, 2)), [[9.0, 9.0]]])
    >>> int(KMeansOutlier(n_clusters=1, contamination=0.01).fit(rows).score_samples(rows).argmin())
    99
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "relative": ["boolean"],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        relative: bool = False,
        contamination: float = 0.1,
        n_init: int = 3,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.relative = relative
        self.contamination = contamination
        self.n_init = n_init
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit on rows (n, d)."""
        self._validate_params()
        rows = validate_data(self, X, dtype=np.float64)
        distinct = len(np.unique(rows, axis=0))
        model = KMeans(
            min(self.n_clusters, distinct), n_init=self.n_init, random_state=self.random_state
        ).fit(rows)
        self.cluster_centers_ = model.cluster_centers_
        distance = model.transform(rows)
        nearest = distance.argmin(axis=1)
        sums = np.bincount(nearest, distance.min(axis=1), minlength=len(self.cluster_centers_))
        counts = np.bincount(nearest, minlength=len(self.cluster_centers_))
        # A cluster of equal rows has no spread of its own: it takes a tenth of the usual one at least.
        usual = distance.min(axis=1).mean() or 1.0
        self.spread_ = np.maximum(sums / np.maximum(counts, 1), 0.1 * usual)
        self.offset_ = float(np.quantile(self.score_samples(rows), self.contamination))
        return self

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return (m,) the distance to the nearest centre, negative: low = abnormal."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        distance = cdist(rows, self.cluster_centers_)
        if self.relative:
            distance = distance / self.spread_
        nearest: Floats = distance.min(axis=1)
        return -nearest

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return (m,) scores, negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return (m,) -1 for outliers and 1 for inliers."""
        return np.where(self.decision_function(X) < 0, -1, 1)
