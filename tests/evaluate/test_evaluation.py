"""One detector, judged honestly."""

import numpy as np
import polars as pl
import pytest

from outlearn.errors import ParameterError
from outlearn.evaluate import auroc, contaminated, evaluate_detector, few_labels


class FarFromMean:
    """Scores by distance from the training mean and remembers what it was shown."""

    seen: list = []  # noqa: RUF012  (shared on purpose: a fresh detector is made for each split)

    def fit(self, X, y=None):
        FarFromMean.seen.append((X, y))
        self.mean = np.asarray(X).mean(axis=0)
        return self

    def anomaly_score(self, X):
        return np.abs(np.asarray(X) - self.mean).sum(axis=1)


@pytest.fixture
def rows():
    FarFromMean.seen.clear()
    rng = np.random.default_rng(0)
    y = np.arange(300) < 30
    return rng.normal(size=(300, 3)) + 1.2 * y[:, None], y


def test_the_figure_is_that_of_the_test_part(rows):
    result = evaluate_detector(FarFromMean, *rows, contaminated, seeds=[3], repetitions=50)
    split = contaminated(*rows, 3)
    assert result.auroc.value == auroc(
        split.test_y, FarFromMean().fit(split.train_x).anomaly_score(split.test_x)
    )
    assert result.auroc.low < result.auroc.value < result.auroc.high
    assert (result.train_rows, result.test_rows, result.test_anomalies, result.budget) == (210, 90, 9, 9)
    assert result.chance == pytest.approx(0.1)


def test_several_seeds_are_averaged_and_repeat_themselves(rows):
    singles = [evaluate_detector(FarFromMean, *rows, contaminated, seeds=[s], repetitions=20) for s in (0, 1)]
    both = evaluate_detector(FarFromMean, *rows, contaminated, seeds=[0, 1], repetitions=20)
    assert both == evaluate_detector(FarFromMean, *rows, contaminated, seeds=[0, 1], repetitions=20)
    assert both.auroc.value == pytest.approx(np.mean([single.auroc.value for single in singles]))
    assert both.auroc.low == pytest.approx(np.mean([single.auroc.low for single in singles]))


def test_the_detector_sees_training_rows_and_allowed_labels_alone(rows):
    evaluate_detector(FarFromMean, *rows, few_labels, seeds=[0], repetitions=5)
    ((X, y),) = FarFromMean.seen
    assert len(X) == 210 and (y == 1).sum() == 5 and (y == -1).sum() == 205


def test_frames_reach_the_detector_as_frames(rows):
    X, y = rows
    evaluate_detector(FarFromMean, pl.DataFrame(X, schema=list("abc")), y, contaminated, [0], repetitions=5)
    assert isinstance(FarFromMean.seen[0][0], pl.DataFrame)


def test_budget_outside_the_test_part_and_no_seeds_are_refused(rows):
    with pytest.raises(ParameterError, match="91 of 90"):
        evaluate_detector(FarFromMean, *rows, contaminated, seeds=[0], budget=91)
    with pytest.raises(ParameterError, match="no seeds"):
        evaluate_detector(FarFromMean, *rows, contaminated, seeds=[])
