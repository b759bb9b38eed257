"""Peak memory of the meta-gradient: bytes of all tensors alive at once, counted as each is made and freed."""

import runpy
from pathlib import Path

import pytest
import torch

from outlearn.learners.gradient.imaml import ImplicitMAML
from outlearn.learners.gradient.inner import SGD, Adam
from outlearn.learners.gradient.maml import FOMAML, MAML
from outlearn.learners.training.batch import Batch
from outlearn.nets.losses import squared_error
from outlearn.nets.mlp import MLP

Peak = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "harness" / "live_bytes.py"))["Peak"]
STEPS = (4, 16, 64)


def peak(make, steps: int, **options) -> int:
    torch.manual_seed(0)
    x = torch.randn(4, 5, 1)
    batch, net = Batch(*(x, x.sin(), torch.ones(4, 5)) * 2), MLP(1, (16, 16), 1)
    learner = make(module=net, loss=squared_error, steps=steps, rate=0.01, path="vmap", **options)
    meta = learner.start()
    with Peak() as counted:
        learner.meta_gradient(meta, batch)
    return counted.peak


def test_the_counter_counts():
    with Peak() as counted:
        a = torch.zeros(1000)
        b = a.view(10, 100) + 1
        del a
        c = b.exp()
        c.view(-1)
    assert counted.peak == 2 * 4000
    assert counted.alive == 2 * 4000
    del b
    assert counted.alive == 4000


def test_memory_of_second_order_grows_no_worse_than_linearly():
    small, middle, large = (peak(MAML, steps) for steps in STEPS)
    assert large - middle <= 1.05 * (64 - 16) / (16 - 4) * (middle - small)
    assert large <= 16 * small


@pytest.mark.parametrize("optimiser", [SGD(), pytest.param(Adam(), marks=pytest.mark.long)])
def test_memory_with_checkpointing_grows_as_the_root(optimiser):
    small, middle, large = (peak(MAML, s, checkpointing=True, optimiser=optimiser) for s in STEPS)
    assert middle <= 2.2 * small  # twice the root
    assert large <= 2.2 * middle
    assert large <= 0.4 * peak(MAML, 64, optimiser=optimiser)


@pytest.mark.parametrize("make", [FOMAML, ImplicitMAML])
def test_memory_of_first_order_and_of_implicit_maml_does_not_grow(make):
    assert peak(make, 64) <= 1.02 * peak(make, 4)


def test_one_after_another_tasks_hold_one_graph_at_a_time():
    x = torch.randn(8, 5, 1)
    batch, peaks = Batch(*(x, x.sin(), torch.ones(8, 5)) * 2), {}
    for path in ("vmap", "loop"):
        learner = MAML(module=MLP(1, (16, 16), 1), loss=squared_error, steps=8, path=path)
        meta = learner.start()
        with Peak() as counted:
            learner.meta_gradient(meta, batch)
        peaks[path] = counted.peak
    assert peaks["loop"] < 0.3 * peaks["vmap"]
