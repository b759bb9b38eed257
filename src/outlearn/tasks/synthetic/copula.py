"""Dependence first, marginals later: factor, heavy-tailed and chained pair dependences between the columns.

The values are left on the normal scale; the odd marginals come from `outlearn.tasks.synthetic.marginals`.
Clayton's pair dependence after Joe, *Dependence Modeling with Copulas* (2014), section 4.6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from outlearn.tasks.synthetic.world import Rows, World

__all__ = ["copula"]


def copula(rng: np.random.Generator, columns: int) -> World:
    """Draw a world of one dependence: a factor model (normal or t) or a tree of pairs with tail dependence.

    The other class has the dependence of a second draw and, in a few columns, a moved level.

    >>> world = copula(np.random.default_rng(0), 4)
    >>> world.normal(np.random.default_rng(1), 6).shape
    (6, 4)
    """
    make = _pairs if rng.random() < 0.5 else _factors
    usual = make(rng, columns)

    def other(rng: np.random.Generator, rows: int, strength: float) -> Rows:
        values = usual.normal(rng, rows)
        second = make(rng, columns).normal(rng, rows)
        turned = rng.random(columns) < strength
        moved = rng.random(columns) < rng.uniform(0.2, 1.0)
        level = 2.6 * strength * rng.normal(size=columns) * moved
        return np.asarray(np.where(turned, second, values) * np.exp(rng.normal(-0.2, 0.35)) + level)

    return World(usual.normal, other)


def _factors(rng: np.random.Generator, d: int) -> World:
    r = int(rng.integers(1, min(d, 8) + 1))
    loads = rng.normal(size=(r, d)) * (rng.random((r, d)) < rng.uniform(0.3, 1.0))
    own = np.exp(rng.uniform(np.log(0.1), np.log(1.0), d))
    scale = np.sqrt((loads**2).sum(axis=0) + own**2)
    freedom = float(rng.uniform(2.5, 12)) if rng.random() < 0.5 else np.inf

    def normal(rng: np.random.Generator, rows: int) -> Rows:
        values = (rng.normal(size=(rows, r)) @ loads + rng.normal(size=(rows, d)) * own) / scale
        if np.isfinite(freedom):
            values /= np.sqrt(rng.chisquare(freedom, (rows, 1)) / freedom)
        return np.asarray(values)

    return World(normal, lambda rng, rows, strength: normal(rng, rows))


def _pairs(rng: np.random.Generator, d: int) -> World:
    parents = [int(rng.integers(max(0, j - 3), j)) if j else 0 for j in range(d)]
    theta = np.exp(rng.uniform(np.log(0.3), np.log(12), d))
    flipped, gaussian = rng.random(d) < 0.5, rng.random(d) < 0.4
    rho = rng.uniform(0.3, 0.98, d) * rng.choice((-1, 1), d)

    def normal(rng: np.random.Generator, rows: int) -> Rows:
        values = rng.normal(size=(rows, d))
        for j in range(1, d):
            parent = values[:, parents[j]]
            if gaussian[j]:
                values[:, j] = rho[j] * parent + np.sqrt(1 - rho[j] ** 2) * values[:, j]
            else:
                values[:, j] = _clayton(parent, values[:, j], theta[j], bool(flipped[j]))
        return values

    return World(normal, lambda rng, rows, strength: normal(rng, rows))


def _clayton(
    parent: NDArray[np.float64], noise: NDArray[np.float64], theta: float, flipped: bool
) -> NDArray[np.float64]:
    """Draw a child on the normal scale whose lower (or, flipped, upper) tail goes with its parent's."""
    sign = -1.0 if flipped else 1.0
    u = np.clip(ndtr(sign * parent), 1e-4, 1 - 1e-6)
    w = np.clip(ndtr(noise), 1e-4, 1 - 1e-6)
    v = ((w ** (-theta / (1 + theta)) - 1) * u ** (-theta) + 1) ** (-1 / theta)
    return np.asarray(sign * ndtri(np.clip(v, 1e-6, 1 - 1e-6)))
