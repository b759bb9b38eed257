"""Small training material, and one thread: on so few rows more threads only wait for each other."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from outlearn.learners.profiles.bank import EpisodeProfiles
from outlearn.learners.profiles.profile import LABEL_FEATURES, STATISTICS
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler
from outlearn.tasks.task import Task


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def sampler() -> SyntheticSampler:
    """Small synthetic episodes."""
    return SyntheticSampler(
        SamplerConfig(seed=5, support_rows=(30, 60), query_rows=24, columns=(2, 6), visibility=(0, 0))
    )


@pytest.fixture(scope="session")
def bank() -> list[EpisodeProfiles]:
    """Twelve episodes of made-up profiles of various sizes; anomalies have larger tails."""
    rng = np.random.default_rng(0)
    statistics, extra = len(STATISTICS), len(LABEL_FEATURES)

    def rows(truth: np.ndarray) -> np.ndarray:
        tails = rng.exponential(size=(len(truth), statistics)) + truth[:, None]
        deviations = np.log1p(tails) + rng.normal(size=tails.shape) * 0.1
        return np.hstack([tails, deviations, np.zeros((len(truth), extra))]).astype(np.float16)

    episodes = []
    for _ in range(12):
        support = (rng.uniform(size=rng.integers(10, 30)) < 0.2).astype(np.int8)
        query = np.r_[0, 1, rng.uniform(size=rng.integers(6, 12)) < 0.3].astype(np.int8)
        known = np.where(rng.uniform(size=len(support)) < 0.2, support, -1).astype(np.int8)
        about = rng.uniform(size=5).astype(np.float32)
        share = np.array(max(support.mean(), 0.05), dtype=np.float32)
        episodes.append(EpisodeProfiles(rows(support), known, rows(query), query, about, share))
    return episodes


@pytest.fixture(scope="session")
def curves() -> Callable[..., list[Task]]:
    """Make regression tasks of two columns in float64; `sizes` are the rows of support and query a task."""

    def make(sizes: Sequence[tuple[int, int]] = ((4, 3), (4, 3), (4, 3)), seed: int = 0) -> list[Task]:
        rng = np.random.default_rng(seed)
        tasks = []
        for support, query in sizes:
            x, bend = rng.normal(size=(support + query, 2)), rng.normal(size=(2, 1))
            y = np.sin(x @ bend) + rng.normal()
            tasks.append(Task(x[:support], y[:support], x[support:], y[support:]))
        return tasks

    return make


@pytest.fixture
def smooth() -> nn.Module:
    """A network of 13 parameters in float64 that can be differentiated as often as one likes."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = {"body": nn.Linear(2, 3), "bend": nn.Tanh(), "head": nn.Linear(3, 1)}
        return nn.Sequential(OrderedDict(layers)).double()


@pytest.fixture(scope="session")
def kinds() -> Callable[..., list[Task]]:
    """Make tasks of kinds of rows in four columns: of detection, or of 5 ways.

    Kinds differ in the first column alone, by `apart` deviations; the other three are noise of deviation 5,
    so that an untrained embedding sees little of them.
    """

    def make(count: int, ways: int = 2, seed: int = 0, apart: float = 6.0, alone: bool = False) -> list[Task]:
        rng = np.random.default_rng(seed)
        tasks = []
        for _ in range(count):
            centres = rng.permutation(ways) * apart + rng.normal()
            labels = np.repeat(np.arange(ways), 10 if ways == 2 else 6)
            rows = rng.normal(size=(2, len(labels), 4)) * (1, 5, 5, 5)
            rows[..., 0] += centres[labels]
            keep = labels == 0 if alone else np.ones(len(labels), dtype=bool)
            support, query = rows.astype(np.float32)
            tasks.append(Task(support[keep], labels[keep], query, labels))
        return tasks

    return make
