"""One labelled set from a file: npz with `X` and `y`, or Parquet with a column `label`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.arrays import read_arrays
from outlearn.errors import ReadError
from outlearn.panics import without_panics

__all__ = ["READERS", "read_set"]

_LARGEST = 1e30
"""Beyond this a square overflows float32, and no measurement means it."""

Set = tuple[NDArray[np.float64], NDArray[np.float64]]


def read_set(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Return ``X (n, d)`` finite float32 and ``y (n,)`` int8 in {0, 1}.

    Missing and infinite values become the median of their column. In Parquet, a column of text becomes the
    share of rows with the same text, a date its count of days or microseconds; one named ``family``, which
    tells the label, is left out. Rows keep their order and their copies.

    Raises
    ------
    ReadError
        When the file cannot be read, has no labels or holds others than 0 and 1.
    """
    try:
        with without_panics(str(path)):
            values, labels = READERS[path.suffix](path)
    except ReadError:
        raise
    except (OSError, KeyError, ValueError, pl.exceptions.PolarsError) as error:
        raise ReadError(
            f"{path} cannot be read as a labelled set ({error}); give npz (X, y) or Parquet (label)"
        ) from error
    if values.ndim != 2 or labels.shape != values.shape[:1] or not np.isin(labels, (0, 1)).all():
        raise ReadError(
            f"{path} holds X of shape {values.shape} and labels of shape {labels.shape} with values "
            f"{np.unique(labels)[:4].tolist()}; wanted (n, d), (n,) and labels 0 or 1"
        )
    return _finite(values).astype(np.float32), labels.astype(np.int8)


def _npz(path: Path) -> Set:
    rows, labels = read_arrays(path, ("X", "y"), "npz (X, y) or Parquet (label)")
    return rows.astype(np.float64), labels.ravel().astype(np.float64)


def _parquet(path: Path) -> Set:
    frame = pl.read_parquet(BytesIO(path.read_bytes()))
    if "label" not in frame.columns:
        raise KeyError("no column 'label'")
    columns = [_numbers(series) for series in frame if series.name not in ("label", "family")]
    values = np.column_stack(columns) if columns else np.empty((len(frame), 0))
    return values, frame["label"].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    if series.dtype.is_temporal():
        series = series.to_physical()
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return np.asarray(series.cast(pl.Float64).fill_null(float("nan")).to_numpy())
    text = pl.DataFrame({"value": series.cast(pl.String)})
    return text.select(pl.len().over("value") / pl.len()).to_series().to_numpy()


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a copy within ±1e30 in which the median of a column (0 in an empty one) fills its gaps."""
    result = np.clip(values, -_LARGEST, _LARGEST)
    for column in np.flatnonzero(~np.isfinite(values).all(axis=0)):
        good = np.isfinite(values[:, column])
        result[~good, column] = np.median(result[good, column]) if good.any() else 0.0
    return result


READERS: Mapping[str, Callable[[Path], Set]] = {".npz": _npz, ".parquet": _parquet}
