"""Two tasks whose optimum is known by hand: losses ½a(θ-c)² with (a, c) = (1, 0) and (3, 1)."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from outlearn.learners.gradient.anil import ANIL
from outlearn.learners.gradient.imaml import ImplicitMAML
from outlearn.learners.gradient.maml import FOMAML, MAML
from outlearn.learners.gradient.metasgd import MetaSGD
from outlearn.learners.gradient.reptile import Reptile
from outlearn.learners.training.batch import Batch
from outlearn.learners.training.fit import meta_fit
from outlearn.learners.training.loop import Training
from outlearn.nets.losses import squared_error

ALPHA = 0.1
A, C = np.array([1.0, 3.0]), np.array([0.0, 1.0])


class Scalar(nn.Module):
    """x → θx: with x = √a and y = c√a the squared error is a(θ-c)²."""

    def __init__(self, theta: float = 0.3) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(theta, dtype=torch.float64))

    def forward(self, x):
        return x * self.theta


class Shifted(nn.Module):
    """x → x₀ head + x₁ body; a support with x₁ = 0 knows the head alone."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(1, 1, bias=False).double()
        self.head = nn.Linear(1, 1, bias=False).double()

    def forward(self, x):
        return self.head(x[:, :1]) + self.body(x[:, 1:])


def half(output, y):
    return 0.5 * squared_error(output, y)


def batch(columns: bool = False) -> Batch:
    x = torch.tensor(A).sqrt().view(2, 1, 1)
    y, w = x * torch.tensor(C).view(2, 1, 1), torch.ones(2, 1, dtype=torch.float64)
    if columns:
        return Batch(torch.cat([x, 0 * x], 2), y, w, torch.cat([x, x], 2), y, w)
    return Batch(x, y, w, x, y, w)


def optimum(learner, tasks: Batch | None = None, rate=0.9, momentum=0.5, steps=45) -> dict[str, float]:
    outer = partial(torch.optim.SGD, momentum=momentum)
    how = Training(steps=steps, rate=rate, optimiser=lambda leaves, rate: outer(leaves, lr=rate))
    tasks = batch() if tasks is None else tasks
    return {name: value.item() for name, value in meta_fit(learner, lambda step: tasks, how).items()}


def balance(weights: np.ndarray) -> float:
    """Where Σ wₜ(θ-cₜ) = 0."""
    return float(weights @ C / weights.sum())


LEFT = {k: (1 - ALPHA * A) ** k for k in (1, 5)}  # what k steps leave of θ - c
CASES = [
    (MAML, 5, balance(A * LEFT[5] ** 2), 0.1955),
    (MAML, 1, balance(A * LEFT[1] ** 2), 0.6447),
    (FOMAML, 5, balance(A * LEFT[5]), 0.4606),
    (FOMAML, 1, balance(A * LEFT[1]), 0.7),
    (partial(Reptile, rows="support"), 5, balance(1 - LEFT[5]), 0.6701),
    (partial(Reptile, rows="support"), 1, balance(1 - LEFT[1]), 0.75),
    (MAML, 0, balance(A), 0.75),  # no inner step: one θ for both
]


@pytest.mark.parametrize("path", ["vmap", "loop"])
@pytest.mark.parametrize(("learner", "steps", "by_hand", "published"), CASES)
def test_the_optimum_is_the_one_known_by_hand(learner, steps, by_hand, published, path):
    found = optimum(learner(module=Scalar(), loss=half, steps=steps, rate=ALPHA, path=path))["net.theta"]
    assert found == pytest.approx(by_hand, abs=1e-3)
    assert by_hand == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize("penalty", [2.0, 0.5])
def test_implicit_maml_ends_where_its_inner_minimum_serves(penalty):
    # The inner minimum leaves λ / (a + λ) of θ - c.
    by_hand = balance(A * (penalty / (A + penalty)) ** 2)
    learner = ImplicitMAML(module=Scalar(), loss=half, steps=30, rate=0.3, penalty=penalty, solves=1)
    assert optimum(learner)["net.theta"] == pytest.approx(by_hand, abs=1e-3)
    if penalty == 2.0:
        assert by_hand == pytest.approx(0.5192, abs=5e-5)


@pytest.mark.parametrize("steps", [1, 5])
def test_anil_finds_the_head_and_the_body_that_solve_both_tasks(steps):
    # After adapting the error is r(h-c) + b, r = what the steps leave: zero in both tasks for one (h, b).
    left = LEFT[steps]
    head, body = np.linalg.solve(np.stack([left, np.ones(2)], 1), left * C)
    learner = ANIL(module=Shifted(), loss=half, steps=steps, rate=ALPHA)
    found = optimum(learner, batch(columns=True), rate=0.6, momentum=0.95, steps=350)
    assert found["net.head.weight"] == pytest.approx(head, abs=1e-3)
    assert found["net.body.weight"] == pytest.approx(body, abs=1e-3)


def test_meta_sgd_learns_the_rate_that_solves_the_steep_task_at_once():
    theta, rate = np.meshgrid(np.linspace(-0.5, 0.8, 261), np.linspace(0, 0.6, 241), indexing="ij")
    losses = np.mean([0.5 * a * ((1 - rate * a) * (theta - c)) ** 2 for a, c in zip(A, C, strict=True)], 0)
    best = np.unravel_index(losses.argmin(), losses.shape)
    assert (theta[best], rate[best]) == (pytest.approx(0, abs=5e-3), pytest.approx(1 / 3, abs=5e-3))
    learner = MetaSGD(module=Scalar(), loss=half, steps=1, rate=ALPHA)
    found = optimum(learner, rate=0.1, momentum=0.9, steps=200)
    assert found["net.theta"] == pytest.approx(0, abs=1e-3)
    assert found["rate.theta"] == pytest.approx(1 / 3, abs=1e-3)


@pytest.mark.parametrize(
    ("step", "weights"),
    [(0, [1 / 3, 1 / 3, 1 / 3]), (5, [1 / 6, 1 / 6, 2 / 3]), (9, [1 / 30, 1 / 30, 28 / 30]), (10, [0, 0, 1])],
)
def test_the_multi_step_loss_fades_to_the_last_step(step, weights):
    learner = MAML(module=Scalar(), loss=half, steps=3, rate=ALPHA, multi_step=10)
    after = [0.5 * A * ((1 - ALPHA * A) ** k * (0.3 - C)) ** 2 for k in (1, 2, 3)]
    expected = sum(weight * losses for weight, losses in zip(weights, after, strict=True))
    losses, _ = learner.meta_gradient(learner.start(), batch(), step)
    np.testing.assert_allclose(losses.numpy(), expected, rtol=1e-12)


def test_derivatives_are_of_first_order_until_the_step_that_was_named():
    annealed = MAML(module=Scalar(), loss=half, steps=2, rate=ALPHA, second_order_from=7)
    for step, power in ((6, 1), (7, 2)):
        _, grads = annealed.meta_gradient(annealed.start(), batch(), step)
        left = (1 - ALPHA * A) ** 2
        assert grads["net.theta"].item() == pytest.approx(np.mean(A * left**power * (0.3 - C)), rel=1e-12)
