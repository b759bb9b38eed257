"""Tables to matrices."""

import json
from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outlearn.data.encode import Encoder
from outlearn.data.infer import infer_schema
from outlearn.data.overrides import ColumnOverride, apply_overrides
from outlearn.data.schema import Column, Kind, Role, Schema
from outlearn.errors import SchemaError

RNG = np.random.default_rng(0)

CELLS = (
    st.floats(),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.text(max_size=12),
    st.sampled_from(["DE", "FR", "IT", "", "NA"]),
    st.datetimes(datetime(1600, 1, 1), datetime(2500, 1, 1)),
    st.just(None),
    st.just("same"),
    st.floats(-1e3, 1e3).map(str),
    st.dates().map(str),
)


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 25))
    columns = {}
    for place in range(draw(st.integers(1, 5))):
        cell = draw(st.sampled_from(CELLS))
        cells = draw(
            st.lists(cell | st.none() if draw(st.booleans()) else cell, min_size=rows, max_size=rows)
        )
        columns[f"c{place}"] = pl.Series(cells, dtype=pl.String if set(cells) == {None} else None)
    # A column that can always be used, however the others turn out.
    return pl.DataFrame(
        columns | {"always": pl.Series([0.5, *[1.5] * rows])[:rows], "some": [0.5, 1.5, *[2] * rows][:rows]}
    )


def schema_of(frame):
    schema = infer_schema(frame)
    return schema if schema.used else apply_overrides(schema, {"always": ColumnOverride(kind=Kind.NUMERIC)})


@given(tables(), tables(), st.randoms(use_true_random=False))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
def test_every_promise_holds_on_any_table(frame, other, random):
    encoder = Encoder.fit(frame, schema_of(frame))
    matrix = encoder.transform(frame)
    # Finite, complete, named.
    assert matrix.values.dtype == np.float32
    assert matrix.values.shape == (frame.height, len(matrix.columns)) == (len(matrix), len(matrix.sources))
    assert np.isfinite(matrix.values).all()
    assert set(matrix.sources) <= set(frame.columns)
    # The same after a round trip through JSON.
    again = Encoder.from_state(json.loads(json.dumps(encoder.to_state())))
    assert again == encoder
    # A row alone is encoded as in a batch.
    row = random.randrange(frame.height)
    assert np.array_equal(again.transform(frame[row : row + 1]).values[0], matrix.values[row])
    # The order of the columns does not matter, nor do others beside them.
    names = random.sample(frame.columns, frame.width)
    assert np.array_equal(encoder.transform(frame.select(names).with_columns(new=1)).values, matrix.values)
    # The order of the rows of the fit does not matter.
    shuffled = frame[random.sample(range(frame.height), frame.height)]
    assert Encoder.fit(shuffled, encoder.schema) == encoder
    # Rows of any other kind of cells are encoded all the same.
    strange = pl.DataFrame({column.name: other[other.columns[0]] for column in encoder.schema.used})
    values = encoder.transform(strange).values
    assert values.shape == (other.height, len(matrix.columns))
    assert np.isfinite(values).all()


@given(tables())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
def test_every_library_gives_the_same_matrix(frame):
    frames = (frame, frame.to_pandas(), frame.to_arrow())
    schema = schema_of(frame)
    for other in frames[1:]:
        assert [c.kind for c in infer_schema(other).columns] == [c.kind for c in infer_schema(frame).columns]
    matrices = [Encoder.fit(other, schema).transform(other).values for other in frames]
    assert np.array_equal(matrices[0], matrices[1])
    assert np.array_equal(matrices[0], matrices[2])


def test_mixed_types_in_a_pandas_column():
    frame = pd.DataFrame({"m": [1, "a", None, 2.5, True] * 10, "x": RNG.normal(size=50)})
    encoder = Encoder.fit(frame, infer_schema(frame))
    assert encoder.columns[:2] == ("m rarity", "m=(missing)")
    assert len(encoder.transform(frame)) == 50


def test_wide_tables():
    X = RNG.normal(size=(50, 10_000))
    frame = pl.DataFrame(X, schema=[f"x{i}" for i in range(10_000)], orient="row")
    encoder = Encoder.fit(frame, infer_schema(frame))
    values = encoder.transform(frame).values
    assert values.shape == (50, 10_000)
    assert np.array_equal(values, encoder.transform(X).values)


def test_duplicate_rows_are_all_kept():
    frame = pl.DataFrame({"a": [1.5, 1.5, 2.5], "b": ["x", "x", "y"]})
    matrix = Encoder.fit(frame, infer_schema(frame)).transform(frame)
    assert np.array_equal(matrix.values[0], matrix.values[1])
    assert matrix.row_ids.tolist() == [0, 1, 2]
    assert matrix.sources == ("a", "b", "b", "b")


def test_no_usable_column():
    frame = pl.DataFrame({"id": range(50), "one": [1] * 50, "skip": RNG.normal(size=50)})
    with pytest.raises(SchemaError) as caught:
        Encoder.fit(frame, infer_schema(frame, ignore=["skip"]))
    assert "id (identifier), one (constant), skip (ignored)" in str(caught.value)


def test_tables_without_rows():
    schema = Schema((Column("a", Kind.NUMERIC), Column("y", Kind.NUMERIC, Role.LABEL)))
    empty = pl.DataFrame({"a": pl.Series([], dtype=pl.Float64)})
    with pytest.raises(SchemaError, match="no rows"):
        Encoder.fit(empty, schema)
    encoder = Encoder.fit(pl.DataFrame({"a": [1.0]}), schema)
    assert encoder.transform(empty).values.shape == (0, 1)


def test_a_batch_says_what_it_needed():
    fitted = pl.DataFrame({"n": ["1", "2.5", "3"], "c": ["a", "b", "a"]})
    encoder = Encoder.fit(fitted, Schema((Column("n", Kind.NUMERIC), Column("c", Kind.CATEGORICAL))))
    assert encoder.notes_of(fitted) == ()
    notes = encoder.notes_of(pl.DataFrame({"c": ["x", "y", "a"], "n": ["?", "abc", "1"], "new": [1, 2, 3]}))
    assert notes == (
        "1 column is not in the schema and not read: new",
        "n: 1 value is missing, which the fit never saw",
        "n: 1 value is not of the column's kind and read as missing",
        "c: 2 values are of a category not seen in the fit",
    )
    with pytest.raises(SchemaError, match="renamed"):
        encoder.transform(pl.DataFrame({"C": ["a"], "n": [1.0]}))


def test_arrays():
    X = np.array([[1.0, 5.0, np.nan], [2.0, 5.0, 7.0], [3.0, 5.0, np.inf]])
    encoder = Encoder.fit_array(X)
    assert encoder.columns == ("x0", "x1", "x2", "x2 is missing")
    assert encoder.transform(X).values.tolist() == [[-1, 0, 0, 1], [0, 0, 0, 0], [1, 0, 0, 1]]
    assert encoder.notes_of(X) == ("x2: 1 infinite value is read as missing",)
    assert Encoder.from_state(encoder.to_state()) == encoder
    frame = pl.DataFrame(X, schema=["x0", "x1", "x2"], orient="row")
    assert np.array_equal(encoder.transform(frame).values, encoder.transform(X).values)
    assert np.array_equal(encoder.transform(X.astype(object)).values, encoder.transform(X).values)


@pytest.mark.parametrize(
    "X",
    [
        np.zeros(3),
        np.zeros((2, 0)),
        np.zeros((0, 2)),
        np.array([["a"]]),
        np.array([[1j]]),
        np.zeros((1, 1, 1)),
    ],
)
def test_arrays_that_are_no_table_of_numbers(X):
    with pytest.raises(SchemaError):
        Encoder.fit_array(X)


def test_arrays_of_another_width_and_for_another_fit():
    with pytest.raises(SchemaError, match="got 3 columns; wanted 2"):
        Encoder.fit_array(np.zeros((1, 2))).transform(np.zeros((1, 3)))
    frame = pl.DataFrame({"c": ["a", "b"]})
    with pytest.raises(SchemaError, match="wanted a dataframe"):
        Encoder.fit(frame, Schema((Column("c", Kind.CATEGORICAL),))).transform(np.zeros((1, 1)))


@pytest.mark.parametrize(
    "state", [{}, {"schema": {"columns": []}, "encoders": [{"kind": "odd"}]}, {"schema": 3}]
)
def test_a_damaged_state(state):
    with pytest.raises(SchemaError, match="damaged"):
        Encoder.from_state(state)
