"""Estimators that a model file keeps: each gives values and arrays, and is rebuilt from them.

Files name a class, so each that may be named says so (`saved_class`), and no other is written. The classes
register here, and nothing here knows one of them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from outlearn import plain
from outlearn.detectors.model_file import Arrays, Model, State, read_model, reading, write_model
from outlearn.detectors.parameters import drawn_seed
from outlearn.detectors.provenance import Provenance
from outlearn.errors import ModelError, OutputError, WeightsError
from outlearn.rng import Seed

__all__ = [
    "CLASSES",
    "Saved",
    "columns_state",
    "kept_params",
    "load_as",
    "restore",
    "save",
    "saved_class",
    "with_params",
]

T = TypeVar("T", bound="Saved")
CLASSES: dict[tuple[str, str], type[Saved]] = {}  # kind of model, name of the class → class
_UNNAMED = {"series": "SeriesDetector"}  # kind → class of files that name none: those of before


class Saved:
    """An estimator that is kept as values and arrays. model_kind : of its files, see `model_file.ENTRIES`."""

    model_kind: ClassVar[str]
    random_state: Seed
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    @abstractmethod
    def _check_parameters(self) -> object:
        """Refuse parameters out of their range."""

    @abstractmethod
    def to_state(self) -> tuple[State, Arrays]:
        """Return what rebuilds the fitted estimator: values that JSON can keep, and arrays by name."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: State, arrays: Arrays) -> Self:
        """Return the estimator whose `to_state` gave these values and arrays, with the same scores.

        Raises
        ------
        KeyError, TypeError, ValueError
            When a value or an array is missing or unfit.
        """


def saved_class(cls: type[T]) -> type[T]:
    """Let model files name a class."""
    CLASSES[cls.model_kind, cls.__name__] = cls
    return cls


def save(estimator: Saved, path: Path, provenance: Provenance | None = None) -> None:
    """Write a fitted estimator, whole or not at all, with what is known of its support.

    Raises
    ------
    OutputError
        When the file cannot be written, or cannot name the class.
    """
    kind, name = estimator.model_kind, type(estimator).__name__
    if CLASSES.get((kind, name)) is not type(estimator):
        known = " or ".join(own for of, own in CLASSES if of == kind)
        raise OutputError(f"cannot write a {name} to {path}: a file names {known} only")
    state, arrays = estimator.to_state()
    beside, rows = ({}, {}) if provenance is None else provenance.to_state()
    write_model(path, Model(kind, {"class": name, **state, **beside}, {**arrays, **rows}))


def restore(model: Model) -> Saved:
    """Return the estimator that a model holds.

    Raises
    ------
    ValueError
        When it names no class that there is, or its own weights cannot be used.
    Exception
        Of any other kind, where a value or an array is missing or unfit.
    """
    name = plain.text(model.state, "class") if "class" in model.state else _UNNAMED.get(model.kind)
    if name is None or (model.kind, name) not in CLASSES:
        raise ValueError(f"it holds a {name!r}, which is no detector of {model.kind}")
    try:
        return CLASSES[model.kind, name].from_state(model.state, model.arrays)
    except WeightsError as error:
        own = plain.record(plain.entry(model.state, "params"), "'params'").get("weights")
        if own is None:  # of those that ship: no other model would help
            raise
        raise ValueError(f"the weights that it names cannot be used: {error}") from error


def load_as(base: type[T], path: Path) -> T:
    """Read an estimator of a class, or of one derived from it, that `save` wrote.

    Raises
    ------
    ModelError
        When the file is absent, damaged, of a later version, or holds none or one of another kind.
    """
    model = read_model(path)
    if model.kind != base.model_kind:
        raise ModelError(f"{path} is a model of {model.kind}, not of {base.model_kind}")
    with reading(path):
        estimator = restore(model)
        if not isinstance(estimator, base):
            raise TypeError(f"it holds a {type(estimator).__name__}; wanted a {base.__name__}")
        return estimator


def kept_params(estimator: BaseEstimator) -> dict[str, Any]:
    """Return the parameters of an estimator as plain values: paths as text, no generator."""
    params = estimator.get_params(deep=False)
    seed = params["random_state"]
    return {**_plain(params), "random_state": seed if isinstance(seed, int) else None}


def _plain(value: Any) -> Any:
    """Return a value without types that JSON does not have."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def columns_state(estimator: BaseEstimator) -> dict[str, Any]:
    """Return the columns that an estimator has seen in its fit."""
    names = getattr(estimator, "feature_names_in_", [])
    return {"features": list(map(str, names)), "n_features": estimator.n_features_in_}


def with_params(cls: type[T], state: State) -> T:
    """Return an estimator with the parameters of `kept_params`, checked, and the columns of `columns_state`.

    Raises
    ------
    TypeError, ValueError
        When one is missing or unfit.
    """
    estimator = cls(**plain.record(plain.entry(state, "params"), "'params'"))
    estimator._check_parameters()
    drawn_seed(estimator.random_state)  # which refuses what is none
    estimator.n_features_in_ = plain.whole(state, "n_features", low=1)
    names = plain.texts(state, "features")
    if len(names) not in (0, estimator.n_features_in_):
        raise ValueError(f"it names {len(names)} features and counts {estimator.n_features_in_}")
    if names:
        estimator.feature_names_in_ = np.array(names, dtype=object)
    return estimator
