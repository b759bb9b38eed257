import numpy as np
import polars as pl
import pytest

from outlearn.data.labels import LabelTally, parse_labels
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


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["Y", "N", "n", ""], [1, 0, 0, -1]),
        (["fraud", "OK"], [1, 0]),
        (["fail", "pass", "PASSED"], [1, 0, 0]),
        (["BENIGN", "DoS Hulk", "Heartbleed", "Web Attack XSS"], [0, 1, 1, 1]),
        (["BENIGN", "DDoS"], [0, 1]),
        (["normal.", "smurf.", "neptune."], [0, 1, 1]),
        (["Non-Fraud", "fraud"], [0, 1]),
        (["no failure", "Tool failure"], [0, 1]),
        (["true positive", "False Positive"], [1, 0]),
        (["attack", "benign", "unknown"], [1, 0, -1]),
        ([0, 0, 1, -1], [0, 0, 1, -1]),
        ([1, -1, -1], [1, -1, -1]),
    ],
)
def test_words_are_translated_where_they_are_certain(values, wanted):
    assert parse_labels(values, name="y").tolist() == wanted


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (["N", "V", "F"], "N"),  # kinds of heart beat, not yes and no
        (["normal", "abnormal", "borderline"], "borderline"),
        (["normal", "mybe"], "mybe"),
        (["benign", "anomlay"], "anomlay"),
        (["good", "bad", "average"], "average"),
        (["positive", "negative"], "positive"),
        ([1, 2], "2"),
        (["low", "high"], "low"),
    ],
)
def test_words_of_several_meanings_are_refused_with_the_way_to_say_them(values, first):
    with pytest.raises(LabelError, match=f"holds '{first}' .*--anomaly-value VALUE"):
        parse_labels(values, name="y")


@pytest.mark.parametrize(("named", "wanted"), [(["-1"], [0, 0, 0, 1]), ([1], [1, 1, 1, 0])])
def test_labels_of_scikit_learn_are_refused_until_the_user_says_what_they_mean(named, wanted):
    values = pl.Series([1, 1, 1, -1])
    with pytest.raises(LabelError, match=r"1 in 3 rows and -1 in 1, and no 0\. .*--anomaly-value -1"):
        parse_labels(values, name="y")
    assert parse_labels(values, name="y", anomaly_values=named).tolist() == wanted


def test_a_value_that_the_user_names_is_the_anomaly_and_others_are_normal():
    said = ["2.0", "1", "", "unknown", "3"]
    assert parse_labels(said, name="y", anomaly_values=["2"]).tolist() == [1, 0, -1, -1, 0]
    assert parse_labels([1, 0, -1], name="y", anomaly_values=["1"]).tolist() == [1, 0, -1]


@pytest.mark.parametrize(("name", "false"), [("is_normal", "no"), ("testPassed", "no"), ("ok", "no")])
def test_a_name_that_says_normal_asks_which_value_is_the_anomaly(name, false):
    with pytest.raises(LabelError, match=f"by its name .*--anomaly-value {false}"):
        parse_labels(["yes", "no"], name=name)
    assert parse_labels(["yes", "no"], name=f"not_{name}").tolist() == [1, 0]


def settle(values, **options):
    tally = LabelTally("y", source="t.csv", **options)
    tally.add(pl.Series(values))
    return tally.settle()


def test_how_values_were_read_is_said():
    assert settle([1, 0, None]).notes == ()
    (note,) = settle(["fraud", "ok", "ok", None]).notes
    assert note == (
        "values of column 'y' of t.csv were read as anomalies: 'fraud' (1 row); normal: 'ok' (2 rows); not "
        "labelled: empty (1 row)"
    )
    assert "-1 in column 'y' of t.csv was read as not labelled" in settle([1, -1, -1]).notes[0]
    absent = "no row of column 'y' of t.csv holds 'bda'; its values are 'ok', 'bad'"
    slip = settle(["ok", "bad"], anomaly_values=["bda"])
    assert slip.absent == slip.notes[0] == absent
    partly = settle(["ok", "dos"], anomaly_values=["dos", "ddos"])
    assert "holds 'ddos'" in partly.notes[0] and not partly.absent


def test_a_few_known_anomalies_are_fine_and_more_than_normals_never_pass_in_silence():
    few = settle([1] * 3 + [None] * 97)
    assert (few.anomalies, few.normals, few.unlabelled) == (3, 0, 97) and not (few.caution or few.one_sided)
    assert "30 of 100 rows anomalies and none normal" in settle([1] * 30 + [None] * 70).caution
    assert "60 of 100 rows anomalies and none normal" in settle([1] * 60 + [None] * 40).one_sided
    turned = settle([1] * 95 + [0] * 5)
    assert "if it is the other way round" in turned.caution and not turned.one_sided
    assert not settle([1] * 3 + [0] + [None] * 96).caution  # verdicts on what was on top
    assert not settle([1] * 95 + [0] * 5, anomaly_values=["1"]).caution
