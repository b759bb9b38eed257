"""What columns mean, read from their values."""

import uuid
from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from outlearn.data.infer import infer_schema
from outlearn.data.schema import Kind, Role
from outlearn.errors import SchemaError

RNG = np.random.default_rng(0)
WORDS = ["lorem", "ipsum", "dolor", "sit", "amet", "sed", "do"]
NAMES = ["".join(chr(97 + letter) for letter in RNG.integers(26, size=8)) for _ in range(1000)]
SENTENCES = [" ".join(RNG.choice(WORDS, size=9)) for _ in range(1000)]


def kind_of(values, name="column", **options):
    return infer_schema(pl.DataFrame({name: pl.Series(values)}), **options)[name].kind


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("constant", [None] * 9),
        ("constant", [3.0] * 9),
        ("constant", ["x"] * 9),
        ("constant", ["", " "] * 9),
        ("constant", [np.nan, np.inf] * 9),
        ("constant", [True] * 9),
        ("constant", [date(2024, 1, 1)] * 9),
        ("numeric", [3.0, None] * 9),
        ("categorical", ["x", None] * 9),
        ("boolean", [True, None] * 9),
        ("boolean", [True, False, None]),
        ("boolean", ["yes", "No", "YES", None]),
        ("boolean", ["true", "False"]),
        ("categorical", ["yes", "off"] * 9),
        ("numeric", [0, 1] * 9),
        ("numeric", RNG.normal(size=20)),
        ("numeric", np.arange(1000) / 10),
        ("numeric", RNG.permutation(100_000)[:1000] + 1),
        ("numeric", np.sort(RNG.lognormal(10, 2, size=1000).astype(int))),
        ("numeric", 1_700_000_000 + 60 * np.arange(1000)),
        ("numeric", RNG.integers(0, 500, size=1000)),
        ("numeric", [1, 2, 3, 4, 5]),
        ("numeric", [timedelta(seconds=s) for s in (1, 5, 9)]),
        ("numeric", [time(1), time(2)]),
        ("numeric", [str(v) for v in RNG.normal(size=100)]),
        ("identifier", RNG.permutation(1000)),
        ("identifier", np.arange(20) + 1000),
        ("identifier", np.cumsum(RNG.integers(1, 40, size=1000))),
        ("identifier", -np.cumsum(RNG.integers(1, 40, size=1000))),
        ("identifier", [str(uuid.UUID(int=i << 90)) for i in range(100)]),
        ("identifier", [f"TX-{i * 7919 % 10007:05d}" for i in range(1000)]),
        ("identifier", [f"{i * 7919 % 100003:06d}" for i in range(1000)]),
        ("datetime", [datetime(2024, 1, 1), datetime(2024, 1, 2)]),
        ("datetime", [date(2024, 1, 1), None, date(2024, 1, 2)]),
        ("datetime", ["2024-01-02T03:04:05Z", "2024-01-02 03:04:05.123", "2024-01-02", None]),
        ("datetime", ["2024-01-02T03:04:05+02:00", "2024-01-02T03:04"]),
        ("datetime", ["31/12/2024 23:59", "01/02/2024 10:00"]),
        ("datetime", ["31.12.2024", "01.02.2024"]),
        ("datetime", ["12/31/2024 11:59 PM", "01/02/2024 10:00 AM"]),
        ("datetime", ["10/Oct/2000:13:55:36 -0700", "11/Oct/2000:13:55:36 -0700"]),
        ("datetime", ["Jan 3, 2024", "Feb 14, 2024"]),
        ("text", ["2024-01-02", "2024-13-02", "soon"]),
        ("categorical", ["a", "b", "c"] * 300),
        ("categorical", [f"shop {i}" for i in RNG.integers(0, 12, size=20)]),
        ("categorical", ["01067", "80331", "10115"] * 300),
        ("text", NAMES),
        ("sequence", SENTENCES),  # eight words that come again and again
        ("text", [" ".join(RNG.choice(NAMES, size=9)) for _ in range(300)]),
        ("series", [[1, 2], [3], [1]]),
    ],
)
def test_kinds(kind, values):
    assert kind_of(values) == kind


def test_a_name_supports_but_never_decides():
    cents = RNG.permutation(100_000)[:1000]
    assert kind_of(cents, "price") == Kind.NUMERIC
    assert kind_of(cents, "orderId") == Kind.IDENTIFIER
    assert kind_of(cents / 100, "order_id") == Kind.NUMERIC
    assert kind_of(RNG.integers(0, 500, size=1000), "customer_id") == Kind.NUMERIC
    assert kind_of(NAMES, "user key") == Kind.IDENTIFIER
    assert kind_of(NAMES, "monkey") == Kind.TEXT


def test_categories_of_the_library_are_kept():
    frame = pd.DataFrame({"c": pd.Categorical(["a", "b", "c", "d"])})
    assert infer_schema(frame)["c"].kind == Kind.CATEGORICAL


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (
            [*map(str, RNG.normal(size=500)), *["abc"] * 12],
            "12 values are not numbers and are read as missing",
        ),
        ([*map(str, RNG.normal(size=99)), "abc"], "1 value is not a number and is read as missing"),
        ([*map(str, RNG.normal(size=50)), *["n/a", "", "-"] * 9], ""),
        ([7.0] * 9, "one value: 7"),
        (["x", None], "holds one value (x) or none"),
        ([None], "all values are missing"),
        (np.arange(50), "distinct whole numbers that fill their range, like row numbers"),
    ],
)
def test_notes_say_why(values, note):
    assert infer_schema(pl.DataFrame({"c": values}, strict=False))["c"].note == note


def test_too_few_numbers_are_text():
    assert kind_of([*map(str, RNG.normal(size=100)), *NAMES[:10]]) == Kind.TEXT


def test_roles():
    frame = pl.DataFrame({"t": 1_700_000_000 + np.arange(50), "n": np.arange(50), "y": [0, 1] * 25})
    schema = infer_schema(frame, label_column="y", time_column="t", ignore=["n"])
    assert [column.role for column in schema.columns] == [Role.TIME, Role.IGNORED, Role.LABEL]
    assert schema["t"].kind == Kind.DATETIME
    assert infer_schema(frame, time_column="n")["n"].kind == Kind.NUMERIC
    assert schema.names == ("t", "n", "y")


@pytest.mark.parametrize(
    "options", [{"label_column": "verdct"}, {"time_column": "verdct"}, {"ignore": ["verdct"]}]
)
def test_an_unknown_column_lists_close_names(options):
    with pytest.raises(SchemaError, match="did you mean verdict"):
        infer_schema(pl.DataFrame({"verdict": [1], "x": [2]}), **options)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((2, 2)),
        [1, 2],
        None,
        pl.LazyFrame({"a": [1]}),
        pd.DataFrame(np.zeros((2, 2)), columns=["a", "a"]),
        pd.DataFrame(np.zeros((2, 2)), columns=[1, "1"]),
    ],
)
def test_what_is_not_a_table_of_distinct_columns(frame):
    with pytest.raises(SchemaError):
        infer_schema(frame)


def test_no_rows_and_no_columns():
    schema = infer_schema(pl.DataFrame({"a": [], "b": pl.Series([], dtype=pl.String)}))
    assert {column.kind for column in schema.columns} == {Kind.CONSTANT}
    assert schema["a"].note == "there are no rows"
    assert infer_schema(pl.DataFrame()).columns == ()


def test_mixed_types_in_a_pandas_column_are_read_as_text():
    frame = pd.DataFrame({"m": [1, "a", None, 2.5, True] * 10, "n": [1, "2", 3.5, None, 4] * 10})
    schema = infer_schema(frame)
    assert schema["m"].kind == Kind.CATEGORICAL
    assert schema["n"].kind == Kind.NUMERIC


def test_column_names_need_not_be_text():
    assert infer_schema(pd.DataFrame(RNG.normal(size=(5, 2)))).names == ("0", "1")
