"""What decisions promise, by simulation: seeds are fixed, tolerances are three standard errors."""

import numpy as np
import pytest

from outlearn.decisions import Rule, benjamini_hochberg, by_false_alarm_rate, decide, p_values

REPEATS = 400
LAWS = {
    "normal": lambda rng, size: rng.normal(size=size),
    "heavy tail": lambda rng, size: rng.standard_cauchy(size=size),
    "few values": lambda rng, size: rng.integers(0, 4, size=size).astype(float),
    "mostly one value": lambda rng, size: np.where(rng.random(size) < 0.9, 0.0, rng.exponential(size=size)),
}
laws = pytest.mark.parametrize("law", list(LAWS))


def false_alarm_rates(reference, new, rate):
    """Share of new normal rows that are flagged, for each draw: references (r, n), new rows (r, m)."""
    thresholds = np.array([by_false_alarm_rate(row, rate)[0] for row in reference])
    return (new >= thresholds[:, None]).mean(axis=1)


def three_errors(values):
    return 3 * values.std(ddof=1) / np.sqrt(len(values))


@laws
@pytest.mark.parametrize(("n", "rate"), [(99, 0.01), (50, 0.1), (200, 0.05)])
def test_false_alarms_stay_under_the_rate_on_average_over_references(law, n, rate):
    rng = np.random.default_rng(0)
    rates = false_alarm_rates(LAWS[law](rng, (REPEATS, n)), LAWS[law](rng, (REPEATS, 500)), rate)
    assert rates.mean() <= rate + three_errors(rates)


@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_the_threshold_is_not_needlessly_high(rate):
    rng = np.random.default_rng(1)
    rates = false_alarm_rates(rng.normal(size=(REPEATS, 199)), rng.normal(size=(REPEATS, 500)), rate)
    assert rates.mean() >= rate - three_errors(rates)


@laws
def test_p_values_of_normal_rows_are_super_uniform(law):
    rng = np.random.default_rng(2)
    p = np.array([p_values(LAWS[law](rng, 20), LAWS[law](rng, 60)) for _ in range(2000)])
    for level in (0.02, 0.05, 0.1, 0.25, 0.5, 0.9):
        shares = (p <= level).mean(axis=1)
        assert shares.mean() <= level + three_errors(shares)


@laws
@pytest.mark.parametrize("q", [0.1, 0.3])
def test_false_discoveries_stay_under_the_rate(law, q):
    rng = np.random.default_rng(3)
    normal, odd, proportions, power = 80, 20, [], []
    for _ in range(REPEATS):
        new = np.r_[LAWS[law](rng, normal), LAWS[law](rng, odd) + 12]
        found = benjamini_hochberg(p_values(new, LAWS[law](rng, 300)), q)
        proportions.append(found[:normal].sum() / max(found.sum(), 1))
        power.append(found[normal:].mean())
    proportions = np.array(proportions)
    assert proportions.mean() <= q + three_errors(proportions)
    if law != "heavy tail":
        assert np.mean(power) > 0.5  # finding nothing would keep the promise too


def test_the_wanted_rate_is_missed_when_the_reference_holds_anomalies():
    """They push the threshold up into themselves: no false alarms, and most anomalies are missed."""
    rng = np.random.default_rng(4)
    odd = rng.normal(6, 1, size=(REPEATS, 20))
    reference = np.column_stack([rng.normal(size=(REPEATS, 180)), odd])
    rates = false_alarm_rates(reference, rng.normal(size=(REPEATS, 500)), 0.05)
    caught = false_alarm_rates(reference, rng.normal(6, 1, size=(REPEATS, 500)), 0.05)
    assert rates.mean() < 0.001
    assert caught.mean() < 0.6


def test_the_promise_breaks_when_the_reference_was_learnt_from():
    """Scores of rows a detector has learnt are too low, here by the distance of a row to itself."""
    rng = np.random.default_rng(5)
    rates = []
    for _ in range(100):
        support, new = rng.normal(size=(60, 5)), rng.normal(size=(300, 5))

        def score(rows, support=support):
            distances = np.sqrt(((rows[:, None] - support[None]) ** 2).sum(axis=2))
            return np.partition(distances, 1, axis=1)[:, :2].mean(axis=1)

        threshold, _ = by_false_alarm_rate(score(support), 0.05)
        rates.append((score(new) >= threshold).mean())
    rates = np.array(rates)
    assert rates.mean() - three_errors(rates) > 0.1  # twice what was asked for


def test_the_promise_breaks_when_normal_rows_change():
    rng = np.random.default_rng(6)
    changed = rng.normal(0.5, 1.2, size=(REPEATS, 500))
    rates = false_alarm_rates(rng.normal(size=(REPEATS, 200)), changed, 0.05)
    assert rates.mean() - three_errors(rates) > 0.1


def test_the_whole_decision_keeps_its_word():
    rng = np.random.default_rng(7)
    alarms = []
    for _ in range(REPEATS):
        decision = decide(
            rng.normal(size=200),
            rule=Rule.false_alarm_rate(0.05),
            support_scores=rng.normal(size=50),
            reference_scores=rng.normal(size=99),
        )
        assert decision.promise.holds
        alarms.append(decision.flagged.mean())
    alarms = np.array(alarms)
    assert abs(alarms.mean() - 0.05) <= three_errors(alarms)
