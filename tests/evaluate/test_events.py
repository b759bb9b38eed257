"""Ranges that are found: counts by hand, affiliation against a plain double loop."""

from itertools import pairwise

import numpy as np
import pytest

from outlearn.errors import LabelError, ParameterError
from outlearn.evaluate import affiliation, events_at, events_within

Y = np.array([0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0])


def test_delays_and_false_alarms_are_counted_by_range():
    scores = np.zeros(14)
    scores[[3, 7]] = 5.0, 9.0
    found = events_at(Y, scores, 5.0, merged=0)
    assert found.delays == (1, None)
    assert found.recall == 0.5
    assert found.false_alarms == 1
    assert events_at(Y, scores, 5.0, merged=5).false_alarms == 0  # one alarm, from 3 to 7, touches the range


def test_as_much_is_found_as_the_false_alarms_allow():
    scores = np.zeros(14)
    scores[[2, 6, 8, 10]] = 4.0, 9.0, 3.0, 2.0
    recalls = [events_within(Y, scores, k, merged=0).recall for k in range(3)]
    assert recalls == [0.0, 0.5, 1.0]
    everything = events_within(Y, np.ones(14), 4, merged=0, hold=1)
    assert (everything.recall, everything.false_alarms) == (0.0, 0)  # for that raises five
    assert events_at(Y, np.ones(14), 1.0, merged=0, hold=1).false_alarms == 1 + 3 + 1
    with pytest.raises(ParameterError, match="wanted 0 or more"):
        events_within(Y, scores, -1)
    with pytest.raises(LabelError, match="without a range"):
        events_at(np.zeros(14), scores, 1.0)


def naive(y, flagged):
    """Affiliation by its definition, point by point."""
    n = len(y)
    ranges, start = [], None
    for i in range(n + 1):
        inside = i < n and y[i]
        if inside and start is None:
            start = i
        if not inside and start is not None:
            ranges.append(range(start, i))
            start = None
    cuts = [0] + [(a[-1] + 1 + b[0]) // 2 for a, b in pairwise(ranges)] + [n]
    precisions, recalls = [], []
    for own, first, last in zip(ranges, cuts, cuts[1:], strict=False):
        zone = range(first, last)
        hits = [i for i in zone if flagged[i]]

        def chance(distances, asked):
            if asked == 0:
                return 1.0
            return np.mean([1.0 if d > asked else 0.5 if d == asked else 0.0 for d in distances])

        away = {i: min(abs(i - a) for a in own) for i in zone}
        if hits:
            precisions.append(np.mean([chance(away.values(), away[i]) for i in hits]))
        recalls.append(
            np.mean([chance([abs(i - a) for i in zone], min(abs(i - a) for i in hits)) for a in own])
            if hits
            else 0.0
        )
    return (np.mean(precisions) if precisions else 0.0), np.mean(recalls)


@pytest.mark.parametrize("seed", range(6))
def test_affiliation_is_what_its_definition_says(seed):
    rng = np.random.default_rng(seed)
    y = np.zeros(120, dtype=int)
    for start in (15, 60, 95):
        y[start : start + int(rng.integers(1, 12))] = 1
    flagged = rng.random(120) < rng.choice([0.02, 0.2])
    found = affiliation(y, flagged)
    assert (found.precision, found.recall) == pytest.approx(naive(y, flagged))


def test_affiliation_of_all_none_and_chance():
    y = np.zeros(4000, dtype=int)
    y[1000:1010] = 1
    exact, nothing = affiliation(y, y), affiliation(y, np.zeros(4000))
    assert (exact.precision, exact.recall, exact.f1) == (1.0, 1.0, 1.0)
    assert (nothing.precision, nothing.recall, nothing.f1) == (0.0, 0.0, 0.0)
    rng = np.random.default_rng(0)
    by_chance = np.mean([affiliation(y, rng.random(4000) < 0.01).f1 for _ in range(30)])
    assert 0.6 < by_chance < 0.75  # why it is told beside a random score only
