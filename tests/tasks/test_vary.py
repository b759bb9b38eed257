"""Tasks from tasks: labels trade numbers together, noise has its size, dropped features tell nothing."""

import numpy as np
import pytest

from outlearn.errors import InputError, ParameterError
from outlearn.tasks.task import Task
from outlearn.tasks.vary import drop_features, jitter, shuffle_ways


@pytest.fixture
def task():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)).astype(np.float32) * np.arange(1, 7, dtype=np.float32)
    y = np.arange(400) % 4
    return Task(x, y, x[:100] + 1, y[:100], np.ones(400, dtype=np.float32))


def test_shuffled_ways_are_one_permutation_of_support_and_query(task):
    seen = set()
    for seed in range(60):
        other = shuffle_ways(task, np.random.default_rng(seed))
        number = [int(other.support_y[way]) for way in range(4)]
        assert sorted(number) == [0, 1, 2, 3]
        assert (other.support_y == np.take(number, task.support_y)).all()
        assert (other.query_y == np.take(number, task.query_y)).all()
        assert other.support_x is task.support_x
        seen.add(tuple(number))
    assert len(seen) > 15, "most of the 24 permutations come up"


@pytest.mark.parametrize("y", [np.array([-1, 1]), np.array([0.0, 1.0]), np.array([[0], [1]])])
def test_labels_with_a_meaning_are_not_shuffled(y):
    x = np.zeros((2, 1), dtype=np.float32)
    with pytest.raises(InputError, match="class numbers"):
        shuffle_ways(Task(x, y, x, y), np.random.default_rng(0))


def test_jitter_is_measured_in_deviations_of_the_support(task):
    other = jitter(task, np.random.default_rng(0), 0.5)
    for before, after in ((task.support_x, other.support_x), (task.query_x, other.query_x)):
        moved = (after - before).std(axis=0) / task.support_x.std(axis=0)
        assert np.abs(moved - 0.5).max() < 0.12
        assert after.dtype == np.float32
    assert (jitter(task, np.random.default_rng(0), 0).support_x == task.support_x).all()


def test_dropped_features_are_constant_and_the_same_in_support_and_query(task):
    counts = []
    for seed in range(40):
        other = drop_features(task, np.random.default_rng(seed), 0.5)
        flat = np.ptp(other.support_x, axis=0) == 0
        assert (flat == (np.ptp(other.query_x, axis=0) == 0)).all()
        assert np.allclose(other.query_x[0, flat], task.support_x.mean(axis=0)[flat], atol=1e-5)
        assert (other.support_x[:, ~flat] == task.support_x[:, ~flat]).all()
        counts.append(flat.sum())
    assert 2 < np.mean(counts) < 4


def test_images_keep_their_shape():
    x = np.random.default_rng(0).random((5, 1, 8, 8), dtype=np.float32)
    task = Task(x, np.arange(5), x, np.arange(5))
    for other in (jitter(task, np.random.default_rng(1)), drop_features(task, np.random.default_rng(1))):
        assert other.support_x.shape == x.shape and other.support_x.dtype == np.float32


@pytest.mark.parametrize(("change", "value"), [(jitter, -0.1), (jitter, np.nan), (drop_features, 1.0)])
def test_bad_sizes_are_refused(task, change, value):
    with pytest.raises(ParameterError):
        change(task, np.random.default_rng(0), value)
