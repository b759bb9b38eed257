"""What all metric learners promise: gradients, padding, purity, learning, refusals."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import binom
from sklearn.metrics import roc_auc_score
from torch import nn

from outlearn.errors import InputError, ParameterError
from outlearn.learners.metric.pairs import Siamese, Triplet
from outlearn.learners.metric.protonet import ProtoNet
from outlearn.learners.training.batch import stack
from outlearn.learners.training.loop import Training
from outlearn.nets.mlp import MLP
from outlearn.tasks.task import Task

LEARNERS = {"protonet": ProtoNet, "siamese": partial(Siamese, margin=2.0), "triplet": Triplet}
F64 = torch.float64
every = pytest.mark.parametrize("make", LEARNERS.values(), ids=LEARNERS)


@pytest.fixture
def net() -> nn.Module:
    """An embedding of four columns in four dimensions."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MLP(4, (16,), 4)


@pytest.fixture
def smooth() -> nn.Module:
    """An embedding that can be differentiated anywhere, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).double()


def ragged(kinds, ways):
    """Tasks of several sizes, with weights, unlabelled rows and one without a known anomaly."""
    rng, tasks = np.random.default_rng(1), []
    for number, task in enumerate(kinds(3, ways, apart=1.5)):
        x, y = task.support_x / 3, task.support_y.copy()
        last = len(y) - 2 * number if ways > 2 else (len(y), 13, 8)[number]
        if ways == 2:
            y[:4] = -1
        weight = rng.uniform(0.2, 2, size=last).astype(np.float32)
        cut = len(task.query_y) - number
        query_weight = rng.uniform(0.2, 2, size=cut).astype(np.float32)
        query = task.query_x[:cut] / 3, task.query_y[:cut]
        tasks.append(Task(x[:last], y[:last], *query, weight, query_weight))
    return tasks


@pytest.mark.parametrize("ways", [2, 5])
@every
def test_the_gradient_is_that_of_finite_differences(make, ways, smooth, kinds):
    learner, batch = make(module=smooth, ways=ways), stack(ragged(kinds, ways), F64)
    meta = {name: value + 0.1 for name, value in learner.start().items()}

    def value(meta):
        return learner.meta_gradient(meta, batch)[0].mean().item()

    _, grads = learner.meta_gradient(meta, batch)
    assert list(grads) == list(meta)
    scale, h = (
        max(g.abs().max().item() for g in grads.values()),
        4e-6,
    )  # short of where another triple is the hardest
    assert scale > 1e-3
    for name, tensor in meta.items():
        for i in range(tensor.numel()):
            f = {}
            for k in (-2, -1, 1, 2):
                moved = tensor.clone()
                moved.view(-1)[i] += k * h
                f[k] = value({**meta, name: moved})
            slope = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * h)
            assert abs(slope - grads[name].view(-1)[i].item()) <= 1e-8 * scale, (name, i)


@pytest.mark.parametrize("ways", [2, 5])
@every
def test_padding_changes_nothing(make, ways, net, kinds):
    learner, tasks = make(module=net, ways=ways), ragged(kinds, ways)
    meta, batch = learner.start(), stack(tasks)
    losses, _ = learner.meta_gradient(meta, batch)
    output = learner.judge(meta, batch, *(learner.embed(meta, x) for x in (batch.support_x, batch.query_x)))
    for t, task in enumerate(tasks):
        alone = stack([task])
        torch.testing.assert_close(learner.meta_gradient(meta, alone)[0][0], losses[t], rtol=1e-6, atol=1e-6)
        scorer = learner.learned(meta).adapt(task.support_x, task.support_y, task.support_weight)
        wanted = output[t, : len(task.query_x)].detach().numpy()
        np.testing.assert_allclose(scorer.predict(task.query_x), wanted, rtol=1e-6, atol=2e-6)


@every
def test_rows_of_no_weight_are_not_there(make, net, kinds):
    task, learned = kinds(1)[0], make(module=net).learned(make(module=net).start())
    weight = np.ones(len(task.support_y), dtype=np.float32)
    weight[[3, 12]] = 0
    there = weight > 0
    without = learned.adapt(task.support_x[there], task.support_y[there]).score(task.query_x)
    weighed = learned.adapt(task.support_x, task.support_y, weight).score(task.query_x)
    np.testing.assert_allclose(weighed, without, rtol=1e-5, atol=1e-6)
    assert not np.allclose(learned.adapt(task.support_x, task.support_y).score(task.query_x), without)


@every
def test_adapting_and_scoring_leave_no_trace(make, net, kinds):
    first, second = kinds(2)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    learned = make(module=net).meta_fit(kinds(4), Training(steps=2))
    meta = {name: value.clone() for name, value in learned.meta.items()}
    scorer = learned.adapt(first.support_x, first.support_y)
    scores = scorer.score(first.query_x)
    learned.adapt(second.support_x, second.support_y).score(second.query_x)
    assert np.array_equal(scorer.score(first.query_x), scores)
    assert scores.dtype == np.float64 and scores.shape == (len(first.query_x),)
    alone = np.concatenate([scorer.score(row[None]) for row in first.query_x])
    np.testing.assert_allclose(alone, scores, rtol=1e-5, atol=1e-6)
    assert all(torch.equal(value, meta[name]) for name, value in learned.meta.items())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@every
def test_many_rows_are_compared_in_parts(make, net, kinds, monkeypatch):
    task, learner = kinds(1)[0], make(module=net)
    scorer = learner.learned(learner.start()).adapt(task.support_x, task.support_y)
    whole = scorer.score(task.query_x)
    monkeypatch.setattr("outlearn.learners.metric.learner.PAIRS", 60)
    np.testing.assert_allclose(scorer.score(task.query_x), whole, rtol=1e-5, atol=1e-6)


@every
def test_nothing_drops_out_in_use(make, kinds):
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 4))
    task, learner = kinds(1)[0], make(module=net)
    scorer = learner.learned(learner.start()).adapt(task.support_x, task.support_y)
    assert np.array_equal(scorer.score(task.query_x), scorer.score(task.query_x))
    assert net.training
    batch, meta = stack([task]), learner.start()
    assert not torch.equal(learner.meta_gradient(meta, batch)[0], learner.meta_gradient(meta, batch)[0])


def auroc(learned, tasks):
    found = []
    for task in tasks:
        score = learned.adapt(task.support_x, task.support_y).score(task.query_x)
        found.append(roc_auc_score(task.query_y, score))
    return float(np.mean(found))


@pytest.mark.parametrize("alone", [False, True], ids=["with labels", "normal rows alone"])
@every
def test_meta_training_lifts_detection_on_tasks_never_seen(make, alone, net, kinds):
    # The cue is the place of a row in the first column, three deviations of which are as wide as the noise.
    learner = make(module=net)
    before = auroc(learner.learned(learner.start()), kinds(20, seed=1, alone=alone))
    learned = learner.meta_fit(kinds(60, alone=alone), Training(steps=150, rate=0.01))
    after = auroc(learned, kinds(20, seed=1, alone=alone))
    assert before < 0.85 and after > max(0.93, before + 0.1), (before, after)


def accuracy(learned, tasks, shuffle=None):
    right = rows = 0
    for task in tasks:
        y = task.support_y if shuffle is None else shuffle.permutation(task.support_y)
        guess = learned.adapt(task.support_x, y).predict(task.query_x).argmax(1)
        right, rows = right + (guess == task.query_y).sum(), rows + len(guess)
    return int(right), rows


@every
def test_five_ways_are_learnt_and_shuffled_labels_bring_them_to_chance(make, net, kinds):
    learner = make(module=net, ways=5)
    tasks = kinds(40, 5, seed=1)
    before, rows = accuracy(learner.learned(learner.start()), tasks)
    learned = learner.meta_fit(kinds(60, 5), Training(steps=150, rate=0.01))
    after, _ = accuracy(learned, tasks)
    assert after / rows > 0.85 and after > before + 0.2 * rows, (before, after, rows)
    # Guesses of a task that share a wrong prototype are wrong together, at worst all six rows of a class at
    # once: so a bound for a sixth as many independent guesses.
    shuffled, _ = accuracy(learned, tasks, np.random.default_rng(0))
    low, high = binom.interval(0.9999, rows // 6, 0.2)
    assert low <= shuffled / 6 <= high, (shuffled, rows)


def good(ways=2):
    rng = np.random.default_rng(0)
    return rng.normal(size=(10, 4)).astype(np.float32), np.arange(10) % ways


REFUSED = {
    "anomalies alone": (2, lambda x, y: (x, np.ones_like(y)), "known anomalies alone"),
    "a class is missing": (5, lambda x, y: (x, np.where(y == 3, 4, y)), "no row of class 3"),
    "a label too high": (2, lambda x, y: (x, y * 2), "run from 0 to 2; this learner wants -1 to 1"),
    "a label too low": (2, lambda x, y: (x, y - 2), "run from -2 to -1"),
    "unlabelled of five": (5, lambda x, y: (x, y - 1), "wants 0 to 4"),
    "labels with a point": (2, lambda x, y: (x, y + 0.5), "whole numbers"),
    "labels in columns": (2, lambda x, y: (x, y[:, None]), "one class number a row"),
    "no rows": (2, lambda x, y: (x[:0], y[:0]), "no support rows"),
    "another length": (2, lambda x, y: (x, y[1:]), "one target a row"),
    "no number": (2, lambda x, y: (x * np.float32("nan"), y), "not finite"),
    "another width": (2, lambda x, y: (x[:, 1:], y), r"fails on rows of shape \(3,\)"),
}


@pytest.mark.parametrize("case", REFUSED)
@every
def test_a_support_that_cannot_be_used_is_refused(make, case, net):
    ways, spoil, told = REFUSED[case]
    learner = make(module=net, ways=ways)
    with pytest.raises(InputError, match=told):
        learner.learned(learner.start()).adapt(*spoil(*good(ways)))


@every
def test_a_support_whose_usual_rows_weigh_nothing_is_refused(make, net):
    x, y = good()
    learner = make(module=net)
    with pytest.raises(InputError, match="known anomalies alone"):
        learner.learned(learner.start()).adapt(x, y, (y == 1).astype(np.float32))


@every
def test_meta_training_names_the_task_that_cannot_be_used(make, net, kinds):
    tasks = kinds(3)
    tasks[1] = replace(tasks[1], support_y=np.ones_like(tasks[1].support_y))
    learner = make(module=net)
    with pytest.raises(InputError, match="support of task 1 of the batch holds known anomalies alone"):
        learner.meta_gradient(learner.start(), stack(tasks))
    tasks = [replace(task, query_y=task.query_y + 1) for task in kinds(2)]
    with pytest.raises(InputError, match="labels of the query run from 1 to 2"):
        learner.meta_fit(tasks, Training(steps=1))


@every
def test_a_query_of_no_weight_has_no_loss(make, net, kinds):
    task = kinds(1)[0]
    nothing = replace(task, query_weight=np.zeros(len(task.query_y), dtype=np.float32))
    losses, grads = make(module=net).meta_gradient(make(module=net).start(), stack([nothing, task]))
    assert losses[0] == 0 and losses[1] > 0
    assert all(torch.isfinite(value).all() for value in grads.values())


@every
def test_what_cannot_be_learnt_with_is_refused(make, net):
    with pytest.raises(ParameterError, match="batch normalisation"):
        make(module=nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)))
    with pytest.raises(ParameterError, match="no parameters"):
        make(module=nn.Tanh())
    with pytest.raises(ParameterError, match="ways=1"):
        make(module=net, ways=1)
    learner = make(module=net, ways=5)
    scorer = learner.learned(learner.start()).adapt(*good(5))
    assert scorer.predict(good()[0]).shape == (10, 5)
    with pytest.raises(ParameterError, match="ways=5"):
        scorer.score(good()[0])
