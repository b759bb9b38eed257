"""A promise about normal rows is not made where time alone sets the rows apart from the reference."""

import datetime as dt

import numpy as np
import polars as pl

from outlearn import detect
from outlearn.decisions import Rule


def month(start, seed):
    rng = np.random.default_rng(seed)
    moments = [start + dt.timedelta(hours=6 * i) for i in range(120)]
    return pl.DataFrame({"booked": moments, "amount": rng.gamma(3, 20, 120), "items": rng.poisson(3, 120)})


def test_later_rows_get_no_promise_and_the_same_rows_without_dates_do():
    reference, today = month(dt.datetime(2026, 1, 1), 0), month(dt.datetime(2026, 3, 1), 1)
    rule = Rule.false_alarm_rate(0.1)
    found = detect(today, reference=reference, detector="knn", rule=rule)
    assert not found.decision.promise.holds
    assert "'booked'" in found.decision.promise.text and "--ignore" in found.decision.promise.text
    without = detect(today, reference=reference, detector="knn", rule=rule, ignore=("booked",))
    assert without.decision.promise.holds


def test_rows_of_the_same_time_keep_the_promise():
    rows = month(dt.datetime(2026, 1, 1), 0).sample(fraction=1.0, shuffle=True, seed=0)
    found = detect(rows[:40], reference=rows[40:], detector="knn", rule=Rule.false_alarm_rate(0.1))
    assert found.decision.promise.holds


def test_a_column_of_one_value_that_nearly_all_rows_change_takes_the_promise_back_and_many_are_told_of():
    rng = np.random.default_rng(0)
    rule = Rule.false_alarm_rate(0.1)

    def batch(rows, **more):
        return pl.DataFrame({"x": rng.normal(size=rows), "y": rng.normal(size=rows)}).with_columns(**more)

    reference = batch(120, run=pl.lit("A"))
    other = detect(batch(40, run=pl.lit("B")), reference=reference, detector="knn", rule=rule)
    assert not other.decision.promise.holds and "'run'" in other.decision.promise.text
    some = pl.Series(["B"] * 15 + ["A"] * 25)
    found = detect(batch(40, run=some), reference=reference, detector="knn", rule=rule)
    assert found.decision.promise.holds
    assert any("'run' (38 % of the rows)" in limit for limit in found.limits)
