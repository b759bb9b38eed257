import numpy as np
import polars as pl
import pytest

from outlearn.data.labels import parse_labels
from outlearn.errors import LabelError


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["1", "0", "", None, "-1"], [1, 0, -1, -1, -1]),
        (
            ["Anomaly", "NORMAL", " outlier ", "inlier", "TRUE", "false", "Yes", "no"],
            [1, 0, 1, 0, 1, 0, 1, 0],
        ),
        ([1.0, 0.0, float("nan"), None], [1, 0, -1, -1]),
        (["1.0", "0.00", "-1.0", "  "], [1, 0, -1, -1]),
        ([True, False, None], [1, 0, -1]),
        ([1, "anomaly", False, 0.0, None], [1, 1, 0, 0, -1]),
        ([None, None], [-1, -1]),
        ([], []),
    ],
)
def test_allowed(values, wanted):
    labels = parse_labels(values, name="y")
    assert labels.dtype == np.int8
    assert labels.tolist() == wanted


@pytest.mark.parametrize(
    "series",
    [
        pl.Series([1, 0, -1], dtype=pl.Int8),
        pl.Series([1.0, 0.0, None]),
        pl.Series(["yes", "no", None]),
        pl.Series(["1", "0.0", ""]),
        pl.Series(["outlier", "Normal", " "], dtype=pl.Categorical),
    ],
)
def test_series_of_any_type(series):
    assert parse_labels(series, name="y").tolist() == [1, 0, -1]


def test_all_missing_series():
    assert parse_labels(pl.Series([None, None]), name="y").tolist() == [-1, -1]


@pytest.mark.parametrize(
    "values", [[0, 2], ["0", "maybe"], [0.0, 0.5], [0, float("inf")], ["0", "11"], [0, "1x"]]
)
def test_refused(values):
    with pytest.raises(
        LabelError, match=r"column 'verdict' holds .* \(row 11\); allowed labels are 1, 0, -1"
    ):
        parse_labels(values, name="verdict", first_row=10)


def test_at_most_five_are_listed():
    with pytest.raises(LabelError, match=r"'w4' \(row 4\) and 1,995 more; allowed") as caught:
        parse_labels([f"w{i}" for i in range(2_000)], name="y")
    assert "w5" not in str(caught.value)


def test_other_types_are_refused():
    with pytest.raises(LabelError, match="2024"):
        parse_labels(pl.Series(["2024-01-01"]).str.to_date(), name="y")
