"""Labelled rows, of an array or of a dataframe: checked, compared, picked by position."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from outlearn.errors import InputError, LabelError

__all__ = ["Rows", "binary_labels", "distinct", "take"]

#: A numeric array (n, d), or any eager dataframe that narwhals accepts.
Rows = Any

_POSITION = "position"


def binary_labels(y: ArrayLike, n: int) -> NDArray[np.int8]:
    """Return `y` as (n,) int8 of 0 and 1.

    Raises
    ------
    InputError
        When there is not one label a row.
    LabelError
        When a label is neither 1 (anomaly) nor 0 (normal).

    >>> binary_labels([True, False], 2)
    array([1, 0], dtype=int8)
    """
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise InputError(f"{n} rows came with labels of shape {labels.shape}; wanted one label a row")
    usable = np.isin(labels, (0, 1))
    if not usable.all():
        odd = list(dict.fromkeys(labels[~usable].tolist()))[:3]
        raise LabelError(
            f"labels hold {odd}; wanted only 1 (anomaly) and 0 (normal): leave unlabelled rows out"
        )
    return labels.astype(np.int8)


def take(X: Rows, positions: NDArray[np.int64]) -> Rows:
    """Return the rows at `positions`, as the same kind of object that came in.

    >>> take(np.array([[1.0], [2.0], [3.0]]), np.array([2, 0]))
    array([[3.],
           [1.]])
    """
    if isinstance(X, np.ndarray):
        return X[positions]
    if isinstance(X, nw.DataFrame):
        return X[positions, :]
    return _frame(X)[positions, :].to_native()


def distinct(X: Rows) -> NDArray[np.int64]:
    """Return the positions, in order, of the first copy of each row; missing values equal one another.

    >>> distinct(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]))
    array([0, 1])
    """
    frame = nw.from_native(pl.DataFrame(X), eager_only=True) if isinstance(X, np.ndarray) else _frame(X)
    places = [str(place) for place in range(len(frame.columns))]  # a name may be taken for a pattern
    numbered = frame.rename(dict(zip(frame.columns, places, strict=True)))
    first = numbered.with_row_index(_POSITION).unique(subset=places, keep="first")
    return np.sort(first[_POSITION].to_numpy()).astype(np.int64)


def _frame(X: Rows) -> nw.DataFrame[Any]:
    try:
        return nw.from_native(X, eager_only=True)
    except TypeError as error:
        raise InputError(
            f"rows came as {type(X).__name__}; wanted a numpy array or an eager dataframe "
            "(pandas, polars, pyarrow): convert them first"
        ) from error
