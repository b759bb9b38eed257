"""The loop of an analyst who labels what is on top."""

import numpy as np
import pytest

from outlearn.errors import ParameterError
from outlearn.evaluate import contaminated, evaluate_detector, evaluate_loop


class AlongTheFirst:
    """Scores by the first column; once it knows an anomaly, by the distance to it in the second one."""

    seen: list = []  # noqa: RUF012  (shared on purpose: a fresh detector is made for each step)

    def fit(self, X, y=None):
        AlongTheFirst.seen.append(None if y is None else y.copy())
        known = [] if y is None else X[y == 1]
        self.case = known[0] if len(known) else None
        return self

    def anomaly_score(self, X):
        return X[:, 0] if self.case is None else -np.abs(X[:, 1] - self.case[1])


@pytest.fixture
def rows():
    """Anomalies that lie apart in the second column, one of which is by far the highest in the first."""
    AlongTheFirst.seen.clear()
    rng = np.random.default_rng(0)
    y = np.arange(300) < 30
    X = np.c_[rng.normal(size=300), rng.normal(size=300) + 9.0 * y]
    X[:30, 0] += np.where(np.arange(30) % 2, 6.0, 0.0)
    return X, y


def test_a_verdict_on_what_is_on_top_orders_the_rest(rows):
    blind, one, three = evaluate_loop(AlongTheFirst, *rows, seeds=[0, 1], steps=(1, 3), repetitions=20)
    assert [step.labels for step in (blind, one, three)] == [0, 1, 3]
    assert (blind.anomalies, one.anomalies, three.anomalies) == (0.0, 1.0, 3.0)
    assert one.figures.auroc.value == 1.0 > blind.figures.auroc.value
    assert blind.figures == evaluate_detector(
        AlongTheFirst, *rows, contaminated, seeds=[0, 1], repetitions=20
    )


def test_each_step_keeps_its_labels_and_asks_of_rows_that_have_none(rows):
    evaluate_loop(AlongTheFirst, *rows, seeds=[0], steps=(1, 3), repetitions=20)
    first, second, third = AlongTheFirst.seen
    split = contaminated(*rows, 0)
    assert first is None and (second >= 0).sum() == 1 and (third >= 0).sum() == 3
    assert second[split.train_x[:, 0].argmax()] == 1 and (third[second >= 0] == second[second >= 0]).all()
    assert (third[third >= 0] == split.train_truth[third >= 0]).all()


@pytest.mark.parametrize("wrong", [{"seeds": []}, {"steps": ()}, {"steps": (5, 1)}, {"steps": (0, 1)}])
def test_seeds_and_steps_are_wanted(rows, wrong):
    with pytest.raises(ParameterError, match=r"no seeds came|steps are"):
        evaluate_loop(AlongTheFirst, *rows, **wrong)
