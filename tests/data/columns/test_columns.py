"""What each column encoder makes of its cells."""

import json
import runpy
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlearn.data.columns import (
    BooleanEncoder,
    CategoricalEncoder,
    MomentEncoder,
    NumericEncoder,
    Repairs,
    TextEncoder,
)
from outlearn.data.columns.dates import form_of, moments_of

naive = runpy.run_path(str(Path(__file__).parents[2] / "naive" / "text.py"))
ENCODERS = (BooleanEncoder, CategoricalEncoder, MomentEncoder, NumericEncoder, TextEncoder)


def encoded(kind, fitted, cells):
    values, repairs = kind.fit("c", pl.Series(fitted, strict=False)).encode(pl.Series(cells, strict=False))
    assert np.isfinite(values).all()
    return values, repairs


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize(
    "cells",
    [
        ["a", "1", "2024-01-01", "yes", None, "", "  ", "inf", "é\U0001f600", "x" * 5000],
        [1.5, np.nan, np.inf, -np.inf, 1e300, -1e-300, 2.0**63],
        [None, None],
        pl.Series([None], dtype=pl.Float64),
        pl.Series([], dtype=pl.String),
        [True, None, False],
        [datetime(2024, 1, 1), None, datetime(1, 1, 1), datetime(9999, 12, 31)],
        [[1], [1, 2], None],
        [b"\xff", b"", None],
        pl.Series([2**64 - 1, 0], dtype=pl.UInt64),
        pl.Series(["a", "b", None], dtype=pl.Categorical),
    ],
)
def test_any_cells_encode_with_any_encoder(kind, cells):
    cells = pl.Series(cells, strict=False)
    for fitted in (cells, pl.Series(["a", "b"]), pl.Series([1.0, 2.0])):
        encoder = kind.fit("c", fitted)
        values, repairs = encoder.encode(cells)
        assert values.shape == (len(cells), len(encoder.names))
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
        assert min(repairs.missing, repairs.unparsed, repairs.unseen) >= 0
        again = kind.from_state(json.loads(json.dumps(encoder.to_state())))
        assert again == encoder
        hash(again)


def test_large_offsets_keep_their_precision():
    epochs = 1_700_000_000 + np.arange(-3, 4)
    values, _ = encoded(NumericEncoder, epochs, epochs)
    assert values[:, 0].tolist() == [-3, -2, -1, 0, 1, 2, 3]


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_numbers_at_the_ends_of_float64_still_tell_rows_apart(scale):
    numbers = np.arange(1, 8) * scale
    values, repairs = encoded(NumericEncoder, numbers, numbers)
    assert (np.diff(values[:, 0]) > 0.1).all()
    assert repairs == Repairs()


def test_one_huge_number_is_clipped_and_leaves_the_others_alone():
    values, repairs = encoded(NumericEncoder, [1.0, 2.0, 3.0, 1e300], [1.0, 2.0, 3.0, 1e300, -1.7e308])
    assert values[:3, 0].tolist() == [-1, 0, 1]
    assert np.isfinite(np.square(values)).all()
    assert repairs == Repairs(clipped=2)


def test_missing_numbers_are_the_median_and_are_told_where_the_fit_saw_some():
    values, repairs = encoded(NumericEncoder, [5.0, None, 7.0, 9.0], [None, np.inf, 9.0])
    assert values.tolist() == [[0, 1], [0, 1], [2, 0]]
    assert repairs == Repairs(infinite=1)
    values, repairs = encoded(NumericEncoder, [5.0, 7.0, 9.0], [None, np.inf, 9.0])
    assert values.tolist() == [[0], [0], [2]]
    assert repairs == Repairs(missing=1, infinite=1)


def test_numbers_in_text_are_read_and_the_others_counted():
    values, repairs = encoded(NumericEncoder, ["1", "2", "3"], [" 3 ", "1e1", "n/a", "abc", "-inf", ""])
    assert values[:, 0].tolist() == [1, 8, 0, 0, 0, 0]
    assert repairs == Repairs(missing=2, unparsed=1, infinite=1)


def test_truth_is_one_whatever_the_word():
    cells = ["yes", "NO", "true", "f", "1", "0", None, "perhaps"]
    values, repairs = encoded(BooleanEncoder, ["yes", "yes", "no"], cells)
    assert values[:, 0].tolist() == [1, 0, 1, 0, 1, 0, 1, 1]
    assert repairs == Repairs(missing=1, unparsed=1)


def test_rarity_falls_with_frequency_and_the_unseen_is_rarest():
    fitted = ["a"] * 70 + ["b"] * 26 + ["c"] * 3 + ["d"]
    values, repairs = encoded(CategoricalEncoder, fitted, ["a", "b", "c", "d", "new", " a "])
    rarity = values[:, 0]
    assert rarity[0] == rarity[1] == rarity[5] == 0.0  # what comes in a twentieth of the rows is not rare
    assert (np.diff(rarity[1:5]) > 0).all()
    assert rarity[3] == pytest.approx(np.log(0.05 * 101 / 1.5))
    assert repairs == Repairs(unseen=1)
    assert np.linalg.norm(values[0, 1:] - values[1, 1:]) == pytest.approx(1)
    assert not values[4, 1:].any()


def test_encoders_of_before_keep_their_rarity():
    state = CategoricalEncoder.fit("c", pl.Series(["a"] * 70 + ["b"] * 30)).to_state()
    del state["ordinary"]
    rarity = CategoricalEncoder.from_state(state).encode(pl.Series(["a", "b", "new"]))[0][:, 0]
    assert rarity == pytest.approx(-np.log(np.array([70.5, 30.5, 0.5]) / 101))


def test_at_most_twelve_values_have_a_column():
    common = [f"v{i % 14}" for i in range(1400)] + [f"v{i % 12}" for i in range(1200)] + ["v7"]
    many = CategoricalEncoder.fit("c", pl.Series(common))
    assert len(many.names) == 13
    assert many.names[1] == "c=v7"
    rare = CategoricalEncoder.fit("c", pl.Series(["a"] * 1000 + ["b"] * 9))
    assert rare.names == ("c rarity", "c=a")


def test_a_missing_category_is_a_value_like_any_other():
    encoder = CategoricalEncoder.fit("c", pl.Series(["a", None, "a", None, "b"]))
    assert "c=(missing)" in encoder.names
    assert encoder.encode(pl.Series([None], dtype=pl.String))[1] == Repairs()
    _, repairs = encoded(CategoricalEncoder, ["a", "b"], ["a", None, "c"])
    assert repairs == Repairs(missing=1, unseen=1)


def test_categories_written_as_numbers_read_alike_from_int_and_float():
    as_int, _ = encoded(CategoricalEncoder, [1, 2, 2, None], [1, 2, 3, None])
    as_float, _ = encoded(CategoricalEncoder, [1.0, 2.0, 2.0, np.nan], ["1", "2", "3", None])
    assert np.array_equal(as_int, as_float)


def test_moments_are_days_and_points_of_a_circle():
    hours = [datetime(2024, 1, 1, hour) for hour in (0, 6, 12, 18)]
    encoder = MomentEncoder.fit("t", pl.Series(hours))
    assert encoder.names == ("t days", "t hour sine", "t hour cosine")
    values, _ = encoder.encode(pl.Series(hours))
    assert values[:, 0].tolist() == [-0.25, 0, 0.25, 0.5]
    assert np.linalg.norm(values[0, 1:] - values[2, 1:]) == pytest.approx(1)
    days = MomentEncoder.fit("t", pl.Series([datetime(2024, 1, day) for day in range(1, 15)]))
    assert days.names == ("t days", "t weekday sine", "t weekday cosine")
    week = days.encode(pl.Series([datetime(2024, 1, 1), datetime(2024, 1, 8)]))[0]
    assert np.array_equal(week[0, 1:], week[1, 1:])


@pytest.mark.parametrize(
    "written",
    [
        ["2024-01-01 00:00:00", "2024-01-01T06:00:00Z", "2024-01-01 14:00+02:00"],
        ["01.01.2024 00:00", "01.01.2024 06:00", "01.01.2024 12:00"],
        [1704067200, 1704067200 + 21600, 1704067200 + 43200],
        [1704067200000, 1704067200000 + 21600000, 1704067200000 + 43200000],
        ["1704067200", "1704088800", "1704110400"],
    ],
)
def test_moments_read_alike_however_they_are_written(written):
    values, repairs = encoded(MomentEncoder, written, written)
    hours = [datetime(2024, 1, 1, hour) for hour in (0, 6, 12)]
    assert np.array_equal(values, encoded(MomentEncoder, hours, hours)[0])
    assert repairs == Repairs()


def test_moments_that_are_none_are_counted():
    values, repairs = encoded(MomentEncoder, ["2024-01-01", "2024-01-03"], ["2024-01-03", "soon", None])
    assert values[:, 0].tolist() == [2, 0, 0]
    assert not values[1:].any()
    assert repairs == Repairs(missing=1, unparsed=1)


def test_a_time_zone_moves_the_clock_not_the_moment():
    utc = pl.Series([datetime(2024, 1, 1, 23), datetime(2024, 1, 2, 1)]).dt.replace_time_zone("UTC")
    local = utc.dt.convert_time_zone("Asia/Tokyo")
    encoder = MomentEncoder.fit("t", local)
    assert np.array_equal(encoder.encode(utc)[0], encoder.encode(local)[0])
    assert MomentEncoder.from_state(encoder.to_state()).zone == "Asia/Tokyo"


@given(st.lists(st.text(min_size=1).filter(lambda t: t.strip() == t and t), min_size=1, max_size=8))
def test_text_is_described_as_the_plain_oracle_does(cells):
    values, _ = TextEncoder.fit("c", pl.Series(cells)).encode(pl.Series(cells))
    wanted = [naive["describe"](cells, cell) for cell in cells]
    np.testing.assert_allclose(values, wanted, rtol=1e-4, atol=1e-5)


def test_odd_text_is_rarer_and_long_text_is_described_block_by_block():
    usual = [f"user {i} logged in from host {i % 7}" for i in range(20_000)]
    encoder = TextEncoder.fit("c", pl.Series(usual))
    values, _ = encoder.encode(pl.Series([*usual, "zq#xw!!kv", "U" * 10_000]))
    assert values[-2:, 4].min() > values[:-2, 4].max()
    assert values[-2, 3] == pytest.approx(3 / 9)
    assert values[-1, 2] == 1
    assert values[-1, 0] == pytest.approx(np.log(10_001))
    alone, _ = encoder.encode(pl.Series([usual[9_999]]))
    assert np.array_equal(alone[0], values[9_999])


def test_missing_text_is_the_usual_text():
    values, repairs = encoded(TextEncoder, ["ab", "abc", "abcd"], [None, "abc"])
    assert values[0, 0] == pytest.approx(np.log(4))
    assert repairs == Repairs(missing=1)


def test_sentences_count():
    told = Repairs(missing=1, unparsed=2, infinite=3, clipped=4, unseen=5000).sentences("c")
    assert told == (
        "c: 1 value is missing, which the fit never saw",
        "c: 2 values are not of the column's kind and read as missing",
        "c: 3 infinite values are read as missing",
        "c: 4 values are too large for float32 and clipped",
        "c: 5,000 values are of a category not seen in the fit",
    )
    assert Repairs().sentences("c") == ()


def test_of_many_values_of_one_share_none_has_a_column_of_its_own():
    even = pl.Series("account", [f"A{i % 60:03}" for i in range(1200)])
    assert CategoricalEncoder.fit("account", even).frequent == 0
    common = pl.Series("account", ["main"] * 600 + even.to_list())
    assert CategoricalEncoder.fit("account", common).names == ("account rarity", "account=main")


@pytest.mark.parametrize(
    ("cells", "form", "second"),
    [
        (["02.01.24", "31.12.24"], "day.month.year", datetime(2024, 12, 31)),
        (["1/2/24", "12/31/24"], "month/day/year", datetime(2024, 12, 31)),
        (["31/12/24 10:30", "1/2/24 9:05"], "day/month/year", datetime(2024, 2, 1, 9, 5)),
        (["2.1.0", "2.1.10"], None, None),
    ],
)
def test_years_of_two_digits_are_of_our_time(cells: list[str], form: str | None, second: object) -> None:
    assert form_of(pl.Series(cells)) == form
    if form is not None:
        assert moments_of(pl.Series(cells), form)[0][1] == second
