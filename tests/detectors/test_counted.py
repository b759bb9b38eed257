from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from outlearn.detectors.classical_detector import ClassicalDetector
from outlearn.detectors.committee import Committee
from outlearn.detectors.detector import Detector
from outlearn.detectors.registry import load
from outlearn.errors import SchemaError

DETECTORS = [
    Detector(random_state=0),
    Detector("protonet", random_state=0),
    ClassicalDetector("knn"),
    Committee(("knn", "iforest"), random_state=0),
]


def reference(rows=120, seed=0):
    x, y = np.random.default_rng(seed).normal(size=(2, rows))
    return pl.DataFrame(
        {"x": x, "y": y, "state": [1] * rows, "protocol": ["tcp"] * rows, "note": [None] * rows}
    )


def some(**changes):
    """Return twenty usual rows, the eleventh of which is changed."""
    frame = reference(20, seed=1).with_columns(pl.col("x", "y") / 3)
    return frame.with_columns(
        pl.Series(name, [*frame[name][:10], value, *frame[name][11:]], strict=False)
        for name, value in changes.items()
    )


@pytest.mark.parametrize("detector", DETECTORS, ids=repr)
def test_a_value_never_seen_in_a_constant_column_comes_first_with_its_reason(detector, few_trees, tmp_path):
    fitted = detector.fit(reference(), np.zeros(120))
    for change, reason in (
        ({"state": 7}, "state is 7; it was 1 in all 120 rows compared with"),
        ({"protocol": "icmp"}, "protocol is 'icmp'; it was 'tcp' in all"),
        ({"note": "root"}, "note is 'root'; it was missing in all"),
    ):
        rows = some(**change)
        scores = fitted.anomaly_score(rows)
        assert scores.argmax() == 10
        assert fitted.explain(rows, [10])[0].sentence.startswith(reason)
        assert np.array_equal(fitted.anomaly_score(rows[10:11]), scores[10:11].round(12)) or np.isclose(
            fitted.anomaly_score(rows[10:11]), scores[10:11], rtol=0, atol=1e-6
        )
    fitted.save(tmp_path / "m.outlearn")
    again, _ = load(tmp_path / "m.outlearn")
    assert np.array_equal(again.anomaly_score(rows), scores)


def test_more_values_never_seen_are_odder_and_arrays_have_them_too():
    X = np.c_[np.random.default_rng(0).normal(size=(100, 2)), np.zeros((100, 3))]
    fitted = Detector(random_state=0).fit(X, np.zeros(100))
    rows = X[[0, 0, 0]] + np.array([[0.0] * 5, [0, 0, 1, 0, 0], [0, 0, 1, 1, 0]])
    assert (np.diff(fitted.anomaly_score(rows)) > 0.05).all()


def test_without_columns_that_vary_only_what_differs_is_odd():
    same = reference().select("state", "protocol")
    fitted = Detector(random_state=0).fit(same, np.zeros(120))
    scores = fitted.anomaly_score(some(state=7).select("state", "protocol"))
    assert scores.argmax() == 10 and len(np.unique(scores)) == 2
    with pytest.raises(SchemaError, match="no column can be used"):
        Detector().fit(same)  # nothing is known to be normal, and no row differs from another


def test_a_normal_row_with_another_value_makes_it_usual_and_a_known_anomaly_makes_it_telling():
    fitted = ClassicalDetector("knn", params={"k": 1}).fit(reference(), np.zeros(120))
    odd = some(state=7)[10:11]
    at_first, usual = fitted.anomaly_score(odd), fitted.anomaly_score(reference())
    alike = pl.concat([odd.with_columns(x=pl.col("x") + away) for away in (-0.1, 0.1)])
    assert fitted.update(alike, [0, 0]).anomaly_score(odd) < np.quantile(usual, 0.9)
    other = odd.with_columns(x=pl.col("x") + 0.5)
    assert fitted.update(odd, [1]).anomaly_score(other) > fitted.anomaly_score(other)
    assert at_first >= fitted.threshold_


def test_one_off_values_in_other_columns_make_another_one_less_telling():
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=(60, 2)), np.zeros((60, 12))]
    lonely = X.copy()
    lonely[np.arange(11), np.arange(3, 14)] = 1.0  # eleven columns in which one row differs
    new = np.zeros((1, 14))
    new[0, 2] = 1.0
    lifts = [ClassicalDetector("knn").fit(rows, np.zeros(60)).counted_.log_odds[0] for rows in (X, lonely)]
    # log(.3 · 61 / .5) and log(.3 · 61 / 11.5), by the definition
    assert np.allclose(lifts, [np.log(0.3 * 61 / 0.5), np.log(0.3 * 61 / 11.5)])


def test_a_column_of_one_value_may_be_gone_and_that_is_said():
    fitted = ClassicalDetector("knn").fit(reference(), np.zeros(120))
    rows = some(state=7)
    lacking = rows.drop("protocol")
    assert np.array_equal(fitted.anomaly_score(lacking), fitted.anomaly_score(rows))
    assert any(
        "not there, so taken to be as in the fit: protocol" in n for n in fitted.encoder_.notes_of(lacking)
    )
    assert "state is 7" in fitted.explain(lacking, [10])[0].sentence


def payments(rows=300, seed=0, **columns):
    """Return rows of four usual numbers, the first of which has one nine deviations out."""
    X = np.random.default_rng(seed).normal(size=(rows, 4))
    X[0, 1] = 9.0
    return pl.DataFrame(X, schema=list("abcd")).with_columns(**columns)


@pytest.mark.parametrize("known_normal", [False, True])
@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_a_missing_cell_does_not_come_before_a_number_nine_deviations_out(share, known_normal, few_trees):
    lacking = np.random.default_rng(1).random(300) < share
    lacking[0] = False
    rows = payments().with_columns(a=pl.when(pl.Series(lacking)).then(None).otherwise("a"))
    for detector in (Detector(random_state=0), ClassicalDetector("knn")):
        y = np.zeros(299) if known_normal else None
        scores = detector.fit(rows[1:] if known_normal else rows, y).anomaly_score(rows)
        assert (scores[lacking] < scores[0]).all()


def test_a_lone_missing_cell_is_odd_and_labels_say_that_missing_cells_tell():
    X = np.random.default_rng(0).normal(size=(300, 3)) / 3
    X[0, 0] = np.nan
    assert ClassicalDetector("knn").fit(X).counted_.log_odds.tolist() == [np.log(0.01 / (1.5 / 301))]
    X[:15, 0] = np.nan  # of 5 %, no label tells anything
    assert ClassicalDetector("knn").fit(X).counted_.log_odds.tolist() == [0.0]
    y = np.full(300, -1)
    y[:5] = 1
    told = ClassicalDetector("knn").fit(X, y)
    assert told.counted_.log_odds.tolist() == [np.log((5.01 / 6) / (10.5 / 296))]
    untold = ClassicalDetector("knn").fit(X)
    assert (told.anomaly_score(X[5:15]) > untold.anomaly_score(X[5:15])).all()


def test_rows_of_a_category_that_comes_in_every_tenth_row_stay_behind_a_far_number():
    land = np.random.default_rng(2).choice(["DE", "AT", "FR"], p=[0.55, 0.35, 0.1], size=300)
    land[0] = "DE"
    rows = payments(land=pl.Series(land))
    scores = Detector(random_state=0).fit(rows).anomaly_score(rows)
    assert (scores[land == "FR"] > scores[0]).mean() < 0.3  # all of them were
