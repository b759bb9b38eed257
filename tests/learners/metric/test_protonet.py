"""Prototypes against a plain loop, and the radius that stands in for unknown anomalies."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from outlearn.learners.metric.protonet import ProtoNet
from outlearn.learners.training.batch import stack
from outlearn.learners.training.loop import Training
from outlearn.tasks.task import Task

naive = runpy.run_path(str(Path(__file__).parents[2] / "naive" / "metric.py"))
ROWS = np.random.default_rng(0).normal(size=(30, 3))
WEIGHT = np.random.default_rng(1).uniform(0.1, 3, size=20)


@pytest.fixture
def same() -> nn.Module:
    """An embedding that leaves rows of three columns as they are."""
    net = nn.Linear(3, 3, bias=False).double()
    with torch.no_grad():
        net.weight.copy_(torch.eye(3))
    return net


def predict(learner, y, weight=None, rows=ROWS, **meta):
    given = {name: torch.tensor(value, dtype=torch.float64) for name, value in meta.items()}
    return learner.learned(learner.start() | given).adapt(rows[: len(y)], y, weight).predict(ROWS[20:])


def test_five_ways_are_those_of_a_plain_loop(same):
    y, learner = np.arange(20) % 5, ProtoNet(module=same, ways=5)
    for weight in (None, WEIGHT):
        w = np.ones(20) if weight is None else weight
        wanted = naive["logits"](ROWS[:20], y, w, ROWS[20:], 5, scale=np.exp(0.3))
        np.testing.assert_allclose(predict(learner, y, weight, log_scale=0.3), wanted, rtol=1e-12)


@pytest.mark.parametrize("labels", [(-1,), (0,), (-1, 0), (-1, 0, 1), (0, 1)])
def test_detection_is_that_of_a_plain_loop(same, labels):
    y, learner = np.resize(labels, 20), ProtoNet(module=same)
    for weight in (None, WEIGHT):
        w = np.ones(20) if weight is None else weight
        wanted = naive["log_odds"](ROWS[:20], y, w, ROWS[20:], scale=np.exp(0.3), radius=np.exp(-0.4))
        got = predict(learner, y, weight, log_scale=0.3, log_radius=-0.4)
        np.testing.assert_allclose(got, wanted, rtol=1e-10)


def test_with_normal_rows_alone_it_is_the_distance_less_the_radius(same):
    y, learner = np.zeros(20, dtype=int), ProtoNet(module=same)
    distance = ((ROWS[20:] - ROWS[:20].mean(0)) ** 2).sum(1) / 3
    np.testing.assert_allclose(predict(learner, y, log_radius=0.7), distance - np.exp(0.7), rtol=1e-12)


def test_an_unlabelled_row_counts_as_usual(same):
    y, learner = np.resize([-1, 0, 1], 20), ProtoNet(module=same)
    assert np.array_equal(predict(learner, y), predict(learner, np.where(y == 1, 1, 0)))


def test_a_known_anomaly_raises_what_is_like_it_and_nothing_far_away(same):
    rows = np.zeros((20, 3))
    rows[-1] = (4, 0, 0)
    y = np.zeros(20, dtype=int)
    learner = ProtoNet(module=same).learned(ProtoNet(module=same).start())
    asked = np.array([[4.0, 0, 0], [0.0, 0, 0], [-4.0, 0, 0]])
    before = learner.adapt(rows[:19], y[:19]).score(asked)
    y[-1] = 1
    after = learner.adapt(rows, y).score(asked)
    assert after[0] > before[0] + 1 and np.allclose(after[1:], before[1:], atol=0.02)


def rings(count, radius, seed=0):
    """Tasks of normal rows alone; anomalies of the query lie twice `radius` from their middle."""
    rng, tasks = np.random.default_rng(seed), []
    for _ in range(count):
        middle, way = rng.normal(size=3), rng.normal(size=(40, 3))
        y = np.arange(40) % 2
        way *= radius * (0.5 + 1.5 * y[:, None]) / np.linalg.norm(way, axis=1, keepdims=True)
        support = middle + 0.01 * rng.normal(size=(10, 3))
        tasks.append(Task(support, np.zeros(10, dtype=int), middle + way, y))
    return tasks


@pytest.mark.parametrize("radius", [0.5, 4.0])
def test_the_radius_is_learnt_from_normal_rows_alone(same, radius):
    learner = ProtoNet(module=same)
    _, grads = learner.meta_gradient(learner.start(), stack(rings(4, radius), torch.float64))
    assert abs(grads["log_radius"].item()) > 1e-3
    learned = learner.meta_fit(rings(8, radius), Training(steps=120, rate=0.1))
    moved = learned.meta["log_radius"].item()
    # The squared distances of usual and odd query rows enclose it: in what is learnt, and before for neither.
    for task in rings(5, radius, seed=1):
        score = learned.adapt(task.support_x, task.support_y).score(task.query_x)
        assert ((score > 0) == (task.query_y == 1)).all()
    assert abs(moved) > 0.3
    start = learner.learned(learner.start())
    task = rings(1, radius, seed=1)[0]
    guess = start.adapt(task.support_x, task.support_y).score(task.query_x) > 0
    assert (guess != (task.query_y == 1)).any()
