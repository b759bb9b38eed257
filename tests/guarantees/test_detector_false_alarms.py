"""What `false_alarm_rate` promises of whole detectors: fixed seeds, tolerances of three standard errors."""

import numpy as np
import pytest

from outlearn.detectors import ClassicalDetector, Detector


def normal(rng, n):
    return rng.normal(size=(n, 3)) @ [[1, 0.8, 0], [0, 0.6, 0], [0, 0, 1]]


def heavy(rng, n):
    return rng.standard_t(2, size=(n, 3))


def discrete(rng, n):
    """Rows with few distinct values: many are copies, and all copies have one score."""
    return rng.binomial(4, 0.3, size=(n, 2)).astype(float)


def false_alarms(make, draw, rate, repeats, n=100, fresh=200):
    """Share of fresh normal rows that are flagged, for each draw: (repeats,)."""
    shares = []
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        detector = make(false_alarm_rate=rate, random_state=seed).fit(draw(rng, n), np.zeros(n))
        assert detector.promise_.holds
        shares.append((detector.predict(draw(rng, fresh)) == -1).mean())
    return np.array(shares)


def three_errors(values):
    return 3 * values.std(ddof=1) / np.sqrt(len(values))


def knn(**options):
    return ClassicalDetector("knn", **options)


def iforest(**options):
    return ClassicalDetector("iforest", params={"trees": 10}, **options)


@pytest.mark.parametrize(("draw", "rate"), [(normal, 0.05), (heavy, 0.1), (discrete, 0.2)])
def test_a_classical_detector_keeps_the_rate_on_average(draw, rate):
    shares = false_alarms(knn, draw, rate, repeats=120)
    assert shares.mean() <= rate + three_errors(shares)


def test_the_threshold_is_not_needlessly_high():
    shares = false_alarms(knn, normal, 0.2, repeats=80)
    assert shares.mean() >= 6 / 31 - three_errors(shares)  # 30 rows are held out: six ranks in 31


def test_a_forest_keeps_the_rate_on_average():
    shares = false_alarms(iforest, normal, 0.1, repeats=50)
    assert shares.mean() <= 0.1 + three_errors(shares)


@pytest.mark.parametrize(("draw", "rate"), [(normal, 0.1), (discrete, 0.2)])
def test_the_learnt_detector_keeps_the_rate_on_average(draw, rate):
    shares = false_alarms(Detector, draw, rate, repeats=8)
    assert shares.mean() <= rate + three_errors(shares)


def test_without_enough_held_out_rows_no_promise_is_made():
    rng = np.random.default_rng(0)
    X = normal(rng, 100)
    assert not knn(false_alarm_rate=0.01).fit(X, np.zeros(100)).promise_.holds  # 30 rows; 99 are wanted
    assert not knn(false_alarm_rate=0.1).fit(X).promise_.holds
    mixed = knn(false_alarm_rate=0.1).fit(X, np.where(np.arange(100) < 60, 0, -1))
    assert mixed.promise_.holds and len(mixed.calibration_) == 18
