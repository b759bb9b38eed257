"""Profiles of a population: latent classes whose columns will be read as categories, counts and flags.

The values are propensities on the normal scale; `outlearn.tasks.synthetic.marginals` turns them into levels,
one-hot groups, rare flags and near-constant columns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.tasks.synthetic.world import Rows, World

__all__ = ["discrete"]


def discrete(rng: np.random.Generator, columns: int) -> World:
    """Draw a world of 2 to 12 profiles; most columns follow the profile, the rest nothing.

    The other class mixes an existing profile with a new one, column by column.

    >>> world = discrete(np.random.default_rng(0), 4)
    >>> world.normal(np.random.default_rng(1), 6).shape
    (6, 4)
    """
    k = int(rng.integers(2, 13))
    profiles = rng.normal(size=(k, columns)) * (rng.random(columns) < rng.uniform(0.5, 1.0))
    weights = rng.dirichlet(np.ones(k))
    noise = np.exp(rng.uniform(np.log(0.1), np.log(0.8), columns))

    def normal(rng: np.random.Generator, rows: int) -> Rows:
        return _draw(rng, rows, profiles, weights, noise)

    def other(rng: np.random.Generator, rows: int, strength: float) -> Rows:
        count = int(rng.integers(1, 4))
        started = profiles[rng.integers(k, size=count)]
        fresh = rng.normal(0, 1.6, size=(count, columns))
        share = 0.3 + 0.7 * strength * rng.uniform(0.4, 1.0)
        mixed = np.where(rng.random((count, columns)) < share, fresh, started)
        return _draw(rng, rows, mixed, rng.dirichlet(np.ones(count)), noise)

    return World(normal, other)


def _draw(
    rng: np.random.Generator,
    rows: int,
    profiles: Rows,
    weights: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> Rows:
    profile = rng.choice(len(weights), size=rows, p=weights)
    return np.asarray(profiles[profile] + rng.normal(size=(rows, profiles.shape[1])) * noise)
