import numpy as np
import pytest

from outlearn.decisions.conformal import p_values
from outlearn.decisions.threshold import (
    by_budget,
    by_contamination,
    by_expected_f1,
    by_false_alarm_rate,
    rate_for_budget,
)
from outlearn.errors import InputError, ParameterError


@pytest.mark.parametrize(("share", "flagged"), [(0.1, 10), (0.25, 25), (0.29, 29), (0.004, 0), (0.999, 100)])
def test_contamination_flags_its_share_of_distinct_scores(share, flagged):
    scores = np.random.default_rng(0).permutation(100).astype(float)
    assert (scores >= by_contamination(scores, share)).sum() == flagged


def test_contamination_never_flags_more_than_its_share_of_ties():
    rng = np.random.default_rng(1)
    for _ in range(100):
        scores = rng.integers(0, 5, 40).astype(float)
        share = rng.uniform(0.01, 0.99)
        threshold = by_contamination(scores, share)
        assert (scores >= threshold).sum() <= round(share * 40)
        lower = scores[scores < threshold]
        # … and the next lower threshold would flag too many: it is the smallest one
        assert len(lower) == 0 or (scores >= lower.max()).sum() > round(share * 40)


@pytest.mark.parametrize("levels", [4, 10_000])
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.29, 0.5, 0.99])
def test_the_false_alarm_threshold_is_the_rule_p_at_most_rate(rate, levels):
    rng = np.random.default_rng(2)
    for n in (99, 100, 150):
        reference = rng.integers(0, levels, n).astype(float)
        threshold, promise = by_false_alarm_rate(reference, rate)
        new = np.r_[reference, reference + 0.5, -1.0]
        np.testing.assert_array_equal(new >= threshold, p_values(new, reference) <= rate + 1e-12)
        assert promise.holds


def test_too_small_a_reference_gives_the_promise_up_and_says_what_is_needed():
    reference = np.random.default_rng(3).exponential(size=200)
    threshold, promise = by_false_alarm_rate(reference, 0.001)
    assert not promise.holds
    assert "999" in promise.text
    assert "model" in promise.text
    assert reference.max() < threshold < 30  # the true quantile is 6.9
    few, promise = by_false_alarm_rate(reference[:5], 0.001)
    assert few > reference[:5].max()
    assert not promise.holds
    assert "odder than all" in promise.text


@pytest.mark.parametrize("n", [9, 99, 199, 999])
def test_the_reference_size_asked_for_is_enough_and_one_fewer_is_not(n):
    rate = 1 / (n + 1)
    assert by_false_alarm_rate(np.arange(n, dtype=float), rate)[1].holds
    assert not by_false_alarm_rate(np.arange(n - 1, dtype=float), rate)[1].holds


@pytest.mark.parametrize("alerts", [0, 1, 7, 40, 100])
def test_a_budget_is_met_exactly_and_holds_the_top_rows(alerts):
    rng = np.random.default_rng(4)
    scores = rng.integers(0, 6, 40).astype(float)
    flagged, threshold = by_budget(scores, alerts)
    assert flagged.sum() == min(alerts, 40)
    assert (scores[~flagged] <= threshold).all()
    assert (scores[flagged] >= threshold).all()


def test_budget_ties_go_to_the_first_rows():
    flagged, _ = by_budget([0.5, 0.9, 0.5, 0.5], 2)
    assert flagged.tolist() == [True, True, False, False]


def test_budget_on_an_empty_batch_and_bad_arguments():
    flagged, threshold = by_budget([], 3)
    assert flagged.shape == (0,)
    assert threshold == np.inf
    for bad in (-1, 2.5, True):
        with pytest.raises(ParameterError, match="whole number"):
            by_budget([0.1], bad)
    with pytest.raises(ParameterError, match="above 0"):
        rate_for_budget(20, 0)
    with pytest.raises(ParameterError, match="between 0 and 1"):
        by_contamination([0.1], 0.0)
    with pytest.raises(InputError, match="at least 1"):
        by_false_alarm_rate([], 0.1)
    assert rate_for_budget(20, 10) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_the_best_expected_f1_beats_every_other_threshold(seed):
    """Over simulated truths, where the sum of the probabilities does not bind."""
    rng = np.random.default_rng(seed)
    p = np.sort(rng.beta(0.05, 0.4, size=200))
    threshold = by_expected_f1(p)
    truths = rng.random((4000, 200)) < p

    def f1(cut: float) -> float:
        flagged = p >= cut
        hits = (truths & flagged).sum(1)
        return float((2 * hits / np.maximum(flagged.sum() + truths.sum(1), 1)).mean())

    assert f1(threshold) > max(f1(cut) for cut in p) - 0.01
    assert threshold <= 0.5


def test_no_more_rows_are_flagged_than_anomalies_are_expected():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.15, size=1000)  # hardly told apart
    assert (p >= by_expected_f1(p)).sum() == np.ceil(p.sum())
    assert (np.full(50, 0.1) >= by_expected_f1(np.full(50, 0.1))).sum() == 0  # ties: none rather than all
    assert by_expected_f1([1.0, 1.0]) == 0.5
    with pytest.raises(InputError, match="probabilities holds 0 scores"):
        by_expected_f1([])
