"""Gaussian and t mixtures whose clusters differ in weight, spread, shape and intrinsic rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.tasks.synthetic.world import Rows, World

__all__ = ["mixture"]


@dataclass(frozen=True, slots=True)
class _Clusters:
    """k clusters in d columns, each a centre plus a rank-r map of noise plus a little noise of its own."""

    weights: NDArray[np.float64]  # (k,)
    centres: Rows  # (k, d)
    factors: NDArray[np.float64]  # (k, r, d)
    noise: Rows  # (k, d)
    freedom: float  # degrees of freedom of the tails; inf is Gaussian

    def draw(self, rng: np.random.Generator, rows: int) -> Rows:
        k, r, d = self.factors.shape
        cluster = np.sort(rng.choice(k, size=rows, p=self.weights))
        own, shared = rng.normal(size=(rows, d)), rng.normal(size=(rows, r))
        stops = np.searchsorted(cluster, np.arange(k + 1))
        spread = own * self.noise[cluster]
        for c in range(k):
            members = slice(stops[c], stops[c + 1])
            spread[members] += shared[members] @ self.factors[c]
        if np.isfinite(self.freedom):
            spread /= np.sqrt(rng.chisquare(self.freedom, (rows, 1)) / self.freedom)
        return np.asarray((self.centres[cluster] + spread)[rng.permutation(rows)])


def mixture(rng: np.random.Generator, columns: int) -> World:
    """Draw a world of 1 to 8 clusters.

    The centres lie on a plane of random rank, so that clusters overlap in many columns. The other class
    is a cluster that starts from one of the normal ones, moved, turned and most often tighter.

    >>> world = mixture(np.random.default_rng(0), 3)
    >>> world.normal(np.random.default_rng(1), 5).shape
    (5, 3)
    """
    clusters = _draw_clusters(rng, columns)

    def other(rng: np.random.Generator, rows: int, strength: float) -> Rows:
        return _neighbour(rng, clusters, strength).draw(rng, rows)

    return World(clusters.draw, other)


def _draw_clusters(rng: np.random.Generator, d: int) -> _Clusters:
    k = 1 if rng.random() < 0.25 else int(rng.integers(2, 9))
    r = int(rng.integers(1, max(2, min(d, 12) + 1)))
    plane = rng.normal(size=(min(d, int(rng.integers(1, 6))), d))
    centres = rng.normal(size=(k, len(plane))) @ plane / np.sqrt(len(plane)) * rng.uniform(0.3, 3.0)
    sizes = np.exp(rng.normal(0, 0.5, (k, 1, 1)))
    factors = rng.normal(size=(k, r, d)) / np.sqrt(r) * sizes * np.exp(rng.normal(0, 0.5, (k, 1, d)))
    noise = np.exp(rng.uniform(np.log(0.03), np.log(0.8), (k, 1))) * np.ones((k, d)) * sizes[:, 0]
    freedom = float(rng.uniform(2.5, 10)) if rng.random() < 0.35 else np.inf
    return _Clusters(rng.dirichlet(np.full(k, 1.5)), centres, factors, noise, freedom)


def _neighbour(rng: np.random.Generator, usual: _Clusters, strength: float) -> _Clusters:
    start = rng.integers(len(usual.weights), size=int(rng.integers(1, 3)))
    scale = np.sqrt((usual.factors[start] ** 2).sum(axis=1) + usual.noise[start] ** 2)
    where = rng.random(usual.centres.shape[1]) < rng.uniform(0.2, 1.0)
    centres = usual.centres[start] + 3.2 * strength * scale * where * rng.normal(size=scale.shape)
    turned = rng.normal(size=usual.factors[start].shape) * scale[:, None] / np.sqrt(usual.factors.shape[1])
    turn = strength * rng.random()
    factors = (np.sqrt(1 - turn**2) * usual.factors[start] + turn * turned) * np.exp(rng.normal(-0.15, 0.45))
    weights = rng.dirichlet(np.ones(len(start)))
    return _Clusters(weights, centres, factors, usual.noise[start], usual.freedom)
