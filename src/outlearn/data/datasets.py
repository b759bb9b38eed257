"""Real data sets that installed packages bundle, so that everything can be tried offline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.errors import ReadError
from outlearn.rng import derive

__all__ = ["LABEL", "DatasetInfo", "datasets", "load_dataset"]

LABEL = "label"


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """One bundled set. `columns` counts the features, without the column ``label``.

    anomaly : what the rows with label 1 are. share : their part of all rows.
    sampling : which anomalies were left out to make their share realistic; empty where none were.
    """

    name: str
    title: str
    anomaly: str
    rows: int
    columns: int
    share: float
    source: str
    licence: str
    sampling: str = ""

    @property
    def note(self) -> str:
        """What a reader of the rows should know."""
        sampling = f" ({self.sampling})" if self.sampling else ""
        return f"column '{LABEL}' holds the answer: 1 is {self.anomaly}, 0 everything else{sampling}"


@dataclass(frozen=True, slots=True)
class _Recipe:
    loader: str
    anomalous: Callable[[NDArray[Any]], NDArray[np.bool_]]
    kept: int | None = None  # anomalies drawn, all where None


_LICENCE = "not stated; distributed within scikit-learn (BSD-3-Clause)"
_UCI = "UCI Machine Learning Repository, copied in scikit-learn"

_SETS: dict[str, tuple[DatasetInfo, _Recipe]] = {
    info.name: (info, recipe)
    for info, recipe in (
        (
            DatasetInfo(
                "breast_cancer",
                "Breast Cancer Wisconsin (Diagnostic)",
                "a malignant tumour",
                397,
                30,
                40 / 397,
                _UCI,
                _LICENCE,
                "40 of 212 such rows drawn",
            ),
            _Recipe("load_breast_cancer", lambda target: target == 0, 40),
        ),
        (
            DatasetInfo(
                "wine",
                "Wine recognition",
                "a wine of the third cultivar",
                143,
                13,
                13 / 143,
                _UCI,
                _LICENCE,
                "13 of 48 such rows drawn",
            ),
            _Recipe("load_wine", lambda target: target == 2, 13),
        ),
        (
            DatasetInfo(
                "digits",
                "Optical recognition of handwritten digits",
                "a handwritten 0",
                1699,
                64,
                80 / 1699,
                _UCI,
                _LICENCE,
                "80 of 178 such rows drawn",
            ),
            _Recipe("load_digits", lambda target: target == 0, 80),
        ),
        (
            DatasetInfo(
                "iris",
                "Iris plants",
                "Iris virginica",
                110,
                4,
                10 / 110,
                "R. A. Fisher (1936), copied in scikit-learn",
                _LICENCE,
                "10 of 50 such rows drawn",
            ),
            _Recipe("load_iris", lambda target: target == 2, 10),
        ),
        (
            DatasetInfo(
                "diabetes",
                "Diabetes progression",
                "a disease progression in the highest tenth",
                442,
                10,
                47 / 442,
                "Efron, Hastie, Johnstone and Tibshirani (2004), copied in scikit-learn",
                _LICENCE,
            ),
            _Recipe("load_diabetes", lambda target: target >= np.quantile(target, 0.9)),
        ),
    )
}


def datasets() -> tuple[DatasetInfo, ...]:
    """Return what can be read as ``dataset:NAME``.

    >>> [info.name for info in datasets()]
    ['breast_cancer', 'wine', 'digits', 'iris', 'diabetes']
    """
    return tuple(info for info, _ in _SETS.values())


def load_dataset(name: str) -> pl.DataFrame:
    """Return a bundled set: its features as Float64 and the column ``label`` (1 anomaly, 0 normal).

    Where anomalies were left out, the draw is fixed and the rows are shuffled, for the originals are
    sorted by class.

    Raises
    ------
    ReadError
        When no set has the name.

    >>> load_dataset("iris")["label"].sum()
    10
    """
    from sklearn import datasets as bundled

    recipe = _recipe(name)
    content = getattr(bundled, recipe.loader)()
    features = np.asarray(content.data, dtype=np.float64)  # (n, d)
    labels = recipe.anomalous(np.asarray(content.target)).astype(np.int64)  # (n,)
    rows = _draw(labels, recipe.kept)
    columns = {str(column): features[rows, i] for i, column in enumerate(content.feature_names)}
    return pl.DataFrame({**columns, LABEL: labels[rows]})


def _recipe(name: str) -> _Recipe:
    if name not in _SETS:
        raise ReadError(f"no data set is called {name!r}; there are {', '.join(_SETS)}")
    return _SETS[name][1]


def _draw(labels: NDArray[np.int64], kept: int | None) -> NDArray[np.intp]:
    if kept is None:
        return np.arange(len(labels))
    rng = derive(0)
    chosen = rng.choice(np.flatnonzero(labels), kept, replace=False)
    return rng.permutation(np.concatenate([np.flatnonzero(labels == 0), chosen]))
