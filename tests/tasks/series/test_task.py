"""Synthetic series: what is labelled was changed and can be seen, what is not was not."""

import numpy as np
import pytest

from outlearn.ranges import runs
from outlearn.rng import derive
from outlearn.tasks.series import draw_series
from outlearn.tasks.series.channels import draw_channels
from outlearn.tasks.series.courses import COURSES
from outlearn.tasks.series.drift import DRIFTS, drifted
from outlearn.tasks.series.inject import KINDS, POINTS


@pytest.mark.parametrize("course", dict.fromkeys(COURSES), ids=lambda course: course.__name__)
def test_a_course_is_finite_moves_and_is_a_function_of_its_generator(course):
    for seed in range(5):
        x, again = (course(1500, derive(seed)) for _ in range(2))
        assert x.shape == (1500,)
        assert np.isfinite(x).all() and x.std() > 0
        assert x.tolist() == again.tolist()


@pytest.mark.parametrize("kind", dict.fromkeys((*KINDS, *POINTS)), ids=lambda kind: kind.__name__)
def test_a_kind_of_anomaly_changes_its_stretch_and_nothing_else(kind):
    x = np.sin(np.arange(800) / 9) + 0.05 * derive(1).normal(size=800)
    before = x.copy()
    new = kind(x, 300, 360, derive(2))
    assert new.shape == (60,)
    assert np.isfinite(new).all()
    assert x.tolist() == before.tolist()
    assert np.abs(new - x[300:360]).mean() > 0.01


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.__name__)
def test_a_drift_changes_a_channel_by_its_size_at_most(drift):
    x = 3.0 * np.sin(np.arange(2000) / 9) + 50.0
    new = drift(x, derive(4))
    assert new.shape == x.shape and np.isfinite(new).all()
    assert 0 < np.abs(new - x).max() < 20 * x.std()
    assert new.tolist() == drift(x, derive(4)).tolist()


def test_some_channels_drift_and_the_rest_stay():
    values = np.sin(np.arange(900)[:, None] / np.arange(5, 11))
    changed = [(drifted(values, derive(seed)) != values).any(axis=0).sum() for seed in range(30)]
    assert 1 <= min(changed) < 6 and max(changed) > 3


def test_channels_hang_together():
    found = []
    for seed in range(40):
        values = draw_channels(1500, 4, derive(seed))
        assert values.shape == (1500, 4) and np.isfinite(values).all()
        moving = values[:, values.std(axis=0) > 1e-9]
        found.append(np.abs(np.corrcoef(moving.T) - np.eye(moving.shape[1])).max())
    assert np.mean(found) > 0.5


def test_tasks_are_a_stream_with_and_without_a_clean_past():
    tasks = [draw_series(3, i) for i in range(60)]
    again = draw_series(3, 7)
    assert again.values.tolist() == tasks[7].values.tolist()
    assert 15 < sum(task.reference > 0 for task in tasks) < 45
    assert {task.values.shape[1] for task in tasks} >= {1, 2, 3, 5}
    for task in tasks:
        share = task.labels.mean()
        assert 0 < share <= 0.27
        assert not task.labels[: task.reference].any()
        assert len(runs(task.labels)) >= 1
