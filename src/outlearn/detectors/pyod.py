"""The two doors to PyOD: its models as pool entries, and our estimators as PyOD detectors.

PyOD is imported when first used; it takes seconds to load.
"""

from __future__ import annotations

import warnings
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from outlearn.detectors.classical.entry import Labels, PoolEntry, Rows, Settings, seed_of
from outlearn.errors import InputError
from outlearn.extras import require

__all__ = ["from_pyod", "to_pyod"]

_PROBED = 4


def _load(model: str) -> Any:
    """Return the module `pyod.models.<model>`.

    Raises
    ------
    MissingExtraError
        When PyOD is not installed.
    """
    with warnings.catch_warnings():
        # What its dependencies deprecate among themselves is nothing a user of ours can mend.
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        return require(f"pyod.models.{model}", extra="pyod")


class _PyODScorer:
    """A fitted PyOD model as a `Scorer`."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def score(self, X: Rows) -> NDArray[np.float64]:
        return np.asarray(self._model.decision_function(X), dtype=np.float64).ravel()


def from_pyod(model: Any, *, standardise: bool = False) -> PoolEntry:
    """Return an unfitted PyOD model as a pool entry: ``from_pyod(ABOD()).fit(X, y, rng, {}).score(X)``.

    Parameters
    ----------
    model : an object of a PyOD detector class. It is cloned at each fit and stays unfitted; where it has a
        `random_state`, the generator given to `fit` sets it.
    standardise : bring columns to mean 0 and deviation 1 first.

    Notes
    -----
    Fitting raises `InputError` when PyOD refuses the rows, and when the model scores a row differently alone
    and in a batch, as PyOD's ECOD and COPOD do.
    """
    return PoolEntry(
        summary=f"PyOD's {type(model).__name__}",
        source="PyOD: Zhao, Nasrullah, Li 2019, and the paper that the class names",
        notes="Judges new rows as PyOD does; a model whose scores depend on the batch is refused.",
        build=partial(_fit_model, model),
        standardise=standardise,
        extra="pyod",
    )


def _fit_model(model: Any, X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _PyODScorer:
    fresh, name = clone(model), type(model).__name__
    if "random_state" in fresh.get_params():
        fresh.set_params(random_state=seed_of(rng))
    try:
        fresh.fit(X)
    except (TypeError, ValueError) as error:
        raise InputError(f"PyOD's {name} cannot be fitted on {X.shape} rows and columns: {error}") from error
    scorer = _PyODScorer(fresh)
    # Rows of both ends: where the batch matters, it matters most among extremes.
    order = np.argsort(fresh.decision_scores_, kind="stable")
    probe = X[np.concatenate([order[:_PROBED], order[-_PROBED:]])]
    alone = np.concatenate([scorer.score(row[None]) for row in probe])
    if not np.allclose(scorer.score(probe), alone, rtol=1e-4, atol=1e-6 * np.ptp(fresh.decision_scores_)):
        raise InputError(
            f"PyOD's {name} scores a row differently alone and beside others, so it is no use here; "
            "choose another model (ecod and copod are in the pool in a form without this fault)"
        )
    return scorer


def to_pyod(detector: Any) -> Any:
    """Return an unfitted estimator of ours as a PyOD detector (class `PyODDetector` of this module).

    Parameters
    ----------
    detector : anything with `fit(X, y)`, `anomaly_score(X)` in [0, 1] and `predict(X)` in {1, -1}. It is
        cloned at each fit and stays unfitted.

    Returns
    -------
    A `pyod.models.base.BaseDetector`: `decision_function` is the anomaly score (high = abnormal), `predict`
    gives 1 for an outlier and 0 otherwise, by the rule of `detector` itself. `y` of `fit` has our meaning
    (1, 0, -1).

    Raises
    ------
    MissingExtraError
        When PyOD is not installed.
    """
    return _detector_class()(detector)


def __getattr__(name: str) -> Any:
    # The class inherits from PyOD, so it comes into being when first asked for; pickle asks for it here too.
    if name == "PyODDetector":
        return _detector_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _detector_class() -> type:
    base = _load("base").BaseDetector

    class PyODDetector(base):  # type: ignore[misc,valid-type]
        """One of our estimators with the sign, labels and attributes of a PyOD detector.

        After `fit`: `detector_` (the fitted estimator), `decision_scores_` (n,), `labels_` (n,) in {0, 1},
        `threshold_` (a support row is an outlier when its score is above it), `contamination` (share of
        outliers in the support).
        """

        def __init__(self, detector: Any) -> None:
            super().__init__()
            self.detector = detector

        def fit(self, X: Any, y: Any = None) -> Any:
            self._set_n_classes(None)
            self.detector_ = clone(self.detector, safe=False).fit(X, y)
            self.decision_scores_ = self.decision_function(X)
            self.labels_ = self.predict(X)
            self.contamination = float(self.labels_.mean())
            self.threshold_ = _threshold(self.detector_, self.decision_scores_, self.labels_)
            self._mu, self._sigma = self.decision_scores_.mean(), self.decision_scores_.std()
            return self

        def decision_function(self, X: Any) -> NDArray[np.float64]:
            check_is_fitted(self, "detector_")
            return np.asarray(self.detector_.anomaly_score(X), dtype=np.float64)

        def predict(self, X: Any, return_confidence: bool = False) -> Any:
            check_is_fitted(self, "detector_")
            outlier = (np.asarray(self.detector_.predict(X)) == -1).astype(int)
            return (outlier, self.predict_confidence(X)) if return_confidence else outlier

        def fit_predict(self, X: Any, y: Any = None) -> NDArray[np.int64]:
            labels: NDArray[np.int64] = self.fit(X, y).labels_
            return labels

    # pickle looks the class up by this name, which `__getattr__` answers.
    PyODDetector.__qualname__ = "PyODDetector"
    return PyODDetector


def _threshold(detector: Any, scores: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the score above which a row is an outlier; ours flag from their own `threshold_` on."""
    own = getattr(detector, "threshold_", None)
    if own is not None:
        return float(np.nextafter(own, -np.inf))
    usual = scores[labels == 0]
    return float(usual.max()) if len(usual) else float(np.nextafter(scores.min(), -np.inf))
