"""Rows that are no part of a table but might be its anomalies, of several kinds and at several distances.

What a detector makes of them can be seen without labels. No kind is like the anomalies of every table: which
of them to believe is learnt across tables (`tuning.strategies.adversary`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

__all__ = ["KINDS", "pseudo_anomalies"]

Rows = NDArray[np.float64]
Kind = Callable[[Rows, int, np.random.Generator], Rows]
NEAR = 5  # neighbour whose distance is the unit of `local`
SHIFT = 3.0  # standard deviations
BOX_MARGIN = 0.1  # of the range, that `box` goes beyond it
FAR = 0.95  # quantile of the distances of rows from the median, at which a group lies
TIGHT = 0.3  # spread of a far group, relative to that of the table


def pseudo_anomalies(X: Rows, count: int, rng: np.random.Generator) -> dict[str, Rows]:
    """Return `count` rows of each kind, (count, d), made from rows X (n, d), n ≥ 2."""
    X = np.asarray(X, dtype=np.float64)
    return {name: kind(X, count, rng) for name, kind in KINDS.items()}


def _drawn(X: Rows, count: int, rng: np.random.Generator) -> Rows:
    return X[rng.integers(len(X), size=count)]


def _spread(X: Rows) -> Rows:
    scale = X.std(axis=0)
    return np.where(scale > 0, scale, 1.0)


def _box(X: Rows, count: int, rng: np.random.Generator) -> Rows:
    """Anywhere in the box around the table."""
    low, high = X.min(axis=0), X.max(axis=0)
    beyond = BOX_MARGIN * (high - low)
    return rng.uniform(low - beyond, high + beyond, size=(count, X.shape[1]))


def _permuted(X: Rows, count: int, rng: np.random.Generator) -> Rows:
    """Usual values in every column, drawn apart: how columns hang together is lost."""
    return np.column_stack([column[rng.integers(len(X), size=count)] for column in X.T])


def _crossed(X: Rows, count: int, rng: np.random.Generator) -> Rows:
    """Half of the columns of one row, the rest of another."""
    first, second = _drawn(X, count, rng), _drawn(X, count, rng)
    return np.where(rng.random(first.shape) < 0.5, first, second)


def _local(reach: float) -> Kind:
    def kind(X: Rows, count: int, rng: np.random.Generator) -> Rows:
        """Beside a row, `reach` times as far off as its neighbours are."""
        scale = _spread(X)
        drawn = _drawn(X, count, rng)
        search = NearestNeighbors(n_neighbors=min(NEAR + 1, len(X))).fit(X / scale)
        unit = np.maximum(search.kneighbors(drawn / scale)[0][:, -1:], 1e-3)
        step = rng.normal(size=drawn.shape)
        step /= np.linalg.norm(step, axis=1, keepdims=True)
        made: Rows = drawn + reach * unit * step * scale
        return made

    return kind


def _shifted(X: Rows, count: int, rng: np.random.Generator) -> Rows:
    """A few columns moved far."""
    drawn = _drawn(X, count, rng).copy()
    few = max(round(np.sqrt(X.shape[1])), 1)
    moved = np.argsort(rng.random(drawn.shape), axis=1)[:, :few]
    rows = np.arange(count)[:, None]
    sign = rng.choice([-1.0, 1.0], size=moved.shape)
    drawn[rows, moved] += sign * SHIFT * _spread(X)[moved]
    return drawn


def _group(X: Rows, count: int, rng: np.random.Generator) -> Rows:
    """A tight group to one side of the table, as far out as its farther rows are."""
    scale, middle = _spread(X), np.median(X, axis=0)
    far = np.quantile(np.linalg.norm((X - middle) / scale, axis=1), FAR)
    side = rng.normal(size=X.shape[1])
    side *= far / np.linalg.norm(side)
    made: Rows = middle + scale * (side + TIGHT * rng.normal(size=(count, X.shape[1])))
    return made


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "box": _box,
        "permuted": _permuted,
        "crossed": _crossed,
        "local1": _local(1.0),
        "local2": _local(2.0),
        "local4": _local(4.0),
        "shifted": _shifted,
        "group": _group,
    }
)
"""Kinds of pseudo-anomaly by name: (rows (n, d), count, generator) → (count, d)."""
