"""The promise on false alarms, by simulation: rows drawn alike are flagged as seldom as was asked for."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from outlearn.detectors.classical_detector import ClassicalDetector
from outlearn.detectors.detector import Detector

RATE = 0.1


def levels(rng, rows):
    """Return a column of 60 levels, of which a quarter of the rows show one new to the rest, and numbers."""
    drawn = rng.integers(0, 60, rows)
    return pl.DataFrame(
        {
            "level": [f"v{v}" for v in drawn],
            "x": rng.normal(size=rows),
            "y": rng.normal(size=rows),
        }
    )


def flags(rng, rows):
    """Return ten columns that nearly always hold one value."""
    return pl.DataFrame((rng.random((rows, 10)) < 0.01).astype(int)).with_columns(x=rng.normal(size=rows))


def shops(rng, rows):
    """Return categories of which a third come once in a hundred rows."""
    share = 1.0 / np.arange(1, 71)
    drawn = rng.choice(70, size=rows, p=share / share.sum())
    return pl.DataFrame({"shop": [f"s{v}" for v in drawn], "x": rng.normal(size=rows)})


def memos(rng, rows):
    words = np.array([f"{a}{b}{c}" for a in "bdfglm" for b in "aeiou" for c in ("n", "r", "st", "x")])
    share = 1.0 / np.arange(1, len(words) + 1)
    drawn = rng.choice(words, size=(rows, 5), p=share / share.sum())
    return pl.DataFrame({"memo": [" ".join(row) for row in drawn], "x": rng.normal(size=rows)})


def rate(detector, draw, seed, *, later=0):
    """Return the share of 200 new rows that are flagged beside 120 known to be normal."""
    rng = np.random.default_rng(seed)
    fitted = detector.fit(draw(rng, 120), np.zeros(120))
    if later:
        fitted = fitted.update(draw(rng, later), np.zeros(later))
    assert fitted.promise_.holds
    return (fitted.predict(draw(rng, 200)) == -1).mean()


@pytest.mark.parametrize("draw", [levels, flags, shops, memos])
@pytest.mark.parametrize("later", [0, 20])
def test_rows_drawn_alike_are_flagged_as_seldom_as_promised(draw, later):
    detector = ClassicalDetector("knn", false_alarm_rate=RATE)
    rates = [rate(detector, draw, seed, later=later) for seed in range(25)]
    assert np.mean(rates) < RATE + 2.5 * np.std(rates) / np.sqrt(len(rates))
    assert np.mean(rates) > RATE / 8  # shops never seen are all alike: to flag one is to flag all


def test_the_default_keeps_the_promise_for_a_column_of_many_levels(few_trees):
    detector = Detector(false_alarm_rate=RATE, random_state=0)
    rates = [rate(detector, levels, seed) for seed in range(6)]
    assert np.mean(rates) < RATE + 2.5 * np.std(rates) / np.sqrt(len(rates))


def test_nothing_that_calibrates_is_seen_by_the_encoder():
    rows = shops(np.random.default_rng(0), 100)
    fitted = ClassicalDetector("knn", false_alarm_rate=RATE).fit(rows, np.zeros(100))
    known = {value for encoder in fitted.encoder_.encoders for value in getattr(encoder, "values", ())}
    kept_back = rows[fitted.chosen_.calibration]["shop"].to_list()
    seen = set(rows[fitted.chosen_.support]["shop"])
    assert len(fitted.calibration_) == 30 and known == seen and not set(kept_back) <= known


def test_verdicts_on_rows_that_calibrate_neither_enter_the_support_nor_blunt_the_threshold():
    X = np.random.default_rng(0).normal(size=(100, 3))
    fitted = ClassicalDetector("knn", false_alarm_rate=RATE).fit(X, np.zeros(100))
    again = fitted.update(X, np.zeros(100))
    assert len(again.support_) == 70 and again.threshold_ == fitted.threshold_
    worst = fitted.chosen_.calibration[fitted.calibration_scores_.argmax()]
    without = fitted.update(X[[worst]], [1])
    assert len(without.calibration_) == 29 and len(without.support_) == 71
