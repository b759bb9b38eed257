"""Meta-gradients in float64: against finite differences, their defining formulas and a plain loop."""

import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from outlearn.learners.gradient.anil import ANIL
from outlearn.learners.gradient.imaml import ImplicitMAML
from outlearn.learners.gradient.inner import SGD, Adam, Momentum, descend
from outlearn.learners.gradient.maml import FOMAML, MAML
from outlearn.learners.gradient.metasgd import MetaSGD
from outlearn.learners.gradient.reptile import Reptile
from outlearn.learners.training.batch import stack
from outlearn.nets.losses import LabelLoss, binary_cross_entropy, squared_error
from outlearn.tasks.task import Task

naive = runpy.run_path(str(Path(__file__).parents[2] / "naive" / "meta.py"))
F64 = torch.float64
RAGGED = ((4, 3), (2, 5), (6, 1))


def labelled(tasks: list[Task]) -> list[Task]:
    """The same tasks with labels -1, 0, 1 by thirds of their targets."""

    def label(y):
        return (np.digitize(y[:, 0], np.quantile(y, [1 / 3, 2 / 3])) - 1).astype(np.int64)

    return [Task(t.support_x, label(t.support_y), t.query_x, label(t.query_y)) for t in tasks]


def tensors(tasks: list[Task]) -> list[tuple[torch.Tensor, ...]]:
    return [
        tuple(torch.from_numpy(v) for v in (t.support_x, t.support_y, t.query_x, t.query_y)) for t in tasks
    ]


def differences(value, meta, h: float = 1e-4):
    """Differences of fourth order: (8(f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h."""
    found = {}
    for name, tensor in meta.items():
        flat = torch.zeros(tensor.numel(), dtype=F64)
        for i in range(tensor.numel()):
            f = {}
            for k in (-2, -1, 1, 2):
                moved = tensor.clone()
                moved.view(-1)[i] += k * h
                f[k] = value({**meta, name: moved})
            flat[i] = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * h)
        found[name] = flat.view(tensor.shape)
    return found


def agree(ours, theirs, tolerance: float) -> None:
    """Compare relative to the largest entry of all."""
    assert list(ours) == list(theirs)
    scale = max(value.abs().max().item() for value in theirs.values())
    assert scale > 1e-3
    for name in ours:
        worst = (ours[name] - theirs[name]).abs().max().item() if ours[name].numel() else 0.0
        assert worst <= tolerance * scale, (name, worst, scale)


def meta_loss(learner, batch, step: int = 0):
    def value(meta) -> float:
        with torch.no_grad():
            return learner.meta_loss(meta, batch, step).mean().item()

    return value


LEARNERS = {
    "maml, 1 step": partial(MAML, steps=1),
    "maml, 5 steps": partial(MAML, steps=5),
    "no inner step": partial(MAML, steps=0),
    "anil": partial(ANIL, steps=3),
    "meta-sgd": partial(MetaSGD, steps=3),
    "one rate": partial(MAML, steps=3, rates="one"),
    "a rate a layer and step": partial(MAML, steps=3, rates="layer-step"),
    "learnt penalty": partial(MAML, steps=3, penalty=0.7, learn_penalty=True),
    "momentum": partial(MAML, steps=3, optimiser=Momentum(0.8)),
    "adam": partial(MAML, steps=3, rate=0.05, optimiser=Adam(epsilon=1e-3)),
    "checkpointing": partial(MAML, steps=5, checkpointing=True),
    "checkpointing all at once": partial(
        MAML, steps=5, checkpointing=True, rates="layer-step", penalty=0.5, learn_penalty=True,
        optimiser=Adam(epsilon=1e-3), rate=0.05,
    ),
    "multi-step loss": partial(MAML, steps=3, multi_step=4),
    "trimmed": partial(MAML, steps=2, trim=0.3),
}  # fmt: skip


@pytest.mark.parametrize("name", LEARNERS)
def test_the_gradient_is_that_of_finite_differences(name, smooth, curves):
    learner = LEARNERS[name](**({"rate": 0.2} | LEARNERS[name].keywords), module=smooth, loss=squared_error)
    batch, meta = stack(curves(RAGGED), F64), learner.start()
    _, grads = learner.meta_gradient(meta, batch, 1)
    agree(grads, differences(meta_loss(learner, batch, 1), meta), 1e-8)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_gradient_of_a_learnt_loss_is_that_of_finite_differences(smooth, curves, checkpointing):
    learner = MAML(
        module=smooth,
        loss=LabelLoss().double(),
        query_loss=binary_cross_entropy,
        steps=3,
        rate=0.3,
        checkpointing=checkpointing,
    )
    batch, meta = stack(labelled(curves(RAGGED)), F64), learner.start()
    _, grads = learner.meta_gradient(meta, batch)
    assert grads["loss.log_weight"].abs().min() > 0
    agree(grads, differences(meta_loss(learner, batch), meta), 1e-8)


@pytest.mark.parametrize(("path", "learn_penalty"), [("vmap", True), ("loop", False)])
def test_the_implicit_gradient_is_that_of_the_converged_inner_loop(smooth, curves, path, learn_penalty):
    learner = ImplicitMAML(
        module=smooth, loss=squared_error, steps=40, rate=0.2, penalty=4.0, solves=15, path=path,
        learn_penalty=learn_penalty,
    )  # fmt: skip
    batch, meta = stack(curves(((4, 3), (2, 5))), F64), learner.start()
    _, grads = learner.meta_gradient(meta, batch)
    agree(grads, differences(meta_loss(learner, batch), meta), 1e-8)


def test_the_implicit_gradient_reaches_a_body_that_does_not_adapt(smooth, curves):
    learner = ImplicitMAML(
        module=smooth, loss=squared_error, steps=40, rate=0.2, penalty=4.0, solves=8, adapts="head.*"
    )
    batch, meta = stack(curves(((4, 3), (2, 5))), F64), learner.start()
    _, grads = learner.meta_gradient(meta, batch)
    agree(grads, differences(meta_loss(learner, batch), meta), 1e-8)


@pytest.mark.parametrize("path", ["vmap", "loop"])
@pytest.mark.parametrize("sizes", [((4, 3),) * 3, RAGGED, ((1, 1),)])
def test_maml_is_that_of_a_plain_loop(smooth, curves, path, sizes):
    tasks, theta = curves(sizes), dict(smooth.named_parameters())
    for steps, penalty in ((1, 0.0), (4, 0.5)):
        learner = MAML(module=smooth, loss=squared_error, steps=steps, rate=0.1, penalty=penalty, path=path)
        _, grads = learner.meta_gradient(learner.start(), stack(tasks, F64))
        plain = naive["maml"](
            smooth, theta, tensors(tasks), squared_error, steps=steps, rate=0.1, penalty=penalty
        )
        agree(grads, dict(zip(grads, plain, strict=True)), 1e-12)


@pytest.mark.parametrize("path", ["vmap", "loop"])
def test_learnt_rates_are_those_of_a_plain_loop(smooth, curves, path):
    tasks, theta = curves(RAGGED), dict(smooth.named_parameters())
    names = [n for n in theta if n.startswith("head.")]
    for kind, keys in (("layer-step", ["head"]), ("parameter", names), ("one", [""])):
        learner = ANIL(module=smooth, loss=squared_error, steps=3, rate=0.1, rates=kind, path=path)
        meta = learner.start()
        own = {k: meta[f"rate.{k}" if k else "rate"].detach().clone().requires_grad_() for k in keys}

        def rate(step, name, kind=kind, own=own):
            return {"layer-step": lambda: own["head"][step], "one": lambda: own[""]}.get(
                kind, lambda: own[name]
            )()

        _, grads = learner.meta_gradient(meta, stack(tasks, F64))
        plain = naive["maml"](
            smooth, theta, tensors(tasks), squared_error, wanted=own.values(), steps=3, rate=rate, names=names
        )
        agree(grads, dict(zip(grads, plain, strict=True)), 1e-12)


@pytest.mark.parametrize("path", ["vmap", "loop"])
def test_first_order_maml_is_its_formula(smooth, curves, path):
    tasks, theta = curves(RAGGED), dict(smooth.named_parameters())
    learner = FOMAML(module=smooth, loss=squared_error, steps=4, rate=0.1, path=path)
    _, grads = learner.meta_gradient(learner.start(), stack(tasks, F64))
    plain = naive["fomaml"](smooth, theta, tensors(tasks), squared_error, steps=4, rate=0.1)
    agree(grads, dict(zip(grads, plain, strict=True)), 1e-12)


@pytest.mark.parametrize("path", ["vmap", "loop"])
def test_reptile_is_its_formula(smooth, curves, path):
    tasks, theta = curves(RAGGED), {n: v.detach() for n, v in smooth.named_parameters()}
    learner = Reptile(module=smooth, loss=squared_error, steps=4, rate=0.1, path=path)
    losses, grads = learner.meta_gradient(learner.start(), stack(tasks, F64))
    plain = naive["reptile"](smooth, theta, tensors(tasks), squared_error, steps=4, rate=0.1)
    agree(grads, dict(zip(grads, plain, strict=True)), 1e-12)
    torch.testing.assert_close(losses, learner.meta_loss(learner.start(), stack(tasks, F64), 0))


@pytest.mark.parametrize("optimiser", [Momentum(), Adam()])
def test_the_inner_optimiser_of_reptile_remembers_its_steps(smooth, curves, optimiser):
    tasks = curves(((4, 3),))
    learner = Reptile(
        module=smooth, loss=squared_error, steps=4, rate=0.05, optimiser=optimiser, rows="support"
    )
    start, batch = learner.start(), stack(tasks, F64)
    _, grads = learner.meta_gradient(start, batch)
    *_, after = learner.walk(start, learner.stacked(start, 1), batch, 4)
    for name, value in after.items():
        torch.testing.assert_close(grads[f"net.{name}"], start[f"net.{name}"] - value[0].detach())


@pytest.mark.parametrize("path", ["vmap", "loop"])
def test_a_minibatch_takes_rows_in_turn_and_padding_takes_none(smooth, curves, path):
    def fit(tasks, **options):
        learner = Reptile(module=smooth, loss=squared_error, rate=0.1, path=path, **options)
        return learner.meta_gradient(learner.start(), stack(tasks, F64), 3)[1]

    tasks = curves(((4, 3), (2, 2), (9, 5)))
    for size in (3, 6):  # of 7, 4 and 14 rows
        alone = [fit([task], steps=5, minibatch=size) for task in tasks]
        mean = {name: torch.stack([grads[name] for grads in alone]).mean(0) for name in alone[0]}
        agree(fit(tasks, steps=5, minibatch=size), mean, 1e-12)
    agree(fit(tasks[:1], steps=1, minibatch=7), fit(tasks[:1], steps=1), 1e-12)
    agree(fit(tasks[:1], steps=2, minibatch=99), fit(tasks[:1], steps=2), 1e-12)
    other = fit(tasks[:1], steps=1, minibatch=3)
    assert max((other[n] - fit(tasks[:1], steps=1)[n]).abs().max() for n in other) > 1e-3


@pytest.mark.parametrize("name", LEARNERS)
def test_side_by_side_is_one_after_another(name, smooth, curves):
    found = []
    for path in ("vmap", "loop"):
        learner = LEARNERS[name](
            **({"rate": 0.2} | LEARNERS[name].keywords), module=smooth, loss=squared_error, path=path
        )
        found.append(learner.meta_gradient(learner.start(), stack(curves(RAGGED), F64), 1))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-10, atol=1e-12)
    agree(found[0][1], found[1][1], 1e-10)


def test_single_precision_agrees_to_a_millionth(smooth, curves):
    found = []
    for path, dtype in (("vmap", torch.float32), ("loop", torch.float32), ("loop", F64)):
        learner = MAML(module=smooth.to(dtype), loss=squared_error, steps=5, rate=0.05, path=path)
        _, grads = learner.meta_gradient(learner.start(), stack(curves(RAGGED), dtype))
        found.append({name: value.double() for name, value in grads.items()})
    agree(found[0], found[1], 1e-6)
    agree(found[0], found[2], 5e-6)


@given(
    sizes=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=4),
    columns=st.integers(1, 3),
    steps=st.integers(0, 3),
    hidden=st.integers(1, 4),
    first=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_any_shape_is_that_of_a_plain_loop(sizes, columns, steps, hidden, first):
    rng = np.random.default_rng(len(sizes))
    tasks = []
    for n, m in sizes:
        x = rng.normal(size=(n + m, columns))
        y = np.tanh(x.sum(1, keepdims=True) + rng.normal())
        tasks.append(Task(x[:n], y[:n], x[n:], y[n:]))
    net = nn.Sequential(nn.Linear(columns, hidden), nn.Softplus(), nn.Linear(hidden, 1)).double()
    how = {"steps": steps, "rate": 0.1}
    learner = MAML(module=net, loss=squared_error, order=1 if first else 2, path="vmap", **how)
    _, grads = learner.meta_gradient(learner.start(), stack(tasks, F64))
    plain = naive["fomaml" if first else "maml"](
        net, dict(net.named_parameters()), tensors(tasks), squared_error, **how
    )
    agree(grads, dict(zip(grads, plain, strict=True)), 1e-9)


def test_a_row_without_weight_is_a_row_left_out(smooth, curves):
    (task,) = curves(((5, 3),))
    weight = np.array([1, 0, 2, 1, 0], dtype=np.float64)
    weighed = Task(task.support_x, task.support_y, task.query_x, task.query_y, weight)
    keep = weight > 0
    fewer = Task(task.support_x[keep], task.support_y[keep], task.query_x, task.query_y, weight[keep])
    wild = Task(
        np.where(keep[:, None], task.support_x, 1e300), task.support_y, task.query_x, task.query_y, weight
    )
    for make in (MAML, partial(MAML, trim=0.4), Reptile, partial(Reptile, minibatch=2), ImplicitMAML):
        learner = make(module=smooth, loss=squared_error, steps=3, rate=0.1)
        found = [learner.meta_gradient(learner.start(), stack([t], F64))[1] for t in (weighed, fewer, wild)]
        agree(found[0], found[1], 1e-12)
        agree(found[2], found[1], 1e-12)


def test_weights_weigh(smooth, curves):
    (task,) = curves(((3, 3),))
    double = np.array([0, 0, 1, 2])
    twice = Task(task.support_x[double], task.support_y[double], task.query_x, task.query_y)
    heavy = Task(task.support_x, task.support_y, task.query_x, task.query_y, np.array([2.0, 1.0, 1.0]) / 3)
    learner = MAML(module=smooth, loss=squared_error, steps=2, rate=0.1)
    first, second = (learner.meta_gradient(learner.start(), stack([t], F64))[1] for t in (twice, heavy))
    agree(first, second, 1e-12)


PLAIN = {
    "sgd": (SGD(), torch.optim.SGD),
    "momentum": (Momentum(0.7), partial(torch.optim.SGD, momentum=0.7)),
    "adam": (Adam(), torch.optim.Adam),
    "adam of other betas": (Adam((0.5, 0.9)), partial(torch.optim.Adam, betas=(0.5, 0.9))),
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_inner_optimisers_step_as_those_of_torch(name, dtype):
    ours, theirs = PLAIN[name]
    generator = torch.Generator().manual_seed(0)
    hills = torch.rand(2, 3, generator=generator, dtype=dtype) + 0.5  # two tasks
    start = torch.randn(2, 3, generator=generator, dtype=dtype)

    def losses(params):
        return (hills * params["w"] ** 4).sum(1)

    walk = descend({"w": start}, losses, 6, rates=lambda step: {"w": 0.03}, optimiser=ours, second_order=True)
    w = start.clone().requires_grad_()
    outer = theirs([w], lr=0.03)
    for number, params in enumerate(walk):
        if number:
            outer.zero_grad()
            losses({"w": w}).sum().backward()
            outer.step()
        assert params["w"].dtype == dtype
        torch.testing.assert_close(
            params["w"].detach(), w.detach(), rtol=1e-5 if dtype != F64 else 1e-7, atol=1e-8
        )


def test_adam_has_a_finite_derivative_where_a_gradient_is_zero(smooth):
    x = np.zeros((2, 2))
    task = Task(x, np.ones((2, 1)), x, np.ones((2, 1)))  # rows of zeros: no gradient reaches body.weight
    learner = MAML(module=smooth, loss=squared_error, steps=2, rate=0.1, optimiser=Adam())
    _, grads = learner.meta_gradient(learner.start(), stack([task], F64))
    assert all(torch.isfinite(value).all() for value in grads.values())
