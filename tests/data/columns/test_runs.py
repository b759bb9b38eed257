"""Cells that hold lists: read alike whatever their form, encoded cell by cell."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlearn.data import Encoder, infer_schema
from outlearn.data.columns import CurveEncoder, EmbeddingEncoder
from outlearn.data.columns.runs import holds_runs, runs_of
from outlearn.data.schema import Kind
from outlearn.errors import SchemaError

ENCODERS = (CurveEncoder, EmbeddingEncoder)
LISTS = [[1.5, 2.0, -3.0], None, [4.0, 5.0, 6.0], [], [7.0, float("nan"), 9.0]]


def test_lists_arrays_and_text_read_alike():
    as_lists = runs_of(pl.Series(LISTS))
    as_text = runs_of(pl.Series([None if cell is None else str(cell) for cell in LISTS]))
    np.testing.assert_array_equal(as_lists.values, as_text.values)
    np.testing.assert_array_equal(as_lists.lengths, as_text.lengths)
    assert as_lists.missing.tolist() == as_text.missing.tolist() == [False, True, False, True, False]
    array = runs_of(pl.Series([[1.0, 2.0], [3.0, 4.0]], dtype=pl.Array(pl.Float32, 2)))
    assert array.values.tolist() == [1, 2, 3, 4] and array.lengths.tolist() == [2, 2]


def test_what_is_no_list_of_numbers_is_counted():
    read = runs_of(pl.Series(["[1, 2]", "[1, two]", "", "3;4", "nan 5"]))
    assert read.unparsed == 1 and read.missing.tolist() == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("cells", "holds"),
    [
        (["[1, 2]", "[3]"], True),
        (["1 2", "3 4"], False),  # events, or a version
        (["[a]", "[b]"], False),
        (["[1]", "[2]"], False),  # numbers in brackets
        ([[1, 2], None], True),
        ([["a"], ["b"]], False),
    ],
)
def test_only_lists_of_numbers_are_taken_for_such(cells, holds):
    assert holds_runs(pl.Series(cells)) is holds


def test_kinds_are_told_by_length_and_by_order():
    rng = np.random.default_rng(0)
    walks = np.cumsum(rng.normal(size=(40, 30)), axis=1)
    frame = pl.DataFrame(
        {
            "vectors": rng.normal(size=(40, 16)).tolist(),
            "walks": walks.tolist(),
            "uneven": [row[: 5 + i % 9].tolist() for i, row in enumerate(walks)],
            "text": [json.dumps(row.tolist()) for row in walks],
            "same": [[1.0, 2.0]] * 40,
        }
    )
    kinds = {column.name: column.kind for column in infer_schema(frame).columns}
    assert kinds == {
        "vectors": Kind.EMBEDDING,
        "walks": Kind.SERIES,
        "uneven": Kind.SERIES,
        "text": Kind.SERIES,
        "same": Kind.CONSTANT,
    }
    one_other = [*frame["vectors"].to_list()[:-1], [1.0]]
    told = infer_schema(pl.DataFrame({"vectors": one_other}))["vectors"]
    assert told.kind == Kind.EMBEDDING and told.note == "lists of 16 numbers, 1 of another length"
    from_pandas = pd.DataFrame({"vectors": list(rng.normal(size=(40, 16))), "walks": list(walks)})
    assert [c.kind for c in infer_schema(from_pandas).columns] == [Kind.EMBEDDING, Kind.SERIES]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_cell_encodes_the_same_alone_shuffled_and_after_a_round_trip(encoder):
    rng = np.random.default_rng(1)
    cells = pl.Series("s", [row.tolist() for row in rng.normal(3, 2, size=(30, 12))])
    fitted = encoder.fit("s", cells)
    assert encoder.fit("s", cells.shuffle(seed=3)) == fitted
    assert encoder.from_state(json.loads(json.dumps(fitted.to_state()))) == fitted
    values, repairs = fitted.encode(cells)
    assert values.shape == (30, len(fitted.names)) and values.dtype == np.float32 and repairs.unparsed == 0
    np.testing.assert_array_equal(fitted.encode(cells[4:5])[0], values[4:5])
    assert np.abs(np.median(values[:, :-1], axis=0)).max() < 1


@pytest.mark.parametrize("encoder", ENCODERS)
def test_missing_cells_stand_at_the_medians_and_say_so(encoder):
    cells = pl.Series("s", [[float(i), i + 1.0, 2.0 * i] for i in range(9)])
    fitted = encoder.fit("s", cells)
    values, repairs = fitted.encode(pl.Series(["[1, 2, 3]", None, "what", "[]"]))
    assert values[1:, :-1].any() == np.False_ and values[:, -1].tolist() == [0, 1, 1, 1]
    assert repairs.unparsed == 1
    with pytest.raises(SchemaError, match="no list of numbers"):
        encoder.fit("s", pl.Series(["what", None]))


def test_vectors_of_another_length_are_not_read():
    fitted = EmbeddingEncoder.fit("v", pl.Series([[1.0, 2.0], [3.0, 5.0], [1.0]]))
    values, repairs = fitted.encode(pl.Series([[1.0, 5.0, 6.0], [3.0, 5.0]]))
    assert repairs.unparsed == 1 and values.tolist() == [[0, 0, 1], [2, 3, 0]]
    with pytest.raises(SchemaError, match="at most 4,096"):
        EmbeddingEncoder.fit("v", pl.Series([[0.0] * 5000]))


def test_what_a_curve_is_told_by():
    """Each number against its plain definition."""
    rng = np.random.default_rng(2)
    curves = [rng.normal(size=n).cumsum() for n in (5, 40, 64, 333)] + [np.array([2.0, 2.0, 2.0, 5.0])]
    fitted = CurveEncoder.fit("c", pl.Series([c.tolist() for c in curves]))
    encoded = fitted.encode(pl.Series([c.tolist() for c in curves]))[0][:, :-1] + np.array(fitted.centres)
    for values, told in zip(curves, encoded, strict=True):
        n, spread = len(values), values.std()
        slope = np.polyfit(np.arange(n), values, 1)[0]
        plain = [np.log(n), values.mean(), spread, values.min(), values.max(), slope * (n - 1) / spread]
        np.testing.assert_allclose(told[:6], plain, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(told[6], np.abs(np.diff(values)).mean() / spread, rtol=1e-4)
        course = np.interp(np.linspace(0, n - 1, 64), np.arange(n), values)
        np.testing.assert_allclose(told[16:], (course - values.mean())[::2] / fitted.unit, atol=1e-4)
        assert told[8:16].sum() == pytest.approx(1, abs=1e-4)
    assert encoded[-1, 7] == pytest.approx(0.75)


cells_of_numbers = st.lists(
    st.one_of(
        st.none(),
        st.lists(st.floats(width=64), max_size=6).map(str),
        st.text(alphabet="[]0123456789,.e- nai", max_size=12),
    ),
    min_size=2,
    max_size=8,
)


@given(cells_of_numbers)
def test_no_cell_breaks_an_encoder(cells):
    known = pl.Series("s", [[1.0, 2.0], [2.0, 4.0], [0.5, 1.0]])
    for encoder in ENCODERS:
        values, _ = encoder.fit("s", known).encode(pl.Series("s", cells, dtype=pl.String))
        assert np.isfinite(values).all() and len(values) == len(cells)


def test_a_table_with_lists_becomes_a_matrix():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"a": rng.normal(size=20), "v": rng.normal(size=(20, 3)).tolist()})
    encoder = Encoder.fit(frame, infer_schema(frame))
    assert encoder.columns == ("a", "v[0]", "v[1]", "v[2]", "v is missing")
    assert Encoder.from_state(json.loads(json.dumps(encoder.to_state()))) == encoder
