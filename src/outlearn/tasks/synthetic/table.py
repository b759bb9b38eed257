"""A world, kinds of anomaly and the way columns are recorded, put together into a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from outlearn.tasks.synthetic.causal import causal
from outlearn.tasks.synthetic.copula import copula
from outlearn.tasks.synthetic.discrete import discrete
from outlearn.tasks.synthetic.inject import KINDS
from outlearn.tasks.synthetic.marginals import STYLES, dress
from outlearn.tasks.synthetic.mixture import mixture
from outlearn.tasks.synthetic.world import Rows, SyntheticTable, TaskShape, World

__all__ = ["ALL_KINDS", "JOINT_KINDS", "PRIORS", "sample_table"]

PRIORS: Mapping[str, Callable[[np.random.Generator, int], World]] = {
    "mixture": mixture,
    "causal": causal,
    "copula": copula,
    "discrete": discrete,
}

ALL_KINDS = (*KINDS, "other_class", "intervention")

JOINT_KINDS = frozenset({"dependency", "contextual", "intervention"})
"""Kinds that hardly show in any single column."""

_STYLES_OF: Mapping[str, tuple[str, ...]] = {
    "mixture": ("plain", "measured"),
    "causal": ("plain", "measured", "odd"),
    "copula": ("measured", "odd"),
    "discrete": ("discrete",),
}


def sample_table(
    rng: np.random.Generator, prior: str, shape: TaskShape, kinds: tuple[str, ...], strength: float
) -> SyntheticTable:
    """Draw a table from one prior.

    Parameters
    ----------
    prior : a name in `PRIORS`.
    kinds : names in `ALL_KINDS`; the anomalies are shared out between them at random. ``intervention``
        needs the causal prior and is ``dependency`` elsewhere.
    strength : in (0, 1], how far the anomalies go.

    >>> table = sample_table(np.random.default_rng(0), "copula", TaskShape(20, 5, 4), ("subspace",), 0.5)
    >>> table.normals.shape, table.anomalies.shape
    ((20, 4), (5, 4))
    """
    noise = _noise_columns(rng, shape.columns)
    world = PRIORS[prior](rng, shape.columns - noise)
    normals = world.normal(rng, shape.normals)
    odd = _anomalies(rng, world, shape.anomalies, kinds, strength)
    values = _standardise(np.concatenate([normals, odd]), normals)
    values = _loosened(rng, values)
    values = _correlated(rng, values)
    values = np.concatenate([values, _noise(rng, len(values), noise)], axis=1)
    values = values[:, rng.permutation(shape.columns)]
    style = STYLES[str(rng.choice(_STYLES_OF[prior]))]
    recorded = dress(rng, values, style).astype(np.float32)
    usual = _duplicated(rng, recorded[: shape.normals])
    return SyntheticTable(usual, recorded[shape.normals :], kinds, noise)


def _anomalies(
    rng: np.random.Generator, world: World, rows: int, kinds: tuple[str, ...], strength: float
) -> Rows:
    shares = rng.multinomial(rows, rng.dirichlet(np.full(len(kinds), 2.0)))
    parts = [
        _one_kind(rng, world, int(n), kind, strength) for kind, n in zip(kinds, shares, strict=True) if n
    ]
    return np.concatenate(parts)[rng.permutation(rows)]


def _one_kind(rng: np.random.Generator, world: World, rows: int, kind: str, strength: float) -> Rows:
    if kind == "other_class":
        return world.other(rng, rows, strength)
    if kind == "intervention" and world.intervene is not None:
        return world.intervene(rng, rows, strength)
    make = KINDS["dependency" if kind == "intervention" else kind]
    return make(rng, world.normal(rng, max(rows, 128)), rows, strength)


def _noise_columns(rng: np.random.Generator, columns: int) -> int:
    """Draw how many columns are noise: in half of the tables none, else up to four in five.

    Two columns at least are left.
    """
    if rng.random() < 0.5:
        return 0
    return min(int(columns * rng.uniform(0.1, 0.8)), columns - 2)


def _noise(rng: np.random.Generator, rows: int, columns: int) -> Rows:
    values = rng.normal(size=(rows, columns))
    bimodal = rng.random(columns) < 0.3
    values = np.where(bimodal, 0.4 * values + rng.choice((-0.9, 0.9), size=values.shape), values)
    if rng.random() < 0.4:  # long tails of no meaning: they mislead distances more than ranks
        values = values * np.exp(rng.uniform(0.3, 1.0) * rng.normal(size=values.shape))
    return np.asarray(values)


def _standardise(values: Rows, normals: Rows) -> Rows:
    centre, scale = normals.mean(axis=0), normals.std(axis=0) + 1e-9
    return np.asarray(np.clip((values - centre) / scale, -50, 50))


def _loosened(rng: np.random.Generator, values: Rows) -> Rows:
    """In half of the tables, add noise of its own to every column: what was joined is so only on average.

    Without it the nearest rows tell nearly everything; on real tables forests and histograms win as well.
    """
    if rng.random() < 0.5:
        return values
    share = np.clip(rng.beta(1.5, 2.5) + rng.normal(0, 0.15, values.shape[1]), 0, 0.9)
    return np.asarray(np.sqrt(1 - share) * values + np.sqrt(share) * rng.normal(size=values.shape))


def _correlated(rng: np.random.Generator, values: Rows) -> Rows:
    """In a fifth of the tables, make some columns noisy copies of others, as real records have them."""
    rows, d = values.shape
    if d < 4 or rng.random() > 0.2:
        return values
    target, source = rng.permutation(d)[: 2 * (d // 4)].reshape(2, -1)
    noise = rng.normal(size=(rows, len(target))) * rng.uniform(0.02, 0.5, len(target))
    result = values.copy()
    result[:, target] = values[:, source] + noise
    return result


def _duplicated(rng: np.random.Generator, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """In a tenth of the tables, let up to two in five rows be copies of other rows."""
    if rng.random() > 0.1:
        return rows
    source = np.arange(len(rows))
    copied = rng.random(len(rows)) < rng.uniform(0, 0.4)
    source[copied] = rng.integers(len(rows), size=int(copied.sum()))
    return rows[source]
