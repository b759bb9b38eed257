"""Meta-features: a few dozen numbers that describe a table and need no labels.

They are counts, the shapes of columns, how they hang together, how rows lie, and what quick detectors make of
it (landmarks). They hardly depend on the order of rows or columns, and not on units.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kurtosis, rankdata, skew
from sklearn.neighbors import NearestNeighbors

from outlearn.data.rows import row_hash
from outlearn.tuning.trials.observe import LANDMARKS, TableSample

__all__ = ["META_FEATURES", "describe"]

Floats = NDArray[np.float64]
FEW_VALUES = 10  # different values up to which a column counts as discrete
LANDMARK_PAIRS = [(i, j) for i in range(len(LANDMARKS)) for j in range(i)]
META_FEATURES = (
    "log rows",
    "log columns",
    "columns a row",
    "discrete",
    "zeros",
    "copies",
    "skewness",
    "kurtosis",
    "kurtosis, most",
    "correlation",
    "directions",
    "intrinsic",
    "share",
    "reach",
    *(f"tail of {name}" for name in LANDMARKS),
    *(f"{LANDMARKS[i]} with {LANDMARKS[j]}" for i, j in LANDMARK_PAIRS),
)


def describe(sample: TableSample) -> Floats:
    """Return the meta-features of a table by some of its rows: (len(META_FEATURES),), finite.

    >>> rows = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    >>> round(float(np.exp(describe(TableSample.of(rows, np.full(100, -1, dtype=np.int8)))[0])))
    100
    """
    n, d, landmarks = sample.total, sample.rows.shape[1], sample.landmarks
    rows = sample.rows.astype(np.float64)
    spread = rows.std(axis=0)
    varied = spread > 0
    Z = (rows[:, varied] - rows[:, varied].mean(axis=0)) / spread[varied]
    discrete = np.mean([len(np.unique(column)) <= FEW_VALUES for column in rows.T])
    with np.errstate(all="ignore"):
        lean, heavy = (
            (np.nan_to_num(f(Z, axis=0)) for f in (skew, kurtosis)) if Z.size else (np.zeros(1),) * 2
        )
    values = [
        np.log(n),
        np.log(d),
        np.log(d / n),
        discrete,
        np.mean(rows == 0),
        1 - len(np.unique(row_hash(sample.rows))) / len(rows),
        np.log1p(np.abs(lean)).mean(),
        np.log1p(np.maximum(heavy, 0)).mean(),
        np.log1p(np.maximum(heavy, 0)).max(),
        *_directions(Z),
        np.log(_intrinsic(Z)),
        landmarks.share,
        landmarks.reach,
        *_tails(landmarks.scores),
        *_agreement(landmarks.scores),
    ]
    return np.nan_to_num(np.array(values, dtype=np.float64), posinf=20.0, neginf=-20.0)


def _directions(Z: Floats) -> tuple[float, float]:
    """Return the root mean square correlation of columns, and log of the effective directions a column."""
    n, d = Z.shape
    if d < 2:
        return 0.0, 0.0
    # The smaller Gram matrix has the same spectrum and the same sum of squares.
    gram = (Z.T @ Z if d <= n else Z @ Z.T) / n
    squares = float((gram**2).sum())
    off = max(squares - d, 0.0) / (d * (d - 1))
    return float(np.sqrt(off)), float(np.log(d**2 / max(squares, 1e-9)) - np.log(d))


def _intrinsic(Z: Floats) -> float:
    """Return the intrinsic dimension by the ratio of the second to the first neighbour's distance.

    Source: Facco, d'Errico, Rodriguez, Laio 2017.
    """
    if len(Z) < 4 or not Z.size:
        return 1.0
    distance = NearestNeighbors(n_neighbors=3).fit(Z).kneighbors(Z)[0]
    apart = distance[:, 1] > 0
    if apart.sum() < 4:
        return 1.0
    ratio = np.sort(np.log(distance[apart, 2] / distance[apart, 1]))
    # Exponential with the dimension as its rate. The largest tenth, of odd rows, is taken as censored.
    kept = max(int(0.9 * len(ratio)), 1)
    total = ratio[:kept].sum() + (len(ratio) - kept) * ratio[kept - 1]
    return float(np.clip(kept / max(total, 1e-6), 0.5, 100.0))


def _tails(scores: Floats) -> Floats:
    low, middle, high, far = np.quantile(scores, (0.25, 0.5, 0.75, 0.98), axis=0)
    tails: Floats = np.log1p(np.minimum((far - middle) / np.maximum(high - low, 1e-9), 1e6))
    return tails


def _agreement(scores: Floats) -> list[float]:
    ranks = rankdata(scores, axis=0)
    ranks -= ranks.mean(axis=0)
    norm = np.sqrt((ranks**2).sum(axis=0))
    table = ranks.T @ ranks / np.maximum(np.outer(norm, norm), 1e-9)
    return [float(table[pair]) for pair in LANDMARK_PAIRS]
