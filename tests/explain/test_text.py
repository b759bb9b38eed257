import datetime as dt
import unicodedata
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlearn.explain import describe, sentence
from outlearn.explain.explanation import Contribution
from outlearn.explain.text import MOST_LIKE

JOINERS = "\u200c\u200d"  # which several scripts need
AMOUNTS = np.linspace(0, 400, 401)
COUNTRIES = ["DE"] * 61 + ["FR"] * 30 + ["IT"] * 8 + ["KP"]
DAYS = pd.date_range("2024-01-01 08:00", "2024-03-31 17:00", freq="h").to_list()
RENTS = [f"monthly rent no {number}" for number in range(100, 160)]
OFFICE = [day for day in DAYS if 8 <= day.hour <= 17]


@pytest.mark.parametrize(
    ("kind", "value", "usual", "near", "words", "direction"),
    [
        ("numeric", 9120, AMOUNTS, [1], "20 to 380", "high"),
        ("numeric", -1.5, AMOUNTS, [1], "20 to 380", "low"),
        ("numeric", 300, AMOUNTS, [10, 11, 12] * 5, f"10 to 12 {MOST_LIKE}", "unusual here"),
        ("numeric", 300, AMOUNTS, [10, 12], "20 to 380", "in combination"),
        ("numeric", 300, AMOUNTS, AMOUNTS[5:290:20], "20 to 380", "in combination"),
        ("numeric", 300, AMOUNTS, (), "20 to 380", "in combination"),
        ("numeric", 300, AMOUNTS, [290, 310], "20 to 380", "in combination"),
        ("categorical", "FR", COUNTRIES, ["FR"] * 9, "DE 61 %, FR 30 %, IT 8 %", "in combination"),
        ("numeric", None, AMOUNTS, [1], "20 to 380", "missing"),
        (
            "numeric",
            np.nan,
            [*AMOUNTS, *[None] * 401],
            [1],
            "20 to 380; missing in 50 % of usual rows",
            "missing",
        ),
        ("numeric", 3.0, [None] * 99 + [3.0], [None], "missing in 99 % of usual rows", "rare"),
        ("numeric", "n/a", AMOUNTS, [1], "401 different values; this value 0 %", "rare"),
        ("numeric", np.inf, AMOUNTS, [1], "20 to 380", "high"),
        ("categorical", 7, range(50), [1, 2, 3, 4], "0 2 %, 1 2 %, 2 2 %", "in combination"),
        ("text", "gift voucher no 123", RENTS, [], "none with 'gift', 'voucher'", "unusual here"),
        ("text", "rent monthly 123456", RENTS, [], "16 % digits", "unusual here"),
        ("text", "monthly rent no 777", RENTS, [], "19 characters", "in combination"),
        ("numeric", 5, [3] * 20, [3], "3", "high"),
        ("numeric", 0.5, np.linspace(1e-5, 2e-5, 50), [1e-5], "1.05e-05 to 1.95e-05", "high"),
        (
            "numeric",
            5e6,
            np.linspace(1_000_000, 1_000_001, 50),
            [1e6],
            "1,000,000.05 to 1,000,000.95",
            "high",
        ),
        ("categorical", "KP", COUNTRIES, ["DE"], "DE 61 %, FR 30 %, IT 8 %; this value 1 %", "rare"),
        (
            "categorical",
            "FR",
            COUNTRIES,
            ["DE"] * 39 + ["FR"],
            f"DE 98 %, FR 2.5 % {MOST_LIKE}",
            "unusual here",
        ),
        ("categorical", "FR", COUNTRIES, ["DE"] * 9 + ["FR"], "DE 61 %, FR 30 %, IT 8 %", "in combination"),
        (
            "datetime",
            dt.datetime(2024, 3, 1, 12),
            DAYS,
            DAYS[200:230],
            f"2024-01-09 17:27 to 2024-01-10 19:33 {MOST_LIKE}",
            "unusual here",
        ),
        ("boolean", True, [False] * 99 + [True], [False], "False 99 %; this value 1 %", "rare"),
        ("categorical", "x", [None, None], [None], "missing in 100 % of usual rows", "rare"),
        ("categorical", "x", [], [], "none known", "unusual here"),
        ("categorical", None, [], [], "always missing", "missing"),
        ("datetime", dt.datetime(2025, 1, 1), DAYS, DAYS, "2024-01-05 to 2024-03-27", "high"),
        (
            "datetime",
            dt.datetime(2024, 2, 1, 3, 5),
            OFFICE,
            OFFICE,
            "08:00 to 17:00 of the day",
            "unusual here",
        ),
        ("datetime", "2023-12-31", DAYS, DAYS, "2024-01-05 to 2024-03-27", "low"),
        ("datetime", None, DAYS, DAYS, "2024-01-05 to 2024-03-27", "missing"),
        ("text", "a" * 500, ["word " * n for n in range(1, 20)], [], "9.5 to 90.5 characters", "high"),
        ("text", "", ["word " * n for n in range(1, 20)], [], "9.5 to 90.5 characters", "low"),
        ("series", [], [[1.0, 2.0]], [], "lists of numbers", "missing"),
        ("embedding", [float("nan")] * 3, [[1.0, 2.0, 3.0]], [], "lists of numbers", "missing"),
    ],
)
def test_a_value_is_compared_in_words(kind, value, usual, near, words, direction):
    contribution = describe("c", kind, value, usual, near, drop=0.5)
    assert (contribution.usual, contribution.direction) == (words, direction)
    assert contribution.drop == 0.5


def test_time_zones_and_dataframe_cells_are_understood():
    aware = [day.tz_localize("Europe/Berlin") for day in pd.date_range("2024-01-01", periods=60)]
    late = pd.Timestamp("2025-01-01", tz="Europe/Berlin")
    assert describe("t", "datetime", late, aware, aware).direction == "high"
    assert describe("t", "datetime", np.datetime64("NaT"), aware, aware).direction == "missing"
    assert describe("n", "numeric", pd.NA, pd.array([1, 2, None], dtype="Int64"), [1]).direction == "missing"
    assert describe("n", "numeric", np.float32(9), pd.Series([1.0, 2.0]).to_numpy(), [1]).value == 9.0


def test_values_are_plain_so_that_they_can_be_written_as_json():
    assert type(describe("n", "numeric", np.int64(3), [1], [1]).value) is int
    assert describe("n", "numeric", float("nan"), [1], [1]).value is None
    assert type(describe("n", "categorical", np.str_("a"), ["b"], ["b"]).value) is str


def test_the_sentence_reads_like_one():
    parts = [
        describe("amount", "numeric", 9120, AMOUNTS, [1], drop=0.9),
        describe("country", "categorical", "KP", COUNTRIES, ["DE"], drop=0.5),
        describe("hour", "numeric", None, [1, 2], [1], drop=0.3),
        describe("fourth", "numeric", 1, [1, 2], [1], drop=0.2),
    ]
    assert sentence(parts) == (
        "amount is 9,120, above the usual 20 to 380; "
        "country 'KP' is rare (usual: DE 61 %, FR 30 %, IT 8 %; this value 1 %); "
        "hour is missing (usual: 1.05 to 1.95)."
    )


def test_columns_that_do_not_lower_the_score_are_not_blamed():
    amount = describe("amount", "numeric", 9120, AMOUNTS, [1], drop=-0.1)
    assert "amount" not in sentence([amount])
    assert sentence([]) == "No column was found that explains it."
    assert sentence([], "none of its columns explains it") == "None of its columns explains it."
    weak = describe("weak", "numeric", 9, [1, 2], [1], drop=0.01)
    strong = describe("strong", "numeric", 9, [1, 2], [1], drop=1.0)
    assert "weak" not in sentence([strong, weak])
    here = Contribution("a", 3.0, f"1 to 2 {MOST_LIKE}", "unusual here", 1.0)
    assert sentence([here]) == "a is 3, usually 1 to 2 in the rows most like it in its other columns."
    with_others = Contribution("a", 3.0, "1 to 5", "in combination", 1.0)
    assert sentence([with_others]) == "No value is unusual by itself; a 3 weighs most."
    assert "weigh" not in sentence([with_others, here])
    low = Contribution("a", 3.0, "4 to 5", "low", 1.0)
    assert "a is 3, below the usual 4 to 5" in sentence([low])
    late = describe("t", "datetime", dt.datetime(2025, 1, 1), DAYS, DAYS, drop=1.0)
    assert "t is 2025-01-01 00:00, later than the usual 2024-01-05" in sentence([late])
    long = describe("note", "text", "a" * 30, RENTS, [], drop=1.0)
    assert f"note is '{'a' * 30}', longer than the usual 19 characters" in sentence([long])


def test_columns_that_are_odd_beside_one_another_are_one_clause():
    amount = Contribution("amount", 3.1, "40 to 90 where items is 12", "unusual here", 0.3, ("items",))
    items = Contribution("items", 12, "1 to 12", "in combination", 1.0, ("amount",))
    age = Contribution("age", 99, "20 to 80", "high", 0.5)
    assert sentence([amount, items, age]) == (
        "amount is 3.1, usually 40 to 90 where items is 12; age is 99, above the usual 20 to 80."
    )
    # A column alone that its company tells of says nothing, and what is not told of is named together.
    hidden = [replace(items, beside=("day", "age")), Contribution("day", 7, "1 to 9", "in combination", 1.0)]
    assert sentence([hidden[0], replace(hidden[1], beside=("items", "age"))]) == (
        "No single column explains it: items 12 and day 7 are odd only together."
    )


CELLS = st.one_of(
    st.none(),
    st.text(),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.datetimes(),
    st.binary(),
    st.just(10**400),
    st.just(10**5000),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.text(),
    st.sampled_from(["numeric", "boolean", "categorical", "datetime", "text"]),
    CELLS,
    st.lists(CELLS, max_size=8),
    st.lists(CELLS, max_size=3),
)
def test_whatever_a_cell_holds_the_words_are_short_and_safe(name, kind, value, usual, near):
    contribution = describe(name, kind, value, usual, near, drop=1.0)
    line = sentence([contribution] * 5)
    for text in (line, contribution.usual, contribution.column):
        assert all(unicodedata.category(letter)[0] != "C" for letter in text if letter not in JOINERS)
        assert len(text) < 1500
    assert len(contribution.column) <= 60
    assert contribution.direction in {"high", "low", "rare", "unusual here", "missing", "in combination"}
    if isinstance(contribution.value, str):
        assert len(contribution.value) <= 60


def test_a_huge_hostile_cell_is_cut():
    hostile = "<script>\x00\x1b[2J\u202e\n" + "A" * 5_000_000
    contribution = describe("c" * 500, "categorical", hostile, [hostile, "b"] * 10, ["b"])
    assert len(contribution.value) == 60
    assert contribution.value.endswith("…")
    assert len(contribution.usual) < 300
