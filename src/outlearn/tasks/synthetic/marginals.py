"""What real columns look like: maps from the normal scale to skewed, heavy, rounded or discrete values.

A map acts on one column (a one-hot group on several) and is the same for normals and anomalies: it is how the
table was recorded, not what is odd in it. All are closed forms, for speed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from outlearn.tasks.synthetic.world import Rows

__all__ = ["STYLES", "Style", "dress"]

Column = NDArray[np.float64]
Map = Callable[[np.random.Generator, Column], Column]
Style = Mapping[str, float]


def _level(z: Column) -> Column:
    return np.asarray(np.clip(ndtr(z), 1e-6, 1 - 1e-6))


def _plain(rng: np.random.Generator, z: Column) -> Column:
    return z


def _skewed(rng: np.random.Generator, z: Column) -> Column:
    return np.asarray(np.exp(np.clip(z, -8, 8) * rng.uniform(0.3, 1.5)))


def _exponential(rng: np.random.Generator, z: Column) -> Column:
    return np.asarray(-np.log1p(-_level(z)))


def _bounded(rng: np.random.Generator, z: Column) -> Column:
    """Kumaraswamy's law, close to a beta and with a quantile in closed form."""
    a, b = np.exp(rng.uniform(np.log(0.4), np.log(4), 2))
    return np.asarray((1 - (1 - _level(z)) ** (1 / b)) ** (1 / a))


def _heavy(rng: np.random.Generator, z: Column) -> Column:
    """Student's t with two degrees of freedom."""
    u = _level(z)
    return np.asarray((2 * u - 1) / np.sqrt(2 * u * (1 - u)))


def _zero_inflated(rng: np.random.Generator, z: Column) -> Column:
    start = rng.normal(0.3, 0.6)
    return np.asarray(np.expm1(np.clip(z - start, 0, 8) * rng.uniform(0.5, 1.5)))


def _count(rng: np.random.Generator, z: Column) -> Column:
    """A geometric count of mean between 1 and 50."""
    mean = np.exp(rng.uniform(0, np.log(50)))
    return np.asarray(np.floor(np.log1p(-_level(z)) / np.log(mean / (1 + mean))))


def _rounded(rng: np.random.Generator, z: Column) -> Column:
    step = rng.choice((0.05, 0.1, 0.25, 0.5))
    return np.asarray(np.round(z / step) * step)


def _levels(rng: np.random.Generator, z: Column) -> Column:
    """2 to 7 ordered levels of uneven share."""
    return np.asarray(np.searchsorted(np.sort(rng.normal(size=int(rng.integers(1, 7)))), z).astype(float))


def _codes(rng: np.random.Generator, z: Column) -> Column:
    """A category under arbitrary codes."""
    level = _levels(rng, z).astype(int)
    return np.asarray(rng.permutation(8)[level].astype(float))


def _rare_flag(rng: np.random.Generator, z: Column) -> Column:
    """A flag that is nearly constant."""
    return np.asarray((z > rng.uniform(1.5, 2.6)).astype(float))


def _folded(rng: np.random.Generator, z: Column) -> Column:
    """Folded: the middle and the ends of the old scale meet."""
    return np.asarray(np.abs(z - rng.normal(0, 0.7)))


MAPS: Mapping[str, Map] = {
    "plain": _plain,
    "skewed": _skewed,
    "exponential": _exponential,
    "bounded": _bounded,
    "heavy": _heavy,
    "zero_inflated": _zero_inflated,
    "count": _count,
    "rounded": _rounded,
    "levels": _levels,
    "codes": _codes,
    "rare_flag": _rare_flag,
    "folded": _folded,
}

STYLES: Mapping[str, Style] = {
    "plain": {"plain": 1.0},
    "measured": {"plain": 6, "skewed": 1.5, "bounded": 1, "rounded": 1.5, "heavy": 0.5, "folded": 0.5},
    "odd": {
        "plain": 1,
        "skewed": 2,
        "exponential": 1,
        "bounded": 1,
        "heavy": 1,
        "zero_inflated": 1.5,
        "count": 1.5,
        "rounded": 1,
        "folded": 0.3,
    },
    "discrete": {
        "plain": 1.5,
        "skewed": 1,
        "levels": 3,
        "codes": 1.5,
        "rare_flag": 1,
        "count": 1,
        "one_hot": 2,
    },
}


def dress(rng: np.random.Generator, values: Rows, style: Style) -> Rows:
    """Map every column of `values` (rows, d), about standard normal, by a map drawn from `style`.

    Continuous columns get a unit of their own afterwards: a scale from 1e-3 to 1e6.

    Parameters
    ----------
    style : weights of the names in `MAPS`, and of ``one_hot``, which turns up to six neighbouring columns
        into indicators of the largest of them.
    """
    names = rng.choice(
        list(style), size=values.shape[1], p=np.array(list(style.values())) / sum(style.values())
    )
    result = np.empty_like(values)
    units = np.where(rng.random(values.shape[1]) < 0.5, 1.0, 10 ** rng.uniform(-3, 6, values.shape[1]))
    column = 0
    while column < values.shape[1]:
        if names[column] == "one_hot":
            stop = min(column + int(rng.integers(2, 7)), values.shape[1])
            group = values[:, column:stop]
            result[:, column:stop] = np.arange(stop - column) == group.argmax(axis=1)[:, None]
            column = stop
            continue
        unit = 1.0 if names[column] in ("levels", "codes", "rare_flag", "count") else units[column]
        result[:, column] = MAPS[str(names[column])](rng, values[:, column]) * unit
        column += 1
    return result
