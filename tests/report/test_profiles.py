from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest

from outlearn.data.quantities import Form, Notation
from outlearn.data.schema import Column, Kind, Role, Schema
from outlearn.findings import column_profiles
from outlearn.report.profiles import profile_words


def profile_of(kind, usual, flagged, **options):
    frames = (pl.DataFrame({"rows": values}, strict=False) for values in (usual, flagged))
    (found,) = column_profiles(*frames, Schema((Column("rows", kind, **options),)))
    profile = profile_words(found)
    assert (
        len(profile.bins) == len(profile.usual_share) == len(profile.flagged_share) == len(set(profile.bins))
    )
    assert sum(profile.usual_share) == pytest.approx(1)
    assert sum(profile.flagged_share) == pytest.approx(1)
    return profile


def test_numbers_are_binned_by_quantiles_of_the_usual_rows():
    profile = profile_of(Kind.NUMERIC, list(np.arange(1001.0)), [2000.0, 2000.0, 5.0, None], unit="EUR")
    inner = ("10 to 50", "50 to 250", "250 to 500", "500 to 750", "750 to 950", "950 to 990")
    assert profile.bins == ("under 10", *inner, "990 or more", "missing")
    assert profile.usual_share == pytest.approx((0.01, 0.04, 0.2, 0.25, 0.25, 0.2, 0.04, 0.01, 0), abs=0.002)
    assert profile.flagged_share == (0.25, 0, 0, 0, 0, 0, 0, 0.5, 0.25)
    assert profile.usual == "median 500 EUR (5–95 %: 50 to 950)"
    assert profile.flagged.endswith(", 25 % missing")


def test_few_distinct_numbers_are_shown_one_by_one():
    profile = profile_of(Kind.NUMERIC, [0, 0, 1, 1], [1, 7])
    assert profile.bins == ("0", "1", "other values")
    assert profile.flagged_share == (0, 0.5, 0.5)
    assert profile_of(Kind.NUMERIC, [3, 3], [3]).usual == "all 3"


def test_infinite_and_all_missing_numbers():
    wild = profile_of(Kind.NUMERIC, [*np.arange(20.0), np.inf, -np.inf, np.nan], [np.inf])
    assert wild.bins[-1] == "missing"
    assert "inf" not in wild.usual
    assert wild.flagged == "no finite values"
    assert profile_of(Kind.NUMERIC, [None, None], [None]).usual == "all missing"


def test_numbers_kept_as_text_are_read():
    assert profile_of(Kind.NUMERIC, ["1", "1.5", "?"], ["2"]).bins == ("1", "1.5", "other values", "missing")


def test_categories_show_common_ones_and_those_of_flagged_rows():
    usual = [letter for i, letter in enumerate("abcdefgh") for _ in range(8 - i)]
    profile = profile_of(Kind.CATEGORICAL, usual, ["z", "z", "h", "a", None])
    assert profile.bins == ("a", "b", "c", "d", "e", "z", "h", "other values", "missing")
    assert profile.flagged_share == (0.2, 0, 0, 0, 0, 0.4, 0.2, 0, 0.2)
    assert profile.flagged == "z 40 %, a 20 %, h 20 %, 20 % missing"


def test_hostile_categories_are_cut_and_kept_apart():
    profile = profile_of(Kind.CATEGORICAL, ["x" * 10**6, "x" * 10**6 + "y", "\x1b[2J", ""], ["missing", None])
    assert max(map(len, profile.bins)) <= 40
    assert "(blank)" in profile.bins
    assert not any("\x1b" in label for label in (*profile.bins, profile.usual))


@pytest.mark.parametrize("step", [timedelta(days=2), timedelta(minutes=1)])
def test_times_are_written_as_finely_as_needed(step):
    profile = profile_of(
        Kind.DATETIME, [datetime(2024, 1, 1) + i * step for i in range(100)], [datetime(2023, 1, 1)]
    )
    assert profile.bins[0].startswith("under 2024-01-0")
    assert profile.flagged == "all 2023-01-01"
    assert profile_of(Kind.DATETIME, [date(2024, 1, 1)], [date(2024, 1, 1)]).usual == "all 2024-01-01 00:00"


def test_text_is_measured_by_its_length():
    assert profile_of(Kind.TEXT, ["ab", "cd"], ["日本語"]).flagged == "all 3 characters"


def test_booleans_and_lists():
    assert profile_of(Kind.BOOLEAN, [True, False, True], [False]).bins == ("true", "false")
    assert profile_of(Kind.CATEGORICAL, [[1], [2], [1]], [[3]]).bins == ("[1]", "[2]", "[3]")


def test_most_different_columns_come_first_and_unused_ones_are_left_out():
    usual = pl.DataFrame({"same": [1, 2], "label": [0, 0], "far": [1, 1], "id": [1, 2], "near": [1, 2]})
    flagged = pl.DataFrame({"same": [1, 2], "label": [1, 1], "far": [9, 9], "id": [3, 4], "near": [1, 1]})
    schema = Schema(
        (
            Column("same", Kind.NUMERIC),
            Column("label", Kind.NUMERIC, Role.LABEL),
            Column("far", Kind.NUMERIC),
            Column("id", Kind.IDENTIFIER),
            Column("near", Kind.NUMERIC),
            Column("gone", Kind.NUMERIC),
        )
    )
    assert [p.column for p in column_profiles(usual, flagged, schema)] == ["far", "near", "same"]
    assert column_profiles(usual, flagged.clear(), schema) == ()
    assert column_profiles(usual.clear(), flagged, schema) == ()


def test_durations_and_times_of_day_are_profiled_by_their_seconds():
    assert profile_of(Kind.NUMERIC, [timedelta(minutes=i) for i in range(3)], [timedelta(hours=1)]).usual == (
        "median 60 (5–95 %: 6 to 114)"
    )
    assert profile_of(Kind.NUMERIC, [time(0, 3), time(0, 5)], [time(12)]).flagged == "all 43,200"


def test_spans_and_times_of_day_are_told_as_such():
    usual, flagged = pl.DataFrame({"t": np.arange(3601.0)}), pl.DataFrame({"t": [40_000.0, 41_000.0]})
    for form, words in ((Form.SPAN, "median 0:30:00"), (Form.CLOCK, "median 00:30")):
        column = Column("t", Kind.NUMERIC, unit="s", notation=Notation(form))
        (profile,) = column_profiles(usual, flagged, Schema((column,)))
        assert profile_words(profile).usual.startswith(words)
