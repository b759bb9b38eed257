"""What users hand over, read into a matrix, cells and labels."""

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from outlearn.detectors import ClassicalDetector
from outlearn.detectors.inputs import (
    SettledLabels,
    append_rows,
    as_frame,
    cells_of,
    fit_encoder,
    labels_to_fit,
    open_fit,
    read_cells,
    read_labels,
    read_matrix,
)
from outlearn.errors import InputError, LabelError, SchemaError


@pytest.fixture
def mixed():
    n = 30
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "price": rng.normal(size=n),
            "shop": np.resize(["A", "B", None], n),
            "when": pd.date_range("2024-01-01", periods=n, freq="7h"),
            "paid": rng.random(n) < 0.5,
            "code": np.resize(np.array([1, "x"], dtype=object), n),
        }
    )


@pytest.mark.parametrize(
    ("y", "wanted"),
    [
        (None, [-1, -1, -1]),
        ([1, 0, -1], [1, 0, -1]),
        ([1.0, 0.0, -1.0], [1, 0, -1]),
        ([True, False, False], [1, 0, 0]),
        (("1", "0", "-1"), [1, 0, -1]),
        (pd.Series([0, 1, 0], index=[7, 8, 9]), [0, 1, 0]),
        (pl.Series([0, 1, 0]), [0, 1, 0]),
    ],
)
def test_labels_of_any_form_are_read(y, wanted):
    labels = read_labels(y, 3)
    assert labels.tolist() == wanted and labels.dtype == np.int8


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([1, 0], r"shape \(2,\); wanted one label a row: \(3,\)"),
        ([[1], [0], [1]], r"shape \(3, 1\)"),
        (1, r"shape \(\)"),
        ([1, 2, 3], r"y holds 2, 3 \(2 of 3 rows\)"),
        ([1, 0, np.nan], r"y holds nan \(1 of 3 rows\)"),
        ([0.5, 1, 0], "y holds 0.5"),
        (["anomaly", "", "normal"], "y holds <U7 values"),
        ([1, None, 0], "y holds nan"),
    ],
)
def test_other_labels_are_refused_with_what_came(y, words):
    with pytest.raises(LabelError, match=words):
        read_labels(y, 3)


@pytest.mark.parametrize(
    "convert", [lambda f: f, pl.from_pandas, pa.Table.from_pandas, lambda f: nw.from_native(f)]
)
def test_dataframes_of_each_library_are_told_from_arrays(convert):
    frame = as_frame(convert(pd.DataFrame({"a": [1, 2]})))
    assert isinstance(frame, nw.DataFrame) and frame.columns == ["a"]


@pytest.mark.parametrize("rows", [np.ones((2, 2)), [[1, 2]], "text", None, pd.Series([1]), pl.Series([1])])
def test_what_is_no_dataframe_is_left_to_the_array_path(rows):
    assert as_frame(rows) is None


@pytest.mark.parametrize("lazy", [pl.LazyFrame({"a": [1]}), nw.from_native(pl.LazyFrame({"a": [1]}))])
def test_rows_that_are_not_read_yet_are_refused(lazy):
    with pytest.raises(InputError, match="LazyFrame, whose rows are not read yet"):
        as_frame(lazy)


def test_equal_column_names_are_refused():
    with pytest.raises(SchemaError, match="same name"):
        as_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def _fitted(estimator, X):
    """Fit an encoder as an estimator does; return it with the matrix and the cells."""
    rows, schema = open_fit(estimator, X, None)
    encoder = fit_encoder(rows, schema, read_labels(None, len(rows)))
    return encoder, encoder.transform(rows), cells_of(encoder, rows)


def test_columns_are_encoded_in_the_order_of_their_names():
    names = [f"x{i}" for i in (10, 2, 1, 0)]
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 4)), columns=names)
    estimator = ClassicalDetector()
    encoder, matrix, cells = _fitted(estimator, frame)
    assert matrix.columns == ("x0", "x1", "x2", "x10")
    assert (
        list(encoder.schema.names) == list(estimator.feature_names_in_) == names
        and estimator.n_features_in_ == 4
    )
    assert np.array_equal(read_matrix(estimator, encoder, frame[names[::-1]]).values, matrix.values)
    # An array has no names: its columns are those of the fit.
    assert np.array_equal(read_matrix(estimator, encoder, pl.from_pandas(frame)).values, matrix.values)
    assert cells.equals(read_cells(estimator, encoder, frame))


def test_an_array_after_a_dataframe_is_read_by_position_with_a_warning():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 2)), columns=["b", "a"])
    estimator = ClassicalDetector()
    encoder, matrix, _ = _fitted(estimator, frame)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert np.array_equal(read_matrix(estimator, encoder, frame.to_numpy()).values, matrix.values)


def test_a_dataframe_after_an_array_is_read_by_position():
    X = np.random.default_rng(0).normal(size=(20, 2))
    estimator = ClassicalDetector()
    encoder, matrix, cells = _fitted(estimator, X)
    assert cells.columns == ["x0", "x1"] and not hasattr(estimator, "feature_names_in_")
    assert np.array_equal(read_matrix(estimator, encoder, pl.DataFrame(X)).values, matrix.values)
    with pytest.warns(UserWarning, match="without feature names: its columns b, a are taken in this order"):
        named = read_matrix(estimator, encoder, pd.DataFrame(X, columns=["b", "a"]))
    assert np.array_equal(named.values, matrix.values)


@pytest.mark.parametrize("names", [["1", "0"], [1, 0], ["x1", "x0"], ["column_1", "column_0"]])
def test_counted_columns_after_an_array_are_known_in_any_order(names):
    X = np.random.default_rng(0).normal(size=(20, 2))
    estimator = ClassicalDetector()
    encoder, matrix, _ = _fitted(estimator, X)
    turned = pd.DataFrame(X[:, ::-1], columns=names)
    assert np.array_equal(read_matrix(estimator, encoder, turned).values, matrix.values)


def test_labels_of_scikit_learn_are_refused_in_a_fit_and_settled_ones_taken():
    with pytest.raises(LabelError, match=r"1 in 2 rows and -1 in 1, and no 0; .*\(y == -1\)\.astype\(int\)"):
        labels_to_fit([1, 1, -1], 3)
    settled = SettledLabels(np.array([1, 1, -1], dtype=np.int8))
    assert labels_to_fit(settled, 3).tolist() == [1, 1, -1]
    for fine in ([1, -1, -1], [1, 1, 0], [1, 1, 1], None):
        assert len(labels_to_fit(fine, 3)) == 3
    with pytest.raises(LabelError, match="and no 0"):
        ClassicalDetector("knn").fit(np.eye(9), [1] * 8 + [-1])


def test_a_feature_that_looks_like_the_answer_is_warned_of(tmp_path):
    frame = pd.DataFrame({"a": np.arange(30) % 7 + 0.5, "is_fraud": np.arange(30) == 3})
    with pytest.warns(UserWarning, match="'is_fraud' of X looks like the answer"):
        ClassicalDetector("knn").fit(frame)
    toml = tmp_path / "schema.toml"
    toml.write_text('[columns.is_fraud]\nrole = "feature"\n')
    ClassicalDetector("knn", schema=toml).fit(frame)


def test_cells_are_those_of_the_table_whatever_their_type(mixed):
    estimator = ClassicalDetector()
    encoder, matrix, cells = _fitted(estimator, mixed)
    assert len(matrix) == len(mixed) and np.isfinite(matrix.values).all()
    assert cells.columns == list(mixed.columns)
    assert cells["shop"].to_list()[:3] == ["A", "B", None] and cells["code"].to_list()[:2] == ["1", "x"]
    assert cells["when"][0] == pd.Timestamp("2024-01-01") and cells["paid"][0] == mixed["paid"][0]
    assert read_cells(estimator, encoder, mixed[mixed.columns[::-1]]).equals(cells)


def test_a_cell_that_does_not_fit_its_column_is_missing_in_an_update(mixed):
    detector = ClassicalDetector("knn").fit(mixed)
    odd = pd.DataFrame({"price": ["q"], "shop": [3], "when": ["soon"], "paid": ["yes"], "code": [None]})
    detector = detector.update(odd, [0]).update(mixed.assign(price=9.5)[:1], [1])
    assert len(detector.support_) == len(detector.support_cells_) == len(mixed) + 2
    assert detector.support_cells_.row(-2) == (None, "3", None, None, None)
    assert detector.support_cells_.row(-1)[:2] == (9.5, "A")


def test_appended_rows_keep_the_types_of_the_first():
    known = pl.DataFrame({"a": [1.5], "b": ["x"]})
    both = append_rows(known, pl.DataFrame({"a": ["2", "q"], "b": [1, 2]}))
    assert both.schema == known.schema and both.rows() == [(1.5, "x"), (2.0, "1"), (None, "2")]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.full((5, 2), np.inf), "no value is finite"),
        (pd.DataFrame({"id": np.arange(30)}), "no column can be used"),
        (pd.DataFrame({"a": [1.0] * 9}), "no column can be used"),
    ],
)
def test_tables_that_teach_nothing_are_refused(rows, words):
    with pytest.raises(InputError, match=words):
        ClassicalDetector().fit(rows)
