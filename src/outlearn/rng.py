"""Seeds: the only door through which randomness enters."""

from __future__ import annotations

import numpy as np

__all__ = ["Seed", "derive", "generator"]

Seed = int | np.random.Generator | np.random.RandomState | None


def generator(random_state: Seed) -> np.random.Generator:
    """Return a generator; an int always gives the same stream, None a fresh one.

    >>> int(generator(0).integers(100)) == int(generator(0).integers(100))
    True
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(0, 2**31 - 1))
    return np.random.default_rng(random_state)


def derive(seed: int, *path: int) -> np.random.Generator:
    """Return the generator at `path` below `seed`: the same whatever was drawn before or elsewhere.

    >>> int(derive(0, 1, 2).integers(100)) == int(derive(0, 1, 2).integers(100))
    True
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=path))
