"""Kinds of anomaly, each made from normal rows: what is odd about a row, and nothing else.

Every kind is ``kind(rng, pool, rows, strength) → (rows, d)``. `pool` holds at least `rows` normal rows,
none of them rows of the task: a value shared to the last digit with a normal row would give the anomaly away.
`strength` in (0, 1] says how far the oddity goes; at .2 most kinds are hard to see, at 1 most are plain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from outlearn.tasks.synthetic.world import Rows

__all__ = ["KINDS", "Kind", "clustered", "contextual", "dependency", "far", "gross", "local", "subspace"]

Kind = Callable[[np.random.Generator, Rows, int, float], Rows]


def _base(rng: np.random.Generator, pool: Rows, rows: int) -> Rows:
    return pool[rng.permutation(len(pool))[:rows]]


def _some_columns(rng: np.random.Generator, d: int, low: float, high: float) -> NDArray[np.int64]:
    """Choose between the shares `low` and `high` of the columns, at least one."""
    count = max(1, round(d * rng.uniform(low, high)))
    return rng.permutation(d)[:count]


def local(rng: np.random.Generator, pool: Rows, rows: int, strength: float) -> Rows:
    """Stretch rows away from the centre of their own neighbourhood (a covariance inflated around a cluster).

    Now and then the neighbourhood is deflated instead, so that the odd rows are too close to its centre.
    """
    base = _base(rng, pool, rows)
    anchors = pool[rng.integers(len(pool), size=int(rng.integers(1, 6)))]
    near = np.argmin(((base[:, None, :] - anchors[None]) ** 2).sum(axis=2), axis=1)
    centres = np.stack(
        [base[near == a].mean(axis=0) if (near == a).any() else anchors[a] for a in range(len(anchors))]
    )
    if rng.random() < 0.1:
        factor = np.full(rows, 1 - 0.8 * strength)
    else:
        factor = 1 + 3.5 * strength * rng.uniform(0.5, 1.5, rows)
    return np.asarray(centres[near] + factor[:, None] * (base - centres[near]))


def far(rng: np.random.Generator, pool: Rows, rows: int, strength: float) -> Rows:
    """Blend rows with uniform noise over a little more than the box of the pool: global anomalies."""
    base = _base(rng, pool, rows)
    low, high = np.quantile(pool, (0.02, 0.98), axis=0)
    margin = rng.uniform(0, 0.4) * strength * (high - low)
    noise = rng.uniform(low - margin, high + margin, base.shape)
    blend = np.clip(strength * rng.uniform(0.8, 2.0, (rows, 1)), 0, 1)
    return np.asarray(base + blend * (noise - base))


def clustered(rng: np.random.Generator, pool: Rows, rows: int, strength: float) -> Rows:
    """Place tight groups between clusters of the pool or beside them."""
    groups = int(rng.integers(1, 4))
    first, second = pool[rng.integers(len(pool), size=(2, groups))]
    if rng.random() < 0.5:
        centres = (first + second) / 2
    else:
        centres = first + strength * 2.5 * rng.normal(size=first.shape) * pool.std(axis=0)
    spread = pool.std(axis=0) * rng.uniform(0.1, 0.6, (groups, 1))
    group = rng.integers(groups, size=rows)
    return np.asarray(centres[group] + rng.normal(size=(rows, pool.shape[1])) * spread[group])


def dependency(rng: np.random.Generator, pool: Rows, rows: int, strength: float) -> Rows:
    """Permute columns among the rows: every marginal is kept to the last value, the joint is broken."""
    base = _base(rng, pool, rows)
    for column in _some_columns(rng, pool.shape[1], 0.3 + 0.4 * strength, 1.0):
        base[:, column] = rng.permutation(base[:, column])
    return base


def subspace(
    rng: np.random.Generator,
    pool: Rows,
    rows: int,
    strength: float,
    columns: NDArray[np.int64] | None = None,
) -> Rows:
    """Push a few columns (chosen once, at most a third of them, unless given) towards or past their tails."""
    base = _base(rng, pool, rows)
    chosen = _some_columns(rng, pool.shape[1], 0.05, 0.35) if columns is None else columns
    side = rng.choice((-1.0, 1.0), size=len(chosen))
    push = (1 + 4 * strength) * rng.uniform(0.5, 1.5, (rows, 1)) * side
    base[:, chosen] += push * pool[:, chosen].std(axis=0)
    return base


def contextual(rng: np.random.Generator, pool: Rows, rows: int, strength: float) -> Rows:
    """Give columns a value that is usual in itself but not beside the rest of the row.

    The rank of the value in the pool is shifted around a circle, which leaves the marginal as it was.
    """
    base = _base(rng, pool, rows)
    for column in _some_columns(rng, pool.shape[1], 0.2, 0.4 + 0.6 * strength):
        ordered = np.sort(pool[:, column])
        rank = np.searchsorted(ordered, base[:, column]) / len(ordered)
        shifted = (rank + 0.5 * strength * rng.uniform(0.6, 1.4, rows)) % 1.0
        base[:, column] = np.interp(shifted * (len(ordered) - 1), np.arange(len(ordered)), ordered)
    return base


def gross(rng: np.random.Generator, pool: Rows, rows: int, strength: float) -> Rows:
    """Spoil one or two cells of each row by far: a slipped unit, a stuck sensor, a payment like no other.

    The columns differ from row to row, so no column gives the anomalies away by itself.
    """
    base = _base(rng, pool, rows)
    size = np.exp(rng.uniform(np.log(3), np.log(3 + 30 * strength), rows))
    for _ in range(int(rng.integers(1, 3))):
        column = rng.integers(base.shape[1], size=rows)
        side = rng.choice((-1.0, 1.0), size=rows)
        base[np.arange(rows), column] += side * size * pool.std(axis=0)[column]
    return base


KINDS: Mapping[str, Kind] = {
    "local": local,
    "far": far,
    "clustered": clustered,
    "dependency": dependency,
    "subspace": subspace,
    "contextual": contextual,
    "gross": gross,
}
