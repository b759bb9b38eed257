"""Several configurations as one detector: the mean of the ranks that each gives a row."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from outlearn.tuning.space import Config
from outlearn.tuning.trials.candidate import fitted, scores

__all__ = ["RankEnsemble"]

Floats = NDArray[np.float64]
BEYOND = 0.25  # of a rank, that the farthest row beyond all others gains at most


class RankEnsemble(OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Detectors whose scores are turned into ranks among the rows fitted on, and averaged.

    Parameters
    ----------
    configs : configurations, see `tuning.space`; None for one Isolation Forest at its default.
    weights : one a configuration; equal when None.
    contamination : share of the rows fitted on that `predict` calls outliers.
    max_rows : rows drawn for each detector where there are more; all when None. Its scores are then
        ranks among as many others, as far as there are any.
    random_state : int, generator or None.

    Attributes
    ----------
    pipelines_ : the fitted detectors.
    offset_ : `decision_function` is `score_samples` less this.

    >>> rows = np.concatenate([np.random.default_rng(0).normal(size=(99, 2)), [[9.0, 9.0]]])
    >>> configs = [{"detector": "kmeans", "clusters": 1, "relative": False, "scale": scale}
    ...            for scale in ("standard", "robust")]
    >>> int(RankEnsemble(configs, contamination=0.01).fit(rows).score_samples(rows).argmin())
    99
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "configs": ["array-like", None],
        "weights": ["array-like", None],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
        "max_rows": [Interval(Integral, 2, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        configs: Sequence[Config] | None = None,
        *,
        weights: Sequence[float] | None = None,
        contamination: float = 0.1,
        max_rows: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.configs = configs
        self.weights = weights
        self.contamination = contamination
        self.max_rows = max_rows
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit every configuration on rows (n, d)."""
        self._validate_params()
        rows = validate_data(self, X, dtype=np.float64)
        configs = [ALONE] if self.configs is None else list(self.configs)
        random = check_random_state(self.random_state)
        seed = int(random.randint(2**31 - 1))
        most = len(rows) if self.max_rows is None else min(self.max_rows, len(rows))
        orders = [
            np.arange(len(rows)) if most == len(rows) else random.permutation(len(rows)) for _ in configs
        ]
        self.pipelines_ = [
            fitted(config, rows[order[:most]], seed=seed)
            for config, order in zip(configs, orders, strict=True)
        ]
        share = np.ones(len(configs)) if self.weights is None else np.asarray(self.weights, dtype=np.float64)
        self._share = share / share.sum()
        self._known = [
            _Known(scores(pipeline, rows[order[-most:]]))
            for pipeline, order in zip(self.pipelines_, orders, strict=True)
        ]
        self.offset_ = float(np.quantile(self.score_samples(rows[orders[0][-most:]]), self.contamination))
        return self

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return (m,) the mean rank, from 0 to a little below -1: low = abnormal."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        total = np.zeros(len(rows))
        for share, pipeline, known in zip(self._share, self.pipelines_, self._known, strict=True):
            total += share * known.ranks(scores(pipeline, rows))
        return -total

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return (m,) scores, negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return (m,) -1 for outliers and 1 for inliers."""
        return np.where(self.decision_function(X) < 0, -1, 1)


ALONE: Config = {"detector": "iforest", "trees": 100, "max_samples": 256, "max_features": 1.0}


class _Known:
    """Scores (n,) of the rows fitted on, among which the scores of other rows are ranked."""

    def __init__(self, values: Floats) -> None:
        self._low = float(values.min())
        self._spread = float(values.max() - self._low) or 1.0
        self._sorted = np.sort(self._units(values))

    def _units(self, values: Floats) -> Floats:
        # Rounded, so that the last bits, which vary with the size of a batch, do not part equal rows.
        units: Floats = ((values - self._low) / self._spread).round(9)
        return units

    def ranks(self, values: Floats) -> Floats:
        """Return ranks (m,) in [0, 1]; beyond the last the distance still counts, but ever less."""
        units = self._units(values)
        both = np.searchsorted(self._sorted, units, "left") + np.searchsorted(self._sorted, units, "right")
        beyond = np.maximum(units - 1, 0)
        ranks: Floats = both / (2 * len(self._sorted)) + BEYOND * beyond / (1 + beyond)
        return ranks
