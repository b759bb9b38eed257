"""Classical detectors under the same estimator contract."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.data.schema import Schema
from outlearn.decisions.calibrate import Calibrator
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.pool import POOL
from outlearn.detectors.saved import saved_class
from outlearn.detectors.tie_margin import calibrate_ranking
from outlearn.errors import ParameterError
from outlearn.learners.base import Scorer
from outlearn.rng import Seed, derive

__all__ = ["ClassicalDetector"]


@saved_class
class ClassicalDetector(BaseDetector):
    """One detector of the classical pool (`detectors.pool.POOL`), by name.

    Its `anomaly_score` is a monotone rescaling with .5 at the threshold, not a probability.

    Parameters
    ----------
    algorithm : a name in the pool, such as "iforest", "lof" or "knn".
    params : hyper-parameters of the algorithm; its defaults when None.
    contamination : "auto" (a rough label-free estimate), or the share of the support that is to be flagged.
    false_alarm_rate, max_support, schema, random_state : as in `Detector`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.r_[np.random.default_rng(0).normal(size=(100, 2)), [[8.0, 8.0]]]
    >>> int(ClassicalDetector("lof").fit(X).anomaly_score(X).argmax())
    100
    """

    def __init__(
        self,
        algorithm: str = "iforest",
        *,
        params: Mapping[str, Any] | None = None,
        contamination: float | str = "auto",
        false_alarm_rate: float | None = None,
        max_support: int | str = "auto",
        schema: Schema | str | Path | None = None,
        random_state: Seed = None,
    ) -> None:
        super().__init__(
            contamination=contamination,
            false_alarm_rate=false_alarm_rate,
            max_support=max_support,
            schema=schema,
            random_state=random_state,
        )
        self.algorithm = algorithm
        self.params = params

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if not isinstance(self.algorithm, str) or self.algorithm not in POOL:
            raise ParameterError(f"algorithm is {self.algorithm!r}; wanted one of {', '.join(sorted(POOL))}")

        if not isinstance(self.params, Mapping | None):
            raise ParameterError(f"params is {self.params!r}; wanted None or a mapping such as {{'k': 10}}")

    def _adapt(self, X: NDArray[np.float32], y: NDArray[np.int8]) -> Scorer:
        return POOL[self.algorithm].fit(X, y, derive(self.seed_), self.params or {})

    def _calibrate(self, raw: NDArray[np.float64]) -> tuple[Calibrator, float]:
        return calibrate_ranking(raw, self.contamination)
