"""The detectors that a benchmark runs, each as its users would run it.

Every entry of `DETECTORS` makes an unfitted peer from a seed. A peer fits rows with optional labels (None, or
1, 0 and -1 for unlabelled) and scores rows, high = abnormal. Numbers are standardised and words one-hot
encoded with what the training rows alone tell; our own detector gets the rows as they are. Imports happen
when a peer is made.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import numpy as np
import polars as pl
import polars.selectors as cs

from outlearn.rng import derive


class Peer(Protocol):
    def fit(self, X: Any, y: np.ndarray | None) -> None: ...

    def score(self, X: Any) -> np.ndarray: ...


def numbers() -> Any:
    """Return the encoder that peers who want plain numbers are given."""
    from sklearn.compose import ColumnTransformer, make_column_selector
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    plain = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore", max_categories=30, sparse_output=False)
    return ColumnTransformer(
        [
            ("numbers", plain, make_column_selector(dtype_include="number")),
            ("words", words, make_column_selector(dtype_exclude="number")),
        ]
    )


def _frame(X: Any) -> Any:
    """Return pandas, which scikit-learn can select columns of by their type."""
    import pandas as pd

    return pd.DataFrame(X) if isinstance(X, np.ndarray) else X.to_pandas()


class Pyod:
    """A detector of PyOD on standardised numbers; it ignores labels."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.encoder, self.model = numbers(), make()

    def fit(self, X: Any, y: np.ndarray | None) -> None:
        self.model.fit(self.encoder.fit_transform(_frame(X)))

    def score(self, X: Any) -> np.ndarray:
        return np.asarray(self.model.decision_function(self.encoder.transform(_frame(X))))


class CatBoost:
    """CatBoost with its defaults; unlabelled rows count as normal."""

    def __init__(self, seed: int) -> None:
        from catboost import CatBoostClassifier

        self.model = CatBoostClassifier(
            random_seed=seed, verbose=False, thread_count=1, allow_writing_files=False
        )

    def fit(self, X: Any, y: np.ndarray | None) -> None:
        words = X.select(~cs.numeric()).columns if isinstance(X, pl.DataFrame) else []
        self.model.fit(self._plain(X), (np.asarray(y) == 1).astype(int), cat_features=words)

    def score(self, X: Any) -> np.ndarray:
        return np.asarray(self.model.predict_proba(self._plain(X))[:, 1])

    @staticmethod
    def _plain(X: Any) -> Any:
        if not isinstance(X, pl.DataFrame):
            return X
        return X.with_columns((~cs.numeric()).cast(pl.String).fill_null("")).to_pandas()


class Logistic:
    """Logistic regression on standardised numbers, classes weighed alike; unlabelled rows count as normal."""

    def __init__(self, seed: int) -> None:
        from sklearn.linear_model import LogisticRegression

        self.encoder, self.model = numbers(), LogisticRegression(class_weight="balanced", max_iter=1000)

    def fit(self, X: Any, y: np.ndarray | None) -> None:
        self.model.fit(self.encoder.fit_transform(_frame(X)), (np.asarray(y) == 1).astype(int))

    def score(self, X: Any) -> np.ndarray:
        return np.asarray(self.model.decision_function(self.encoder.transform(_frame(X))))


class DevNet:
    """The deviation network of PyOD on standardised numbers (Pang et al., KDD 2019), scores as they come."""

    def __init__(self, seed: int) -> None:
        from pyod.models.devnet import DevNet as Model

        self.encoder, self.model = numbers(), Model(random_seed=seed, epochs=20)

    def fit(self, X: Any, y: np.ndarray | None) -> None:
        rows = self.encoder.fit_transform(_frame(X))
        with _silent():
            self.model.fit(rows, (np.asarray(y) == 1).astype(int))

    def score(self, X: Any) -> np.ndarray:
        with _silent():
            return np.asarray(self.model.decision_function(self.encoder.transform(_frame(X)))).ravel()


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what a library prints and warns of to itself."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


class Outlearn:
    """One of our own estimators, on rows as they are."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Any, y: np.ndarray | None) -> None:
        self.model.fit(X, y)

    def score(self, X: Any) -> np.ndarray:
        return np.asarray(self.model.anomaly_score(X))


class Random:
    """No knowledge at all: the floor."""

    def __init__(self, seed: int) -> None:
        self.rng = derive(seed, 0x0DD)

    def fit(self, X: Any, y: np.ndarray | None) -> None:
        return None

    def score(self, X: Any) -> np.ndarray:
        return self.rng.random(len(X))


def _pyod(module: str, name: str, *, seeded: bool = False, **settings: Any) -> Callable[[int], Peer]:
    def make(seed: int) -> Peer:
        from importlib import import_module

        kind = getattr(import_module(f"pyod.models.{module}"), name)
        return Pyod(lambda: kind(**settings, **({"random_state": seed} if seeded else {})))

    return make


def _incontext(seed: int) -> Peer:
    from outlearn import Detector

    return Outlearn(Detector("incontext", random_state=seed))


def _pool(name: str) -> Callable[[int], Peer]:
    def make(seed: int) -> Peer:
        from outlearn.detectors.registry import make_detector

        return Outlearn(make_detector(name, random_state=seed))

    return make


def _default(seed: int) -> Peer:
    from outlearn import Detector

    return Outlearn(Detector(random_state=seed))


DETECTORS: dict[str, Callable[[int], Peer]] = {
    "default": _default,
    "outlearn": _incontext,  # not the default, which learnt from the sets that most benchmarks judge on
    "committee": _pool("committee"),
    "cleaned_knn": _pool("cleaned_knn"),
    "bagged_trees": _pool("bagged_trees"),
    "siamese": _pool("siamese"),
    "iforest": _pyod("iforest", "IForest", seeded=True),
    "knn5": _pyod("knn", "KNN", n_neighbors=5, method="mean"),
    "knn50": _pyod("knn", "KNN", n_neighbors=50, method="mean"),
    "lof": _pyod("lof", "LOF"),
    "ecod": _pyod("ecod", "ECOD"),
    "hbos": _pyod("hbos", "HBOS"),
    "mcd": _pyod("mcd", "MCD", seeded=True),
    "catboost": CatBoost,
    "logistic": Logistic,
    "random": Random,
}

#: Detectors that cannot run without labelled anomalies.
NEED_LABELS = ("bagged_trees", "catboost", "logistic")

#: The package whose version a result belongs to.
PACKAGES = {
    "default": "outlearn",
    "outlearn": "outlearn",
    "committee": "outlearn",
    "cleaned_knn": "outlearn",
    "bagged_trees": "outlearn",
    "siamese": "outlearn",
    "catboost": "catboost",
    "logistic": "scikit-learn",
    "random": "numpy",
}


def version_of(detector: str) -> str:
    """Return the package of a detector and its version, or exit with what to install."""
    package = PACKAGES.get(detector, "pyod")
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        raise SystemExit(f"{detector} needs {package}: pip install 'outlearn[benchmarks]'") from None
