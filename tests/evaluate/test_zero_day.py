"""A family left out takes no part in what is learnt, and figures at a rate of false alarms are right."""

import numpy as np
import pytest

from outlearn.errors import InputError, ParameterError
from outlearn.evaluate import average_precision, average_precision_at, judge_zero_day, recall_at_false_alarms
from outlearn.evaluate.zero_day import held_families, zero_day


def families(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(500, 3))
    y = np.repeat([0, 1], [380, 120])
    names = np.r_[np.repeat("-", 380), np.repeat(["scan", "worm", "rare"], [60, 55, 5])]
    X[names == "scan", 0] += 6
    X[names == "worm", 1] += 6
    X[names == "rare", 2] += 6
    return X, y, names


def rows_of(split):
    return {tuple(row) for row in split.train_x}, {tuple(row) for row in split.test_x}


@pytest.mark.parametrize("cases", [0, 1, 5])
@pytest.mark.parametrize("known", [0, 7])
def test_the_family_is_seen_in_its_cases_alone(cases, known):
    X, y, names = families()
    split = zero_day(X, y, names, 3, family="worm", cases=cases, known=known)
    train, test = rows_of(split)
    worm = {tuple(row) for row in X[names == "worm"]}
    assert not train & test
    assert len(train & worm) == cases and len(test & worm) == 55 - cases
    assert split.train_y.sum() == cases + (7 + 5 if known else 0)
    assert not test & {tuple(row) for row in X[(y == 1) & (names != "worm")]}


def test_a_published_split_is_kept():
    X, y, names = families()
    earlier = np.arange(500) % 2 == 0
    split = zero_day(X, y, names, 0, family="scan", cases=2, earlier=earlier)
    train, test = rows_of(split)
    before = {tuple(row) for row in X[earlier]}
    scan = {tuple(row) for row in X[names == "scan"]}
    assert not test & before
    assert len(train - before) == 2 and train - before < scan


def test_what_is_too_small_is_refused():
    X, y, names = families()
    with pytest.raises(InputError, match="family 'rare': 5 distinct rows"):
        zero_day(X, y, names, 0, family="rare")
    with pytest.raises(InputError, match="wants two or more"):
        held_families(y[:440], names[:440])
    with pytest.raises(InputError, match="no family has"):
        list(judge_zero_day(lambda: None, X, y, np.where(y == 1, np.arange(500) // 6, -1)))


class Far:
    """Distance from the mean of normal rows, or from the nearest labelled one where there is any."""

    def fit(self, X, y):
        self.mean, self.cases = X[y == 0].mean(axis=0), X[y == 1]
        return self

    def anomaly_score(self, X):
        if not len(self.cases):
            return np.linalg.norm(X - self.mean, axis=1)
        return -np.linalg.norm(X[:, None] - self.cases, axis=2).min(axis=1)


def test_every_large_family_is_judged_at_each_count():
    found = list(judge_zero_day(Far, *families(), seeds=[0, 1]))
    assert {(each.family, each.seed, each.cases) for each in found} == {
        (family, seed, cases) for family in ("scan", "worm") for seed in (0, 1) for cases in (0, 1, 5)
    }
    assert min(each.auroc for each in found) > 0.9
    assert all(each.recall_01 <= each.recall_1 and each.precision_1 <= each.precision_5 for each in found)


def test_average_precision_at_a_prevalence_is_that_of_copied_rows():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 12, 40).astype(float)
    y = np.repeat([0, 1], [30, 10])
    for copies in (1, 3, 7):
        rows = np.r_[np.arange(30).repeat(copies), np.arange(30, 40)]
        prevalence = 10 / (10 + 30 * copies)
        wanted = average_precision(y[rows], scores[rows])
        assert average_precision_at(y, scores, prevalence) == pytest.approx(wanted)


def test_recall_at_false_alarms_is_what_a_threshold_gives():
    rng = np.random.default_rng(1)
    y, scores = np.repeat([0, 1], [200, 50]), np.r_[rng.normal(size=200), rng.normal(1.5, 1.0, size=50)]
    for allowed in (2, 10, 40):
        threshold = np.sort(scores[:200])[-allowed - 1]  # so many normal rows lie above
        wanted = (scores[200:] > threshold).mean()
        assert recall_at_false_alarms(y, scores, allowed / 200) == pytest.approx(wanted)
    assert recall_at_false_alarms([0] * 10 + [1] * 4, np.zeros(14), 0.25) == pytest.approx(0.25)  # all tie
    with pytest.raises(ParameterError, match="inside"):
        recall_at_false_alarms(y, scores, 0.0)
    with pytest.raises(ParameterError, match="inside"):
        average_precision_at(y, scores, 1.0)
