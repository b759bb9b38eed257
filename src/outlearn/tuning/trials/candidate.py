"""A configuration put to work: preparation and detector fitted on rows, as a scikit-learn pipeline."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

from outlearn.errors import ParameterError
from outlearn.tuning.space import DETECTORS, Config, Spec, spec_of

__all__ = ["fitted", "recognise", "scores"]

Rows = NDArray[np.floating]
Floats = NDArray[np.float64]


def fitted(config: Config, X: Rows, *, seed: int = 0, like: Any = None) -> Pipeline:
    """Fit what a configuration describes on rows (n, d).

    Parameters
    ----------
    seed : of the detector, where it draws.
    like : an estimator whose class and other settings are kept; None for the class of the space.

    Returns
    -------
    A fitted pipeline: scaler and projection, as far as the configuration has them, and last ``detector``.
    """
    spec = spec_of(config["detector"])
    rows = np.asarray(X, dtype=np.float64)
    steps: list[tuple[str, Any]] = []
    for name, step in _preparation(config, rows, scaled=spec.scaled):
        rows = np.asarray(step.fit_transform(rows), dtype=np.float64)
        steps.append((name, step))
    detector = _detector(spec, config, rows, seed, like)
    with warnings.catch_warnings():
        # Copies among the rows, fewer clusters than asked for: these are properties of a table that a search
        # meets hundreds of times, and its result is judged by.
        warnings.simplefilter("ignore")
        detector.fit(rows)
    return Pipeline([*steps, ("detector", detector)])


def scores(pipeline: Pipeline, X: Rows) -> Floats:
    """Return (m,) scores of rows (m, d) by a fitted pipeline, high = abnormal, whatever its library says."""
    rows = np.asarray(X, dtype=np.float64)
    for _, step in pipeline.steps[:-1]:
        rows = step.transform(rows)
    detector = pipeline.steps[-1][1]
    if hasattr(detector, "score_samples"):
        return -np.asarray(detector.score_samples(rows), dtype=np.float64)
    return np.asarray(detector.decision_function(rows), dtype=np.float64)  # PyOD: high = abnormal


def recognise(estimator: Any) -> tuple[str, Any]:
    """Return the name of the space for an estimator or a name, and the estimator to be like, if it is one.

    Raises
    ------
    ParameterError
        When nothing is known of how to tune it.

    >>> from sklearn.svm import OneClassSVM
    >>> recognise(OneClassSVM(tol=0.01))
    ('ocsvm', OneClassSVM(tol=0.01))
    """
    if isinstance(estimator, str):
        return spec_of(estimator).name, None
    name = next((spec.name for spec in DETECTORS.values() if _is_of(estimator, spec)), None)
    if name is None:
        known = sorted(
            {home.split(":")[1] for spec in DETECTORS.values() for home in (spec.home, *spec.others)}
        )
        raise ParameterError(
            f"{type(estimator).__name__} has no declared space; give one of {', '.join(known)}, or a name: "
            f"{', '.join(sorted(DETECTORS))}"
        )
    return name, estimator


def _is_of(estimator: Any, spec: Spec) -> bool:
    classes = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(estimator).__mro__}
    homes = {(home.partition(".")[0], home.partition(":")[2]) for home in (spec.home, *spec.others)}
    return not classes.isdisjoint(homes)


def _preparation(config: Config, rows: Floats, *, scaled: bool) -> list[tuple[str, Any]]:
    steps: list[tuple[str, Any]] = []
    projected = config.get("project", "none") == "pca"
    # Principal components of columns in their own units are those of the widest unit.
    scale = config.get("scale", "standard" if projected else "none") if scaled or projected else "none"
    if scale != "none":
        steps.append(("scale", _scaler(scale, len(rows))))
    if projected:
        steps.append(("project", PCA(n_components=float(config["variance"]), svd_solver="full")))
    return steps


def _scaler(name: str, rows: int) -> Any:
    kinds: Mapping[str, Any] = {
        "standard": StandardScaler(),
        "robust": RobustScaler(),
        "minmax": MinMaxScaler(),
        "quantile": QuantileTransformer(n_quantiles=min(rows, 1000), subsample=10_000, random_state=0),
    }
    if name not in kinds:
        raise ParameterError(f"scale={name!r} is unknown; choose from {sorted(kinds)}")
    return kinds[name]


def _detector(spec: Spec, config: Config, rows: Floats, seed: int, like: Any) -> Any:
    arguments = spec.settle(config, rows)
    if like is None or type(like).__name__ == "KMeans":
        kind, detector = spec.build(), None
    else:
        kind, detector = type(like), clone(like)
    allowed = set(inspect.signature(kind).parameters)
    arguments = {name: value for name, value in arguments.items() if name in allowed}
    if detector is None:
        if "random_state" in allowed:
            arguments["random_state"] = seed
        return kind(**arguments)
    if "random_state" in allowed and detector.get_params().get("random_state") is None:
        arguments["random_state"] = seed
    return detector.set_params(**arguments)
