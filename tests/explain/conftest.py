"""A background with dependent columns and a category, and a neighbour-distance score on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

GROUPS = [[0], [1], [2], [3], [4], [5, 6, 7]]  # the last table column is a category of three


@dataclass(frozen=True)
class World:
    support: Any
    score: Any
    calls: list
    groups: Any

    @property
    def common(self):
        return {
            "score": self.score,
            "support": self.support,
            "support_scores": self.score(self.support),
            "groups": self.groups,
        }


def sample(rng, n):
    """Columns 0 and 1 go together, 2 to 4 are free, 5 to 7 are one category."""
    x = rng.normal(size=(n, 8))
    x[:, 1] = x[:, 0] + 0.1 * rng.normal(size=n)
    x[:, 5:] = np.eye(3)[rng.choice(3, size=n, p=[0.6, 0.38, 0.02])]
    return x.astype(np.float32)


@pytest.fixture(scope="session")
def draw():
    return sample


@pytest.fixture
def world():
    support = sample(np.random.default_rng(0), 600)
    search = NearestNeighbors(n_neighbors=6).fit(support)
    calls = []

    def score(rows):
        calls.append(len(rows))
        return search.kneighbors(rows)[0].mean(axis=1)

    return World(support, score, calls, GROUPS)
