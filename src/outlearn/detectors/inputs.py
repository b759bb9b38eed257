"""What users hand to an estimator, read into a matrix and labels."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from outlearn.data.answers import answer_columns
from outlearn.data.columns.cells import columns_of, names_of
from outlearn.data.encode import Encoder
from outlearn.data.infer import infer_schema
from outlearn.data.labels import refuse_signs
from outlearn.data.matrix import Matrix
from outlearn.data.missing import cells_by
from outlearn.data.overrides import apply_overrides, missing_values_of, read_missing, read_overrides
from outlearn.data.schema import Schema
from outlearn.errors import InputError, LabelError, SchemaError

__all__ = [
    "SettledLabels",
    "append_rows",
    "as_frame",
    "cells_of",
    "fit_encoder",
    "labels_to_fit",
    "open_fit",
    "read_cells",
    "read_labels",
    "read_matrix",
    "read_series_frame",
]

_NAMED = 5  # columns that a warning names
Rows = nw.DataFrame[Any] | NDArray[np.float64]


def as_frame(X: Any) -> nw.DataFrame[Any] | None:
    """Return a dataframe of any library behind narwhals, or None for what is not a dataframe."""
    if isinstance(X, nw.DataFrame):
        return X
    try:
        frame = nw.from_native(X, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        raise SchemaError(f"two columns have the same name; rename one of them: {error}") from error
    if isinstance(frame, nw.LazyFrame):
        raise InputError(f"got a {type(X).__name__}, whose rows are not read yet; collect them first")
    return frame if isinstance(frame, nw.DataFrame) else None


def open_fit(
    estimator: BaseEstimator, X: Any, schema: Schema | str | Path | None
) -> tuple[Rows, Schema | None]:
    """Return what a fit came with, and the schema of a dataframe, read from its values unless it is given.

    Sets `n_features_in_` and, for a dataframe, `feature_names_in_` on the estimator.
    """
    frame = as_frame(X)
    if frame is None:
        return _array(estimator, X, reset=True), None
    if len(frame) == 0:
        raise InputError(
            f"the table has no rows (0 samples) and {len(frame.columns)} columns; at least 2 rows are needed"
        )
    if not isinstance(schema, Schema):
        overrides = read_overrides(schema) if schema is not None else {}
        missing = missing_values_of(
            names_of(frame), overrides, () if schema is None else read_missing(schema)
        )
        schema = apply_overrides(infer_schema(frame, missing=missing), overrides, frame)
        _warn_of_answers(frame, schema, overrides)
    estimator.n_features_in_ = len(frame.columns)
    estimator.feature_names_in_ = np.asarray(frame.columns, dtype=object)
    return frame, schema


def _warn_of_answers(frame: nw.DataFrame[Any], schema: Schema, spare: Collection[str]) -> None:
    """Warn of features that look like the answer."""
    used = [column.name for column in schema.used]
    for name in answer_columns(pl.DataFrame(columns_of(frame, used)), spare):
        warnings.warn(
            f"column {name!r} of X looks like the answer, by its name and its values, and rows are judged "
            "by it; drop it from X, and give it as y to learn from it",
            UserWarning,
            stacklevel=4,
        )


def fit_encoder(rows: Rows, schema: Schema | None, y: NDArray[np.int8]) -> Encoder:
    """Fit an encoder to rows as `open_fit` returns them, with labels (n,).

    Raises
    ------
    SchemaError
        When no column tells rows apart, unless rows are known to be normal: others may differ from those.
    """
    if isinstance(rows, np.ndarray) or schema is None:
        return Encoder.fit_array(rows, constants=True)
    constants = bool(schema.used) or bool((y == 0).any())
    fitted = Encoder.fit(rows, schema, odd=y == 1, constants=constants)
    # In order of their names (x2 before x10): a table with its columns in another order is the same table.
    return replace(fitted, encoders=tuple(sorted(fitted.encoders, key=lambda e: (len(e.name), e.name))))


def read_matrix(estimator: BaseEstimator, encoder: Encoder, X: Any) -> Matrix:
    """Encode new rows with a fitted encoder; columns of a dataframe are matched by name, in any order."""
    return encoder.transform(_rows(estimator, X))


def read_cells(estimator: BaseEstimator, encoder: Encoder, X: Any) -> pl.DataFrame:
    """Return the raw cells of the used columns, named as in the fit."""
    return cells_of(encoder, _rows(estimator, X))


def cells_of(encoder: Encoder, rows: Rows) -> pl.DataFrame:
    """Return the raw cells of the columns that an encoder reads; an absent one is missing in every row."""
    if isinstance(rows, np.ndarray):
        return pl.DataFrame(rows, schema=list(encoder.schema.names))
    given = set(names_of(rows))
    read = {e.name for e in encoder.encoders}
    names = [column.name for column in encoder.schema.columns if column.name in read]
    cells = cells_by(encoder.schema, rows, [name for name in names if name in given])
    return pl.DataFrame({name: cells.get(name, pl.Series([None] * len(rows))) for name in names})


def _rows(estimator: BaseEstimator, X: Any) -> Rows:
    """Return a dataframe where the fit saw column names, else an array."""
    frame = as_frame(X)
    names = getattr(estimator, "feature_names_in_", None)
    if frame is not None:
        return frame if names is not None else _array(estimator, _in_order(estimator, frame), reset=False)
    values = _array(estimator, X, reset=False)
    if names is None:
        return values
    return nw.from_native(pl.DataFrame(values, schema=[str(name) for name in names]), eager_only=True)


def _in_order(estimator: BaseEstimator, frame: nw.DataFrame[Any]) -> Any:
    """Return the cells (n, d) of a dataframe in the order of the array that an estimator was fitted to.

    Names that count columns, as libraries give them, say their places; by any others a place is a guess, of
    which scikit-learn's estimators warn in these words too.
    """
    given = list(map(str, frame.columns))
    for counted in (_counted(form, len(given)) for form in ("{}", "x{}", "column_{}", "f{}")):
        if set(given) == set(counted):
            return frame[:, [given.index(name) for name in counted]].to_numpy()
    first = ", ".join(given[:_NAMED]) + (", …" if len(given) > _NAMED else "")
    warnings.warn(
        f"X has feature names, but {type(estimator).__name__} was fitted without feature names: its columns "
        f"{first} are taken in this order for those of the array; fit on a dataframe to have them found by "
        "name",
        UserWarning,
        stacklevel=6,
    )
    return frame.to_numpy()


def _counted(form: str, count: int) -> list[str]:
    return [form.format(i) for i in range(count)]


def _array(estimator: BaseEstimator, X: Any, *, reset: bool) -> NDArray[np.float64]:
    values: NDArray[np.float64] = validate_data(
        estimator, X, reset=reset, dtype=np.float64, ensure_all_finite=False, accept_sparse=False
    )
    if reset and values.size and not np.isfinite(values).any():
        raise InputError(
            "no value is finite: every one is infinite or missing; nothing can be learnt from this table"
        )
    return values


def read_series_frame(estimator: BaseEstimator, X: Any, *, reset: bool) -> pl.DataFrame:
    """Return a table of series, or an array (n, c) or (n,) of one, as a frame.

    Sets what was seen on the estimator where `reset`, as a fit does; else checks that it is the same.
    """
    table = as_frame(X)
    names = None if reset else getattr(estimator, "feature_names_in_", None)
    if table is not None:
        if reset:
            estimator.n_features_in_ = len(table.columns)
            estimator.feature_names_in_ = np.asarray(table.columns, dtype=object)
        elif names is None:
            return _points(estimator, _in_order(estimator, table), None, reset=False)
        return pl.DataFrame(columns_of(table))
    if names is not None and (estimator.time_column, estimator.series_column) != (None, None):
        raise InputError(
            f"an array came, which has no column {estimator.time_column or estimator.series_column!r}; "
            f"wanted a dataframe, as in the fit, with the columns {', '.join(map(str, names))}"
        )
    return _points(estimator, X, names, reset=reset)


def _points(estimator: BaseEstimator, X: Any, names: Any, *, reset: bool) -> pl.DataFrame:
    """Return an array (n, c) or (n,) of one series as a frame; names : (c,) of a dataframe in the fit."""
    values = np.asarray(X) if not hasattr(X, "toarray") else X
    channels = getattr(estimator, "n_features_in_", 1)
    if getattr(values, "ndim", 2) == 1 and not reset and channels != 1:
        raise InputError(
            f"a vector came, which is one channel; wanted {channels}, as in the fit: "
            f"Reshape your data to (n, {channels})"
        )
    if getattr(values, "ndim", 2) == 1 and len(values) and not isinstance(X, (list, tuple)):
        values = values[:, None]
    values = validate_data(
        estimator, values, reset=reset, dtype=np.float64, ensure_all_finite=False, accept_sparse=False
    )
    if reset and values.size and not np.isfinite(values).any():
        raise InputError("no value is finite: every one is infinite or missing; nothing can be learnt")
    if reset and hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
    called = [f"x{i}" for i in range(values.shape[1])] if names is None else list(map(str, names))
    return pl.DataFrame(values, schema=called)


def read_labels(y: Any, rows: int) -> NDArray[np.int8]:
    """Return labels (n,) int8 in {-1, 0, 1}; None means that no row is labelled.

    Raises
    ------
    LabelError
        For another length or any other value.
    """
    if y is None:
        return np.full(rows, -1, dtype=np.int8)
    values = np.asarray(y)
    if values.ndim != 1 or len(values) != rows:
        raise LabelError(f"y has shape {values.shape}; wanted one label a row: ({rows},)")
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise LabelError(
            f"y holds {values.dtype} values; wanted 1 (anomaly), 0 (normal), -1 (unlabelled)"
        ) from error
    wrong = ~np.isin(numbers, (-1.0, 0.0, 1.0))
    if wrong.any():
        came = ", ".join(f"{v:g}" for v in np.unique(numbers[wrong])[:5])
        raise LabelError(
            f"y holds {came} ({int(wrong.sum())} of {rows} rows); "
            "wanted 1 (anomaly), 0 (normal) or -1 (unlabelled)"
        )
    return numbers.astype(np.int8)


@dataclass(frozen=True, slots=True)
class SettledLabels:
    """Labels (n,) of 1, 0 and -1 whose meaning is settled, so that a fit takes them as they are."""

    values: NDArray[np.int8]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.values, dtype=dtype)


def labels_to_fit(y: Any, rows: int) -> NDArray[np.int8]:
    """Return labels as `read_labels` does, unless they look like those of scikit-learn.

    Raises
    ------
    LabelError
        See `refuse_signs`; `SettledLabels` are taken as they are.
    """
    labels = read_labels(y, rows)
    if not isinstance(y, SettledLabels):
        refuse_signs(labels)
    return labels


def append_rows(known: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Return `known` with `cells` below it; a cell that does not fit its column becomes missing."""
    fitting = [_cast(cells[name], dtype).alias(name) for name, dtype in known.schema.items()]
    return pl.concat([known, pl.DataFrame(fitting)])


def _cast(cells: pl.Series, dtype: pl.DataType) -> pl.Series:
    try:
        return cells.cast(dtype, strict=False)
    except pl.exceptions.PolarsError:  # no way leads from the one type to the other
        return pl.Series([None] * len(cells), dtype=dtype)
