"""A 2-D map of rows that stays readable when a few of them lie far away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.findings.table import MapSample
from outlearn.rng import Seed, generator

__all__ = ["map_sample"]

_REACH = 6.0  # robust standard deviations at which a single value, and then a position, is cut
_SPREAD = 0.05  # height of the random spread where the rows have only one direction


def map_sample(
    values: NDArray[np.float32],
    rows: NDArray[np.int64],
    scores: NDArray[np.float64],
    flagged: NDArray[np.bool_],
    *,
    limit: int = 2000,
    random_state: Seed = None,
) -> MapSample:
    """Lay rows out on a plane: robust scaling, then the two main directions of the randomly drawn rows.

    Half of the places at most go to the highest scores, the rest to rows drawn at random. The directions
    are fitted to the random rows only, so the anomalies do not turn the map towards themselves. Values and
    positions beyond six robust standard deviations are cut.

    Parameters
    ----------
    values : (n, d) encoded rows; a value that is not finite counts as the column's median.
    rows : (n,) row numbers in the source.
    scores, flagged : (n,) anomaly scores and flags.
    limit : the most rows to show, at least 2.
    random_state : seed of the draw.

    Returns
    -------
    MapSample
        Of min(n, limit) rows in the order of their position in `values`.

    >>> sample = map_sample(np.eye(5, dtype=np.float32), np.arange(5), np.linspace(0, 1, 5),
    ...                     np.arange(5) == 4, limit=4, random_state=0)
    >>> sample.xy.shape, sample.rows[-2:]
    ((4, 2), array([3, 4]))
    """
    rng = generator(random_state)
    keep, drawn = _choose(scores, limit, rng)
    scaled = _robust(np.asarray(values[keep], dtype=np.float64), drawn)
    xy = np.clip(_robust(_project(scaled, drawn, rng), drawn), -_REACH, _REACH)
    return MapSample(xy=xy, rows=rows[keep], scores=scores[keep], flagged=flagged[keep])


def _choose(
    scores: NDArray[np.float64], limit: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the chosen positions (s,), rising, and which of them stand for the bulk."""
    n = scores.size
    if n <= limit:
        return np.arange(n), np.ones(n, dtype=bool)
    order = np.argsort(-scores, kind="stable")
    top, rest = order[: limit // 2], order[limit // 2 :]
    keep = np.sort(np.concatenate([top, rng.choice(rest, size=limit - top.size, replace=False)]))
    return keep, ~np.isin(keep, top)


def _robust(values: NDArray[np.float64], bulk: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return values (s, d) in robust standard deviations from the median of the bulk, cut at the reach."""
    if values.size == 0:
        return values
    values = np.where(np.isfinite(values), values, np.nan)
    known = ~np.isnan(values[bulk]).all(axis=0)
    values[:, ~known] = 0.0
    low, middle, high = np.nanquantile(values[bulk], [0.25, 0.5, 0.75], axis=0)
    spread = (high - low) / 1.349
    # A column that is mostly one value has no quartile range; its standard deviation keeps it on the map.
    spread = np.where(spread > 0, spread, np.nanstd(values[bulk], axis=0))
    scaled = (values - middle) / np.where(spread > 0, spread, 1.0)
    cut: NDArray[np.float64] = np.clip(np.nan_to_num(scaled, nan=0.0), -_REACH, _REACH)
    return cut


def _project(
    scaled: NDArray[np.float64], bulk: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return positions (s, 2); a direction that the rows lack is filled with a small random spread."""
    # Imported here: where pandas is installed, scikit-learn loads it, and a text report needs neither.
    from sklearn.decomposition import PCA

    count = min(2, scaled.shape[1], int(bulk.sum()))
    xy = rng.uniform(-_SPREAD, _SPREAD, size=(scaled.shape[0], 2))
    if count and scaled[bulk].std(axis=0).max() > 0:
        pca = PCA(n_components=count, random_state=int(rng.integers(2**31)))
        pca.fit(scaled[bulk])
        xy[:, :count] = pca.transform(scaled)
    return xy
