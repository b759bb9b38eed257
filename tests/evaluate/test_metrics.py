"""Metrics against scikit-learn, against plain counting, and at their edges."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.evaluate import (
    auroc,
    average_precision,
    bootstrap_interval,
    expected_calibration_error,
    precision_at_budget,
    recall_at_budget,
)

labelled_scores = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40).filter(
    lambda pairs: len({label for label, _ in pairs}) == 2
)


@settings(max_examples=80, deadline=None)
@given(labelled_scores)
def test_rank_metrics_equal_those_of_scikit_learn(pairs):
    y, scores = (np.array(column) for column in zip(*pairs, strict=True))
    assert auroc(y, scores) == pytest.approx(roc_auc_score(y, scores))
    assert average_precision(y, scores) == pytest.approx(average_precision_score(y, scores))


@settings(max_examples=40, deadline=None)
@given(labelled_scores, st.integers(1, 40))
def test_budget_metrics_equal_the_mean_over_shuffled_ties(pairs, k):
    y, scores = (np.array(column, dtype=int) for column in zip(*pairs, strict=True))
    k = min(k, y.size)
    rng = np.random.default_rng(0)
    hits = [y[np.lexsort((rng.random(y.size), -scores))[:k]].sum() for _ in range(600)]
    assert precision_at_budget(y, scores, k) == pytest.approx(np.mean(hits) / k, abs=0.12)
    assert recall_at_budget(y, scores, k) * y.sum() == pytest.approx(precision_at_budget(y, scores, k) * k)


def test_constant_scores_are_worth_chance():
    y = np.repeat([1, 0], [3, 7])
    assert auroc(y, np.zeros(10)) == 0.5
    assert average_precision(y, np.zeros(10)) == pytest.approx(0.3)
    assert precision_at_budget(y, np.zeros(10), 4) == pytest.approx(0.3)


def test_calibration_error_is_small_for_stated_chances_and_large_for_overconfidence():
    rng = np.random.default_rng(0)
    chance = rng.random(20_000)
    y = (rng.random(20_000) < chance).astype(int)
    assert expected_calibration_error(y, chance) < 0.02
    assert expected_calibration_error(y, (chance > 0.5).astype(float)) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(
    ("metric", "y", "scores", "error", "words"),
    [
        (auroc, [1, 1], [0.1, 0.2], LabelError, "2 anomalies and 0 normal"),
        (auroc, [0, -1], [0.1, 0.2], LabelError, "unlabelled"),
        (auroc, [0, 1], [0.1, np.nan], InputError, "1 of 2 scores"),
        (auroc, [0, 1, 1], [0.1, 0.2], InputError, "one label a row"),
        (average_precision, [0, 0], [0.1, 0.2], LabelError, "0 anomalies"),
        (partial(precision_at_budget, k=3), [0, 1], [0.1, 0.2], ParameterError, "3 of 2 rows"),
        (expected_calibration_error, [0, 1], [0.1, 1.2], InputError, "1.2"),
    ],
)
def test_unusable_input_is_refused_with_its_reason(metric, y, scores, error, words):
    with pytest.raises(error, match=words):
        metric(y, scores)


def test_bootstrap_repeats_itself_and_holds_the_value():
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1], [150, 30])
    scores = rng.normal(size=180) + 1.5 * y
    first, second = (bootstrap_interval(auroc, y, scores, rng=np.random.default_rng(3)) for _ in range(2))
    assert first == second
    assert first.low < first.value == auroc(y, scores) < first.high
    wider = bootstrap_interval(auroc, y, scores, rng=np.random.default_rng(3), level=0.99)
    assert wider.low <= first.low and wider.high >= first.high


def test_bootstrap_refuses_a_level_outside_its_range():
    with pytest.raises(ParameterError, match="level=95"):
        bootstrap_interval(auroc, [0, 1], [0.0, 1.0], rng=np.random.default_rng(0), level=95)
