"""Reasons in the words of the table, for tables with every kind of column."""

import datetime

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from outlearn.data.datasets import load_dataset
from outlearn.data.schema import Column, Kind, Schema
from outlearn.detectors import ClassicalDetector, Detector
from outlearn.detectors.causes import UsualTable
from outlearn.explain import RowContribution, explain_rows, faithfulness


def table(n=120):
    rng = np.random.default_rng(0)
    amount = rng.normal(100, 10, n)
    return pd.DataFrame(
        {
            "order_id": [f"o{i:05}" for i in range(n)],
            "amount": amount,
            "tax": amount * 0.2 + rng.normal(0, 0.2, n),
            "shop": rng.choice(["north", "south", "west"], n),
            "paid": rng.random(n) < 0.5,
            "day": pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 60, n), unit="D"),
        }
    )


@pytest.fixture(scope="module", params=["knn", "pca"])
def detector(request):
    return ClassicalDetector(request.param, random_state=0).fit(table())


def why(detector, **cells):
    row = table()[:1].assign(**cells)
    return detector.explain(row, rows=[0])[0]


def test_a_number_is_told_with_its_range_and_direction(detector):
    first = why(detector, amount=400.0, tax=80.0).contributions
    assert {first[0].column, first[1].column} == {"amount", "tax"}
    for cause in first[:2]:
        assert cause.direction == "high" and cause.value in (400.0, 80.0) and " to " in cause.usual
    assert first[0].drop >= first[1].drop > 0


def test_an_odd_combination_names_its_columns_and_what_is_usual_there(detector):
    reason = why(detector, amount=90.0, tax=22.5)
    first, second = reason.contributions[:2]
    assert {first.column, second.column} == {"amount", "tax"}
    assert (first.beside, second.beside) == ((second.column,), (first.column,))
    assert f" where {second.column} is near {second.value:g}" in first.usual
    assert reason.sentence.startswith(f"{first.column} is {first.value:g}, usually {first.usual}")


def test_categories_that_are_numbers_are_told_as_they_stand():
    rng = np.random.default_rng(0)
    code = rng.choice([200, 404], 200)
    rows = pd.DataFrame({"code": code, "error": code == 404, "size": rng.normal(size=200)})
    kinds = {"code": Kind.CATEGORICAL, "error": Kind.BOOLEAN, "size": Kind.NUMERIC}
    schema = Schema(tuple(Column(name, kind) for name, kind in kinds.items()))
    detector = ClassicalDetector("knn", schema=schema, random_state=0).fit(rows)
    reason = detector.explain(rows[:1].assign(code=404, error=False), rows=[0])[0]
    assert reason.sentence.startswith(
        ("code is 404, usually 200 100 % where error is False", "error is False, u")
    )


def test_a_row_without_a_filled_cell_says_so(detector):
    cells = dict.fromkeys(["amount", "tax", "shop", "paid", "day"], None)
    assert why(detector, **cells).sentence == "All 5 cells that are looked at are missing."


def test_where_no_column_lowers_the_score_it_is_said_what_was_tried():
    X = np.random.default_rng(0).normal(size=(80, 3))
    detector = ClassicalDetector("knn", random_state=0).fit(X)
    calmest = X[[int(np.argmin(detector.anomaly_score(X)))]]
    assert detector.explain(calmest, rows=[0])[0].sentence.startswith("Nothing in it stands out")
    grounds = detector._grounds()
    table = UsualTable.of(grounds.encoder, grounds.support, grounds.raw, grounds.cells)

    def words(tried, together, excess):
        return table.unexplained(
            RowContribution(9.0, np.arange(tried), np.zeros(tried), (), np.arange(3), excess, together)
        )

    assert words(3, 3, 1.0).startswith("none of its columns explains it alone, in pairs or in threes: ")
    assert words(2, 2, 1.0).startswith(
        "none of the 2 columns that differ most from usual rows explains it alone or in pairs"
    )
    assert "as usual as half of the rows" in words(3, 1, -1.0)


@pytest.mark.parametrize("name", ["knn", "iforest", "pca"])
def test_a_constant_column_of_an_array_is_not_blamed(name):
    X = np.random.default_rng(0).normal(size=(80, 4))
    X[:, 2] = 7.0
    X[0, 0] = 9.0
    detector = ClassicalDetector(name, random_state=0).fit(X)
    reason = detector.explain(X, rows=[0], columns=4)[0]
    assert reason.contributions[0].column == "x0"
    assert "x2" not in [cause.column for cause in reason.contributions]


def test_an_unseen_category_is_told_with_the_usual_ones(detector):
    cause = why(detector, shop="moon").contributions[0]
    assert (cause.column, cause.value, cause.direction) == ("shop", "moon", "rare")
    assert "north" in cause.usual or "south" in cause.usual or "west" in cause.usual


def test_a_missing_cell_is_told_as_missing():
    rows = table().drop(columns="tax")
    rows.loc[0, "amount"] = None
    reasons = ClassicalDetector("knn", random_state=0).fit(rows).explain(rows, rows=[0])[0].contributions
    cause = next(cause for cause in reasons if cause.column == "amount")
    assert cause.value is None and cause.direction == "missing"


def test_a_date_is_told_as_a_date(detector):
    cause = why(detector, day=pd.Timestamp("2031-01-01")).contributions[0]
    assert cause.column == "day" and cause.value == datetime.datetime(2031, 1, 1) and "2024" in cause.usual


def test_what_was_set_aside_is_never_a_reason(detector):
    rows = table().assign(order_id="?")
    for reason in detector.explain(rows, rows=range(20), columns=9):
        assert "order_id" not in [cause.column for cause in reason.contributions]


@pytest.mark.parametrize("columns", [1, 2])
def test_no_more_columns_are_named_than_asked_for(detector, columns):
    odd = table()[:1].assign(amount=400.0, tax=-80.0, shop="moon")
    parts = detector.explain(odd, rows=[0], columns=columns)[0].contributions
    assert len(parts) == columns


def test_rows_keep_their_positions_and_order(detector):
    rows = table()
    reasons = detector.explain(rows, rows=[7, 3, 7])
    assert [reason.row for reason in reasons] == [7, 3, 7] and reasons[0] == reasons[2]
    assert [reason.score for reason in reasons] == pytest.approx(
        detector.anomaly_score(rows)[[7, 3, 7]], abs=1e-6
    )


def test_neighbours_are_never_known_anomalies():
    rows = table()
    y = np.where(np.arange(len(rows)) < 10, 1, -1)
    detector = ClassicalDetector("knn", random_state=0).fit(rows, y)
    for reason in detector.explain(rows, rows=range(10)):
        assert (detector.support_y_[list(reason.neighbours)] != 1).all()
        # With this few rows left out, what is usual comes from the others.
        assert len(set(reason.neighbours)) == len(reason.neighbours)


def test_only_known_anomalies_still_give_reasons():
    from outlearn.detectors import Detector

    rows = table()[:20]
    detector = Detector(random_state=0).fit(rows, np.ones(len(rows)))
    reason = detector.explain(rows.assign(amount=900.0), rows=[0])[0]
    assert reason.neighbours and reason.sentence


def test_dates_in_any_form_are_told_as_dates():
    days = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(120) % 60, unit="D")
    rows = table().assign(day=days.strftime("%d.%m.%Y"))
    detector = ClassicalDetector("knn", random_state=0).fit(rows)
    late = detector.explain(rows[:1].assign(day="24.12.2031"), rows=[0])[0]
    assert late.contributions[0].value == datetime.datetime(2031, 12, 24)
    assert "day is 2031-12-24 00:00, later than the usual 2024-03" in late.sentence
    none = detector.explain(rows[:1].assign(day="soon", amount=900.0), rows=[0], columns=9)[0]
    assert [cause.value for cause in none.contributions if cause.column == "day"] in ([], ["soon"])


def test_the_share_of_a_category_is_that_among_all_rows_compared_with():
    rng = np.random.default_rng(3)
    shop = np.array(["north"] * 186 + ["moon"] * 14)  # 7 %, and all of them among the oddest rows
    rows = pd.DataFrame({"amount": np.where(shop == "moon", 500, 100) + rng.normal(size=200), "shop": shop})
    detector = ClassicalDetector("iforest", random_state=0).fit(rows)
    reason = detector.explain(rows, rows=[190], columns=2)[0]
    cause = next(cause for cause in reason.contributions if cause.column == "shop")
    assert cause.direction != "rare", cause


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_the_columns_named_for_the_learnt_detector_matter_more_than_random_ones(name):
    X = load_dataset(name).drop("label")
    detector = Detector(random_state=0).fit(X)
    oddest = np.argsort(-detector.anomaly_score(X))[:20]
    rows = detector.encoder_.transform(X).values[oddest]
    score = detector.scorer_.score
    background = {
        "score": score,
        "support": detector.support_,
        "support_scores": score(detector.support_),
        "groups": [[column] for column in range(rows.shape[1])],
    }
    measured = faithfulness(rows, explain_rows(rows, **background), **background)
    assert measured.named > 2 * measured.random
    assert measured.p_value < 1e-3


@pytest.fixture(scope="module")
def labelled():
    """Two kinds of anomaly, a label or two of each, and two normal labels."""
    rng = np.random.default_rng(0)
    kinds = [rng.normal(size=(10, 5)) * 0.3 + centre for centre in ([3, 3, 0, 0, 0], [-3, 0, 3, 0, 0])]
    X = np.vstack([rng.normal(size=(300, 5)), *kinds])
    y = np.full(len(X), -1)
    y[[300, 301, 310]], y[:2] = 1, 0
    return X, y, Detector(random_state=0).fit(X, y)


def test_the_label_of_its_own_kind_raises_a_row_most(labelled):
    X, _, detector = labelled
    own = detector._values(X[310:311])[0]
    for reason in detector.explain(X, rows=[311, 315, 319]):
        most = reason.labels[0]
        assert np.allclose(detector.support_[most.position], own)
        assert most.label == 1 and most.effect > 0
        sizes = [abs(label.effect) for label in reason.labels]
        assert sizes == sorted(sizes, reverse=True) and len(sizes) <= 3


def test_the_effect_of_a_label_is_what_a_fit_without_it_would_show(labelled):
    """Leaving the label out for good moves rows alike: the same rows most, in the same direction."""
    X, y, detector = labelled
    rows = np.r_[0:20, 302:310, 311:320]
    values = detector._values(X)
    where = np.flatnonzero((detector.support_ == values[310]).all(axis=1))
    effects = detector.scorer_.label_effects(values[rows], detector.support_[where])[:, 0]
    fewer = y.copy()
    fewer[310] = -1
    refit = Detector(random_state=0).fit(X, fewer)
    raw = [one.scorer_.score(one._values(X[rows])) for one in (detector, refit)]
    assert spearmanr(effects, raw[0] - raw[1]).statistic > 0.6


def test_without_labels_none_is_told(labelled):
    X, _, _ = labelled
    for y in (None, np.zeros(len(X))):
        assert Detector(random_state=0).fit(X, y).explain(X, rows=[310])[0].labels == ()
    knn = ClassicalDetector("knn").fit(X, labelled[1])
    assert knn.explain(X, rows=[310])[0].labels == ()


def test_among_many_normal_labels_the_anomalies_are_still_tried(labelled, shipped_forests):
    X, _, _ = labelled
    y = np.zeros(len(X))
    y[310] = 1
    detector = Detector(random_state=0).fit(X, y)
    effects = detector.explain(X, rows=[5])[0].labels
    assert any(effect.label == 1 for effect in effects)
    only = np.where(y == 1, 1, -1)  # no normal labels at all
    effects = Detector(random_state=0).fit(X, only).explain(X, rows=[311])[0].labels
    assert [effect.label for effect in effects] == [1] and effects[0].effect > 0
