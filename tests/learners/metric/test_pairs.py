"""Likeness: pairs pulled together and pushed apart, the hardest triples, and what rows score."""

import runpy
from functools import partial
from math import log1p
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from outlearn.errors import ParameterError
from outlearn.learners.metric.pairs import Siamese, Triplet, contrastive, hardest_triplets
from outlearn.learners.training.batch import stack
from outlearn.tasks.task import Task

naive = runpy.run_path(str(Path(__file__).parents[2] / "naive" / "metric.py"))
MARGIN = 1.5
LEARNERS = {"contrastive": partial(Siamese, margin=MARGIN), "triplet": partial(Triplet, margin=MARGIN)}


@pytest.fixture
def same() -> nn.Module:
    """An embedding that leaves rows of two columns as they are."""
    net = nn.Linear(2, 2, bias=False).double()
    with torch.no_grad():
        net.weight.copy_(torch.eye(2))
    return net


def rows(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 2))


def slope(value: float, same: bool, margin: float = 1.0) -> float:
    distance = torch.tensor([value], requires_grad=True)
    (found,) = torch.autograd.grad(contrastive(distance, torch.tensor([same]), margin).sum(), distance)
    return found.item()


def test_one_kind_is_pulled_together_and_two_are_pushed_apart_to_the_margin():
    assert slope(0.5, True) == 1.0 and slope(3.0, True) == 6.0  # going down the slope they come nearer
    assert slope(0.5, False) == -1.0  # and these part
    assert slope(1.5, False) == 0.0 and slope(9.0, False) == 0.0
    assert slope(1.5, False, margin=2.0) == -1.0


def test_training_moves_pairs_as_the_labels_say(same):
    """Two rows of kind 0, one of kind 1 within the margin of them, and one beyond it."""
    learner = Siamese(module=nn.Linear(4, 2, bias=False).double(), margin=1.0)
    start = {"net.weight": torch.tensor([[0.0, 0.5, 0.2, 7.0], [0.0, 0.0, 0.3, 0.0]], dtype=torch.float64)}
    x, y = np.eye(4), np.array([0, 0, 1, 1])
    task = Task(x, y, x, y)
    pulled = learner.meta_gradient(start, stack([task], torch.float64))[1]["net.weight"]
    assert (pulled[0, 0] < 0 < pulled[0, 1]) and pulled[1, 2] < 0  # a step against it nears 0 and 1, lifts 2
    at = start
    for _ in range(500):
        _, grads = learner.meta_gradient(at, stack([task], torch.float64))
        at = {name: value - 0.1 * grads[name] for name, value in at.items()}
    place = at["net.weight"].T
    distance = torch.cdist(place, place)
    assert distance[0, 1] < 1e-3 and distance[2, 3] < 1e-3
    assert (distance[:2, 2:] > 0.999).all()


def test_pairs_of_two_kinds_beyond_the_margin_do_not_move(same):
    x = np.array([[0.0, 0.0], [5.0, 0.0]])
    learner, y = Siamese(module=same, margin=1.0), np.array([0, 1])
    losses, grads = learner.meta_gradient(
        learner.start(), stack([Task(x, y, x + np.array([0, 4]), y)], torch.float64)
    )
    # The pairs of one kind, four apart, alone count.
    assert losses.item() == pytest.approx(16) and grads["net.weight"][0].abs().max() == 0


@pytest.mark.parametrize("make", LEARNERS.values(), ids=LEARNERS)
@pytest.mark.parametrize("support_y", [[0, 1, -1, 0, 1], [-1, -1, 0, -1, -1], [0, 0, 0, -1, 0]])
@pytest.mark.parametrize("query_y", [[0, 0, 1, 0, 1, 0], [0] * 6, [0, -1, 1, -1, 1, 0]])
def test_the_loss_is_that_of_a_plain_loop(make, support_y, query_y, same):
    support, query = rows(5), rows(6, seed=1)
    task = Task(support, np.array(support_y), query, np.array(query_y))
    loss = naive[next(n for n, m in LEARNERS.items() if m is make)]
    learner = make(module=same)
    losses, _ = learner.meta_gradient(learner.start(), stack([task], torch.float64))
    assert losses.item() == pytest.approx(loss(query, query_y, support, support_y, MARGIN), rel=1e-12)


def test_the_hardest_partners_are_chosen():
    distance = torch.tensor([[[1.0, 3.0, 9.0, 2.0, 5.0, 0.5]]], requires_grad=True)
    same = torch.tensor([[[True, True, True, False, False, False]]])
    weight = torch.tensor(
        [[[1.0, 1.0, 0.0, 1.0, 1.0, 0.0]]]
    )  # the farthest and the nearest of all are not there
    loss = hardest_triplets(distance, same, weight, 0.0)
    assert loss.item() == pytest.approx(log1p(np.e))  # 3 - 2
    (found,) = torch.autograd.grad(loss.sum(), distance)
    assert found[0, 0, 1] > 0 and found[0, 0, 3] < 0 and found.count_nonzero() == 2


def test_the_mean_of_its_kind_can_stand_for_the_farthest():
    distance = torch.tensor([[[1.0, 3.0, 9.0, 2.0, 5.0, 0.5]]], requires_grad=True)
    same = torch.tensor([[[True, True, True, False, False, False]]])
    weight = torch.tensor([[[1.0, 1.0, 0.0, 1.0, 1.0, 0.0]]])
    loss = hardest_triplets(distance, same, weight, 0.0, mean=True)
    assert loss.item() == pytest.approx(log1p(1.0))  # the mean of 1 and 3, and 2
    (found,) = torch.autograd.grad(loss.sum(), distance)
    assert found[0, 0, 0] == found[0, 0, 1] > 0 and found[0, 0, 3] < 0 and found.count_nonzero() == 3


def test_anchors_that_lack_a_partner_count_nothing():
    distance = torch.rand(1, 3, 4, generator=torch.Generator().manual_seed(0))
    same = torch.tensor([[[True, True, False, False], [True] * 4, [False] * 4]])
    weight = torch.ones(1, 3, 4)
    alone = hardest_triplets(distance[:, :1], same[:, :1], weight[:, :1], 1.0)
    assert hardest_triplets(distance, same, weight, 1.0).item() == pytest.approx(alone.item())
    assert hardest_triplets(distance[:, 1:], same[:, 1:], weight[:, 1:], 1.0).item() == 0
    distance.requires_grad_()
    (found,) = torch.autograd.grad(hardest_triplets(distance, same, weight, 1.0).sum(), distance)
    assert torch.isfinite(found).all() and found[:, 1:].abs().max() == 0


@pytest.mark.parametrize("labels", [(-1,), (0, -1), (0, -1, -1, 1), (0,) * 11 + (1,)])
@pytest.mark.parametrize("nearest", [1, 3, 50])
def test_detection_is_that_of_a_plain_loop(labels, nearest, same):
    support, y, query = rows(12), np.resize(labels, 12), rows(6, seed=1)
    learner = Siamese(module=same, nearest=nearest)
    scores = learner.learned(learner.start()).adapt(support, y).score(query)
    np.testing.assert_allclose(scores, naive["likeness"](support, y, query, nearest), rtol=1e-12)


def test_five_ways_are_those_of_a_plain_loop(same):
    support, y, query = rows(12), np.arange(12) % 5, rows(6, seed=1)
    learner = Triplet(module=same, ways=5, nearest=2)
    logits = learner.learned(learner.start()).adapt(support, y).predict(query)
    wanted = [[-naive["nearest"](row, support[y == way], 2) for way in range(5)] for row in query]
    np.testing.assert_allclose(logits, wanted, rtol=1e-12)
    assert (
        learner.learned(learner.start()).adapt(support[:5], y[:5]).predict(support).argmax(1)[:5] == y[:5]
    ).all()


def test_a_row_is_not_its_own_neighbour(same):
    support, y = rows(30), np.zeros(30, dtype=int)
    learner = Siamese(module=same, nearest=1)
    scorer = learner.learned(learner.start()).adapt(support, y)
    own = scorer.score(support)
    assert own.min() > 0
    np.testing.assert_allclose(
        own[:9], [naive["nearest"](support[i], np.delete(support, i, 0), 1) for i in range(9)], rtol=1e-12
    )
    twice = learner.learned(learner.start()).adapt(np.vstack([support, support[:1]]), np.zeros(31, dtype=int))
    assert twice.score(support[:1]) == 0  # its twin is there all the same
    only = learner.learned(learner.start()).adapt(support[:1], y[:1])
    assert only.score(support[:1]) == 0


def test_as_many_new_rows_as_old_ones_are_beyond_a_threshold(same):
    shares = []
    for seed in range(8):
        support, learner = rows(200, seed), Siamese(module=same, nearest=3)
        scorer = learner.learned(learner.start()).adapt(support, np.zeros(200, dtype=int))
        threshold = np.quantile(scorer.score(support), 0.8)
        shares.append((scorer.score(rows(500, seed + 100)) > threshold).mean())
    assert 0.17 < np.mean(shares) < 0.23  # more than half, if each row were its own neighbour


def test_a_known_anomaly_is_its_own_neighbour(same):
    support, y = rows(30), np.zeros(30, dtype=int)
    y[4] = 1
    learner = Triplet(module=same)
    scorer = learner.learned(learner.start()).adapt(support, y)
    assert scorer.score(support)[4] == pytest.approx(
        naive["nearest"](support[4], np.delete(support, 4, 0), 5)
    )


def test_near_rows_far_from_the_origin_keep_their_distance():
    learner = Siamese(module=nn.Linear(2, 2), nearest=1)
    meta = {"net.weight": torch.eye(2), "net.bias": torch.tensor([1000.0, 1000.0])}
    support = np.array([[0.0, 0.0], [9.0, 9.0]], dtype=np.float32)
    score = learner.learned(meta).adapt(support, np.zeros(2, dtype=int)).score(support + np.float32(0.25))
    np.testing.assert_allclose(score, 0.25 * np.sqrt(2), rtol=1e-4)


@pytest.mark.parametrize("options", [{"margin": 0.0}, {"margin": -1.0}, {"nearest": 0}])
def test_margins_and_neighbours_out_of_range_are_refused(options, same):
    with pytest.raises(ParameterError, match="wanted a margin above 0 and at least 1 row"):
        Siamese(module=same, **options)
