"""Adapting is a pure function; guards against poisoned rows; what is refused, and how it is told."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

from outlearn.errors import InputError, ParameterError, WeightsError
from outlearn.learners.gradient.anil import ANIL
from outlearn.learners.gradient.imaml import ImplicitMAML
from outlearn.learners.gradient.inner import Adam
from outlearn.learners.gradient.learner import GradientLearned
from outlearn.learners.gradient.maml import FOMAML, MAML
from outlearn.learners.gradient.metasgd import MetaSGD
from outlearn.learners.gradient.reptile import Reptile
from outlearn.learners.training.batch import stack
from outlearn.learners.training.fit import draw, held_out_loss, meta_fit
from outlearn.learners.training.loop import Training
from outlearn.nets.losses import LabelLoss, binary_cross_entropy, cross_entropy, one_class, squared_error
from outlearn.nets.mlp import MLP
from outlearn.tasks.task import Task

F64 = torch.float64
ALL = [MAML, FOMAML, ANIL, MetaSGD, Reptile, ImplicitMAML]


def learned(learner) -> GradientLearned:
    return GradientLearned(learner, learner.start())


def bytes_of(params) -> dict[str, bytes]:
    return {name: value.detach().numpy().tobytes() for name, value in params.items()}


def saved_step(path) -> int:
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["training"])["step"]


# --- adapting


@pytest.mark.parametrize("make", ALL)
def test_adapting_changes_neither_module_nor_what_was_learnt(make, smooth, curves):
    one, two = curves(((4, 3), (6, 3)))
    made = learned(make(module=smooth, loss=squared_error, steps=3, rate=0.1))
    before = bytes_of(smooth.state_dict()), bytes_of(made.meta), smooth.training
    first = made.adapt(one.support_x, one.support_y)
    alone = made.adapt(two.support_x, two.support_y).predict(two.query_x)
    again = made.adapt(one.support_x, one.support_y)
    assert (bytes_of(smooth.state_dict()), bytes_of(made.meta), smooth.training) == before
    assert bytes_of(first.params) == bytes_of(again.params)
    fresh = learned(make(module=smooth, loss=squared_error, steps=3, rate=0.1))
    assert fresh.adapt(two.support_x, two.support_y).predict(two.query_x).tobytes() == alone.tobytes()
    assert all(not value.requires_grad for value in first.params.values())


def test_meta_training_changes_the_module_as_little(smooth, curves):
    before = bytes_of(smooth.state_dict())
    made = MAML(module=smooth, loss=squared_error, steps=2, rate=0.1).meta_fit(
        curves(), Training(steps=3), batch=2
    )
    assert bytes_of(smooth.state_dict()) == before
    assert bytes_of(made.meta) != bytes_of(made.learner.start())


@pytest.mark.parametrize("make", ALL)
def test_meta_training_lowers_the_loss_after_adapting(make, smooth, curves):
    learner = make(module=smooth, loss=squared_error, steps=3, rate=0.05)
    batch = stack(curves(((5, 5),) * 6), F64)
    before = held_out_loss(learner, learner.start(), batch)
    meta = meta_fit(learner, lambda step: batch, Training(steps=60, rate=0.02))
    assert held_out_loss(learner, meta, batch) < 0.8 * before


def test_scores_are_those_of_rows_alone(smooth, curves):
    (task,) = curves(((4, 5),))
    scorer = learned(MAML(module=smooth, loss=squared_error, rate=0.1)).adapt(task.support_x, task.support_y)
    together = scorer.score(task.query_x)
    assert together.shape == (5,)
    assert together.dtype == np.float64
    np.testing.assert_allclose(together, [scorer.score(row[None])[0] for row in task.query_x], rtol=1e-12)


def test_the_steps_of_use_may_differ_from_those_of_training(smooth, curves):
    (task,) = curves(((4, 3),))
    made = learned(MAML(module=smooth, loss=squared_error, steps=2, rate=0.1))

    def after(made, steps=None):
        return made.adapt(task.support_x, task.support_y, steps=steps).predict(task.query_x).tobytes()

    plain = bytes_of(dict(smooth.named_parameters()))
    assert bytes_of(made.adapt(task.support_x, task.support_y, steps=0).params) == plain
    assert after(made) == after(made, 2) != after(made, 5)
    assert after(made, 5) == after(learned(replace(made.learner, steps=5)))


def test_beyond_the_steps_of_training_the_last_rate_goes_on(smooth, curves):
    (task,) = curves(((4, 3),))
    learner = MAML(module=smooth, loss=squared_error, steps=2, rate=0.1, rates="layer-step")
    meta = learner.start()
    meta["rate.body"], meta["rate.head"] = torch.tensor([0.1, 0.02], dtype=F64), torch.zeros(2, dtype=F64)
    longer = {
        **meta,
        "rate.body": torch.tensor([0.1, 0.02, 0.02], dtype=F64),
        "rate.head": torch.zeros(3, dtype=F64),
    }
    one = GradientLearned(learner, meta).adapt(task.support_x, task.support_y, steps=3)
    two = GradientLearned(replace(learner, steps=3), longer).adapt(task.support_x, task.support_y)
    assert bytes_of(one.params) == bytes_of(two.params)
    assert one.params["head.bias"] == smooth.head.bias


def test_only_what_adapts_adapts(smooth, curves):
    (task,) = curves(((4, 3),))
    scorer = learned(ANIL(module=smooth, loss=squared_error, rate=0.1)).adapt(task.support_x, task.support_y)
    same = {name: torch.equal(scorer.params[name], value) for name, value in smooth.named_parameters()}
    assert same == {"body.weight": True, "body.bias": True, "head.weight": False, "head.bias": False}


def test_a_support_of_one_row_or_one_class_serves(curves):
    x = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    for loss, y in ((binary_cross_entropy, -np.ones(4, int)), (one_class, np.zeros(4, int))):
        made = learned(MAML(module=MLP(2, (4,), 1), loss=loss, rate=0.1, steps=2))
        for rows in (1, 4):
            assert np.isfinite(made.adapt(x[:rows], y[:rows]).score(x)).all()


def test_one_class_adaptation_draws_the_support_to_the_centre():
    x = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    y = np.zeros(8, int)
    made = learned(MAML(module=MLP(2, (8,), 3), loss=one_class, rate=0.05, steps=5))
    lengths = [np.square(made.adapt(x, y, steps=steps).predict(x)).sum(1).mean() for steps in (0, 5)]
    assert lengths[1] < lengths[0]


class Dropping(nn.Module):
    """A small network with dropout, in training mode as a new module is."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.drop, self.head = nn.Linear(2, 16), nn.Dropout(0.5), nn.Linear(16, 1)

    def forward(self, x):
        return self.head(self.drop(torch.relu(self.body(x))))


@pytest.mark.parametrize("path", ["vmap", "loop"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_dropout_is_for_training_alone_and_the_same_for_the_same_step(curves, path, checkpointing, tmp_path):
    module, tasks = Dropping(), curves(((4, 3),) * 4)
    learner = MAML(
        module=module, loss=squared_error, steps=4, rate=0.05, path=path, checkpointing=checkpointing
    )
    made = learned(learner)
    one, two = (made.adapt(tasks[0].support_x, tasks[0].support_y).predict(tasks[0].query_x) for _ in "ab")
    assert one.tobytes() == two.tobytes()
    assert module.training
    batch = stack(tasks, torch.float32)
    losses = [learner.meta_gradient(learner.start(), batch)[0] for _ in "ab"]
    assert not torch.equal(*losses)
    how = Training(steps=4, every=2, rate=1e-2)
    state = torch.get_rng_state()
    whole = meta_fit(learner, draw(tasks, 2), how)
    assert torch.equal(torch.get_rng_state(), state)
    path = tmp_path / "state"
    torch.manual_seed(99)  # what others drew makes no difference
    meta_fit(learner, draw(tasks, 2), replace(how, steps=2, checkpoint=path))
    assert bytes_of(meta_fit(learner, draw(tasks, 2), replace(how, checkpoint=path))) == bytes_of(whole)


def test_checkpointing_repeats_the_same_dropout(curves):
    batch, module = stack(curves(), torch.float32), Dropping()
    found = []
    for checkpointing in (False, True):
        learner = MAML(
            module=module, loss=squared_error, steps=5, rate=0.05, path="vmap", checkpointing=checkpointing
        )
        torch.manual_seed(1)
        found.append(learner.meta_gradient(learner.start(), batch))
    torch.testing.assert_close(found[0], found[1])


# --- guards


def poisoned(task: Task, rows: list[int]) -> Task:
    y = task.support_y.copy()
    y[rows] += 50.0
    return Task(task.support_x, y, task.query_x, task.query_y)


def test_trimming_leaves_the_poisoned_rows_out(smooth, curves):
    (task,) = curves(((10, 5),))
    rows = [2, 7]
    keep = np.delete(np.arange(10), rows)

    def adapted(task, trim):
        made = learned(MAML(module=smooth, loss=squared_error, steps=4, rate=0.05, trim=trim))
        return bytes_of(made.adapt(task.support_x, task.support_y).params), made

    clean = Task(task.support_x[keep], task.support_y[keep], task.query_x, task.query_y)
    trimmed, _ = adapted(poisoned(task, rows), 0.2)
    wanted, made = adapted(clean, 0.0)
    for name, value in made.adapt(clean.support_x, clean.support_y).params.items():
        np.testing.assert_allclose(np.frombuffer(trimmed[name]), value.numpy().ravel(), rtol=1e-10)
    assert adapted(poisoned(task, rows), 0.0)[0] != wanted


def test_trimming_leaves_rows_of_each_class():
    x = np.vstack([np.zeros((8, 1)), 5 * np.ones((2, 1))]).astype(np.float32)
    y = np.r_[np.zeros(8, int), np.ones(2, int)]
    # The anomalies have the largest losses of all, and yet one of two stays with trim=0.4.
    module = nn.Linear(1, 1)
    with torch.no_grad():
        module.weight.fill_(-1.0)
        module.bias.fill_(0.0)
    made = learned(MAML(module=module, loss=binary_cross_entropy, rate=1.0, trim=0.4))
    assert made.adapt(x, y).params["weight"].item() > -1.0


def test_an_untrimmed_share_is_no_trimming(smooth, curves):
    (task,) = curves(((4, 5),))
    found = [
        bytes_of(
            learned(MAML(module=smooth, loss=squared_error, rate=0.1, trim=trim))
            .adapt(task.support_x, task.support_y)
            .params
        )
        for trim in (0.0, 0.2)  # a fifth of four rows is none
    ]
    assert found[0] == found[1]


def test_the_adversary_raises_the_loss_of_the_query_alone(smooth, curves):
    batch = stack(curves(), F64)
    plain = MAML(module=smooth, loss=squared_error, steps=2, rate=0.1)
    losses = [
        replace(plain, adversary=size).meta_gradient(plain.start(), batch)[0] for size in (0, 1e-4, 1e-2)
    ]
    assert (losses[0] < losses[1]).all()
    assert (losses[1] < losses[2]).all()
    # A small step raises the loss by its size times the gradient's absolute sum.
    params = list(plain.walk(plain.start(), plain.stacked(plain.start(), 3), batch, 2))[-1]
    x = batch.query_x.clone().requires_grad_()
    loss = plain.judge(plain.start(), params, x, batch.query_y, batch.query_w, query=True)
    (slope,) = torch.autograd.grad(loss.sum(), x)
    torch.testing.assert_close((losses[1] - losses[0]) / 1e-4, slope.abs().sum((1, 2)), rtol=1e-2, atol=0)


# --- refused


@pytest.mark.parametrize(
    "module",
    [
        nn.BatchNorm1d(2),
        nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)),
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.InstanceNorm2d(2, track_running_stats=True))),
    ],
)
@pytest.mark.parametrize("make", ALL)
def test_batch_normalisation_is_refused_with_the_remedy(make, module):
    with pytest.raises(ParameterError, match=r"batch normalisation .*mixes.*LayerNorm, GroupNorm or RMSNorm"):
        make(module=module, loss=squared_error)


@pytest.mark.parametrize("module", [nn.LayerNorm(2), nn.GroupNorm(1, 2), nn.InstanceNorm1d(2, affine=True)])
def test_other_normalisation_is_taken(module):
    MAML(module=module, loss=squared_error)


def test_a_module_without_parameters_is_refused():
    with pytest.raises(ParameterError, match="ReLU has no parameters"):
        MAML(module=nn.ReLU(), loss=squared_error)


@pytest.mark.parametrize("make", [MAML, ANIL])
def test_a_pattern_that_matches_nothing_names_the_parameters(make):
    with pytest.raises(ParameterError, match=r"adapts='heads\.\*' matches none of .*'weight', 'bias'"):
        make(module=nn.Linear(1, 1), loss=squared_error, adapts="heads.*")


def test_anil_wants_a_head():
    with pytest.raises(ParameterError, match=r"head\.\*"):
        ANIL(module=nn.Linear(1, 1), loss=squared_error)


BAD = [
    (MAML, {"steps": -1}, "steps=-1"),
    (MAML, {"steps": 1.5}, "steps=1.5; wanted a whole number"),
    (MAML, {"rate": -0.1}, "rate=-0.1; wanted 0 or more"),
    (MAML, {"rate": float("nan")}, "rate=nan"),
    (MAML, {"rate": float("inf")}, "rate=inf"),
    (MAML, {"trim": 0.5}, "trim=0.5; wanted 0 or more and less than 0.5"),
    (MAML, {"penalty": -1.0}, "penalty"),
    (MAML, {"adversary": -1.0}, "adversary"),
    (MAML, {"order": 3}, "order=3"),
    (MAML, {"learn_penalty": True}, "learn_penalty needs a penalty"),
    (MAML, {"multi_step": 5, "steps": 0}, "multi_step"),
    (MAML, {"multi_step": -1}, "multi_step=-1"),
    (MAML, {"second_order_from": -1}, "second_order_from=-1"),
    (MAML, {"checkpointing": True, "multi_step": 5}, "checkpointing"),
    (FOMAML, {"checkpointing": True}, "checkpointing"),
    (FOMAML, {"penalty": 1.0, "learn_penalty": True}, "order=2"),
    (FOMAML, {"loss": LabelLoss(), "query_loss": binary_cross_entropy}, "order=2"),
    (MetaSGD, {"steps": 0}, "no step whose rate to learn"),
    (MAML, {"loss": LabelLoss()}, "query_loss without parameters"),
    (MAML, {"query_loss": LabelLoss()}, "query_loss without parameters"),
    (Reptile, {"rates": "one"}, "take MAML or MetaSGD"),
    (Reptile, {"penalty": 1.0, "learn_penalty": True}, "take MAML or MetaSGD"),
    (Reptile, {"loss": LabelLoss(), "query_loss": binary_cross_entropy}, "take MAML or MetaSGD"),
    (Reptile, {"adversary": 0.1}, "adversary=0"),
    (Reptile, {"minibatch": 0}, "minibatch=0"),
    (ImplicitMAML, {"penalty": 0.0}, "penalty=0.0"),
    (ImplicitMAML, {"rates": "one"}, "rates"),
    (ImplicitMAML, {"solves": 0}, "solves=0"),
]


@pytest.mark.parametrize(("make", "options", "message"), BAD)
def test_arguments_outside_their_range_are_refused(make, options, message):
    with pytest.raises(ParameterError, match=message):
        make(**({"module": nn.Linear(1, 1), "loss": squared_error} | options))


@pytest.mark.parametrize("steps", [-1, 0.5])
def test_steps_of_use_outside_their_range_are_refused(smooth, curves, steps):
    (task,) = curves(((4, 3),))
    with pytest.raises(ParameterError, match="steps="):
        learned(MAML(module=smooth, loss=squared_error)).adapt(task.support_x, task.support_y, steps=steps)


@pytest.mark.parametrize("path", ["vmap", "loop"])
def test_rows_that_the_module_does_not_take_are_told(smooth, curves, path):
    wide = Task(np.ones((3, 5)), np.ones((3, 1)), np.ones((2, 5)), np.ones((2, 1)))
    learner = MAML(module=smooth, loss=squared_error, path=path)
    message = r"Sequential fails on rows of shape \(5,\)"
    with pytest.raises(InputError, match=message):
        learner.meta_fit([wide, wide], Training(steps=1))
    made = learned(learner)
    with pytest.raises(InputError, match=message):
        made.adapt(wide.support_x, wide.support_y)
    (task,) = curves(((4, 3),))
    with pytest.raises(InputError, match=message):
        made.adapt(task.support_x, task.support_y).score(wide.query_x)


def test_tasks_of_different_widths_are_refused(smooth, curves):
    wide = Task(np.ones((3, 5)), np.ones((3, 1)), np.ones((2, 5)), np.ones((2, 1)))
    with pytest.raises(
        InputError, match=r"differ in width: support_x of task 0 .* \(2,\), that of task 2 \(5,\)"
    ):
        meta_fit(
            MAML(module=smooth, loss=squared_error), lambda step: stack([*curves(((4, 3),) * 2), wide], F64)
        )


@pytest.mark.parametrize("path", ["vmap", "loop"])
def test_a_loss_that_is_not_one_of_rows_is_told(smooth, curves, path):
    batch = stack(curves(), F64)
    for loss, message in (
        (nn.MSELoss(), r"MSELoss on .* gave values of shape \(\)"),
        (nn.MSELoss(reduction="none"), r"shape \(4, 1\).* wanted one a row"),
        (cross_entropy, "cross_entropy on outputs of shape .* fails"),
    ):
        learner = MAML(module=smooth, loss=loss, path=path)
        with pytest.raises(InputError, match=message):
            learner.meta_gradient(learner.start(), batch)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.full((3, 2), np.nan), np.ones((3, 1)), "not finite"),
        (np.ones((3, 2)), np.full((3, 1), np.inf), "not finite"),
        (np.ones((0, 2)), np.ones((0, 1)), "no support rows"),
        (np.ones((3, 2)), np.ones((2, 1)), "3 support rows with 2 targets"),
        (np.array([["a", "b"]]), np.ones((1, 1)), "arrays of numbers"),
        ([[1.0, 2.0]], np.ones((1, 1)), "arrays of numbers"),
    ],
)
def test_a_support_that_cannot_be_adapted_to_is_told(smooth, x, y, message):
    with pytest.raises(InputError, match=message):
        learned(MAML(module=smooth, loss=squared_error)).adapt(x, y)


def test_adapting_that_runs_off_names_the_step(smooth, curves):
    (task,) = curves(((4, 3),))
    made = learned(MAML(module=MLP(2, (4,), 1).double(), loss=squared_error, rate=1e9, steps=60))
    with pytest.raises(
        InputError, match=r"not finite at inner step \d+; scale the rows or take a lower rate"
    ):
        made.adapt(task.support_x, task.support_y)


@pytest.mark.parametrize("make", [MAML, partial(MAML, path="loop"), FOMAML, Reptile, ImplicitMAML])
def test_a_task_that_does_not_compute_is_named_with_its_step_and_the_last_state_is_kept(
    make, curves, tmp_path
):
    path = tmp_path / "state"
    usual = curves(((4, 3),) * 4)
    huge = Task(usual[0].support_x * 1e200, usual[0].support_y, usual[0].query_x, usual[0].query_y)
    learner = make(module=MLP(2, (4,), 1).double(), loss=squared_error, steps=2, rate=0.1)

    def source(step):
        return stack([*usual[:2], huge, usual[3]] if step == 5 else usual, F64)

    with pytest.raises(WeightsError, match=r"step 5: .*batch of 4: task 2; the last checkpoint is kept"):
        meta_fit(learner, source, Training(steps=9, every=2, checkpoint=path))
    assert saved_step(path) == 4
    meta = meta_fit(learner, lambda step: stack(usual, F64), Training(steps=9, every=2, checkpoint=path))
    assert all(torch.isfinite(value).all() for value in meta.values())


def test_a_checkpoint_of_another_architecture_is_refused(curves, tmp_path):
    path = tmp_path / "state"
    tasks = curves()

    def fit(width, make=MAML):
        learner = make(module=MLP(2, (width,), 1).double(), loss=squared_error)
        return learner.meta_fit(tasks, Training(steps=2, checkpoint=path), batch=2)

    fit(4)
    before = path.read_bytes()
    for width, make in ((5, MAML), (4, MetaSGD)):
        with pytest.raises(WeightsError, match="another architecture"):
            fit(width, make)
    assert path.read_bytes() == before


# --- meta-training


def test_meta_training_is_the_same_for_the_same_seed_and_resumes(smooth, curves, tmp_path):
    tasks = curves(((4, 3), (2, 5), (6, 1), (3, 3), (5, 2)))
    learner, how = MetaSGD(module=smooth, loss=squared_error, rate=0.1), Training(steps=7, every=3, rate=0.01)
    whole = bytes_of(learner.meta_fit(tasks, how, batch=2, seed=4).meta)
    assert bytes_of(learner.meta_fit(tasks, how, batch=2, seed=4).meta) == whole
    assert bytes_of(learner.meta_fit(tasks, how, batch=2, seed=5).meta) != whole
    path = tmp_path / "state"
    learner.meta_fit(tasks, replace(how, steps=5, checkpoint=path), batch=2, seed=4)
    resumed = learner.meta_fit(tasks, replace(how, checkpoint=path), batch=2, seed=4)
    assert bytes_of(resumed.meta) == whole


def test_held_out_tasks_stop_meta_training(smooth, curves):
    learner = MAML(module=smooth, loss=squared_error, steps=1, rate=0.05)
    train, held_out = stack(curves(seed=1), F64), stack(curves(seed=2), F64)
    told = []
    how = Training(
        steps=200, rate=0.05, every=5, patience=2, validated=lambda step, value: told.append((step, value))
    )
    meta = meta_fit(learner, lambda step: train, how, held_out=held_out)
    best = min(value for _, value in told)
    assert told[-1][0] < 200
    assert held_out_loss(learner, meta, held_out) == pytest.approx(best, rel=1e-12)


def test_the_order_of_tasks_shows_each_once_an_epoch(curves):
    tasks = curves(((1, 1),) * 6)
    source = draw(tasks, 2, seed=3, dtype=F64)
    shown = [source(step).support_x[:, 0, 0].numpy() for step in range(6)]
    everything = sorted(task.support_x[0, 0] for task in tasks)
    first, second = np.concatenate(shown[:3]).tolist(), np.concatenate(shown[3:]).tolist()
    assert sorted(first) == sorted(second) == everything
    assert first != second
    assert draw(tasks, 99)(0).support_x.shape[0] == 6
    with pytest.raises(InputError, match="no tasks"):
        draw([], 2)
    with pytest.raises(ParameterError, match="batch=0"):
        draw(tasks, 0)


def test_adam_within_and_a_learnt_loss_train(smooth, curves):
    tasks = [Task(t.support_x, np.array([-1, -1, 0, 1]), t.query_x, np.array([0, 1, 0])) for t in curves()]
    learner = MAML(
        module=smooth,
        loss=LabelLoss().double(),
        query_loss=binary_cross_entropy,
        optimiser=Adam(),
        rate=0.05,
        steps=2,
    )
    made = learner.meta_fit(tasks, Training(steps=5, rate=0.05))
    assert (made.meta["loss.log_weight"] != 0).all()
    assert np.isfinite(made.adapt(tasks[0].support_x, tasks[0].support_y).score(tasks[0].query_x)).all()


def test_held_out_tasks_are_judged_after_adapting_to_their_supports_alone(curves, smooth):
    tasks = curves()
    batch = stack(tasks, F64)
    both, support = (
        Reptile(module=smooth, loss=squared_error, steps=3, rate=0.1, rows=rows)
        for rows in ("both", "support")
    )
    meta = both.start()
    found = [both.learned(meta).adapt(t.support_x, t.support_y).predict(t.query_x) for t in tasks]
    by_hand = np.mean([((p - t.query_y) ** 2).mean() for p, t in zip(found, tasks, strict=True)])
    assert held_out_loss(both, meta, batch) == pytest.approx(by_hand, rel=1e-12)
    assert held_out_loss(support, meta, batch) == held_out_loss(both, meta, batch)
    assert both.meta_gradient(meta, batch)[0].mean().item() != pytest.approx(by_hand, rel=1e-3)
