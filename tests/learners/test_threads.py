"""Learners score the same from several threads at once, also those that share a module."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from outlearn.detectors.registry import make_detector
from outlearn.execute import Threads
from outlearn.learners.gradient.reptile import Reptile
from outlearn.learners.training.settings import one_thread
from outlearn.nets.losses import squared_error
from outlearn.nets.mlp import MLP


@pytest.mark.parametrize("name", ["incontext", "maml", "siamese", "committee"])
def test_threads_make_no_difference(name):
    rng = np.random.default_rng(0)
    # Two detectors of one learner share its module, with parameters of their own.
    fitted = [make_detector(name, random_state=0).fit(rng.normal(size=(60, 4)) * scale) for scale in (1, 9)]
    rows = [rng.normal(size=(40, 4)) for _ in range(12)]
    alone = [each.anomaly_score(X) for X in rows for each in fitted]
    jobs = [(each, X) for X in rows for each in fitted]
    together = list(Threads(4).map(lambda job: job[0].anomaly_score(job[1]), jobs))
    for expected, found in zip(alone, together, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_an_error_ends_the_walk_and_order_is_kept():
    assert list(Threads(3).map(lambda x: x * x, range(9))) == [x * x for x in range(9)]
    with pytest.raises(ZeroDivisionError):
        list(Threads(2).map(lambda x: 1 // x, [1, 0, 1]))


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["maml", "protonet", "committee"])
def test_any_number_of_threads_of_torch_gives_the_same_bytes(name, threads):
    rng = np.random.default_rng(0)
    X, rows = rng.normal(size=(400, 12)), rng.normal(size=(300, 12))
    y = np.repeat([1, 0, -1], [5, 4, 391])
    found = []
    for count in (1, 2, 4):
        threads(count)
        found.append(make_detector(name, random_state=0).fit(X, y).anomaly_score(rows).tobytes())
        assert torch.get_num_threads() == count
    assert len(set(found)) == 1


def test_reptile_adapts_to_the_same_bytes_at_any_number_of_threads(threads):
    torch.manual_seed(0)
    learner = Reptile(module=MLP(12, (64, 64), 1), loss=squared_error, steps=5, rate=0.1)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4_000, 12)).astype(np.float32), rng.normal(size=(4_000, 1)).astype(np.float32)
    found = []
    for count in (1, 2, 4):
        threads(count)
        found.append(learner.learned(learner.start()).adapt(X, y).score(X).tobytes())
    assert len(set(found)) == 1


def test_the_last_to_leave_one_thread_puts_the_number_back(threads):
    threads(3)
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert torch.get_num_threads() == 1
    second.__exit__(None, None, None)
    assert torch.get_num_threads() == 3
