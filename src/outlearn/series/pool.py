"""Classical detectors of series, by name: to compare with, and for who must keep one.

Each is a function of a basis, a standardised series and its stretches to (n,) scores, high = abnormal.
Those on windows read all channels at once, at a width that is the period where there is one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import Ridge
from sklearn.neighbors import NearestNeighbors

from outlearn.data.series.series import Series
from outlearn.extras import require
from outlearn.rng import derive
from outlearn.series.basis import Basis, Stretches
from outlearn.series.mixture import LEADING
from outlearn.series.neighbours import strides
from outlearn.series.patches import Patches
from outlearn.series.period import period_of
from outlearn.series.point_features import PointFeatures
from outlearn.series.windows import spread, window_starts

__all__ = ["POOL", "PoolScorer", "SeriesScores", "usual_width"]

Floats = NDArray[np.float64]
Model = Callable[[Floats], Floats]  # from windows (b, width · c) to scores (b,)
USUAL_WIDTH = 100  # points of a window where a series has no period
NARROWEST, WIDEST = 16, 300
FITTED_WINDOWS, FITTED_CELLS = 5000, 4_000_000  # windows that are fitted on, and their numbers in all
BLOCK = 2048  # windows that a model scores at once
NEIGHBOURS = 10  # the last of which is the one whose distance counts
CLUSTERS = 20  # of k-means
ORDER = 32  # of an autoregression
FILTER = 3, 21  # points that a spectral residual smooths its spectrum and its saliency over


class SeriesScores(Protocol):
    """A detector of series. own : the series of the basis that x is, if any; else it is new."""

    def __call__(
        self, basis: Basis, x: Floats, stretches: Stretches, own: int | None, seed: int
    ) -> Floats: ...


def usual_width(basis: Basis) -> int:
    """Return the median period of the channels of a basis, within 16 and 300; 100 where none has one."""
    longest = max(basis.values, key=len)
    periods = [period_of(longest[:, c]) for c in range(basis.channels)]
    known = [period for period in periods if period is not None]
    width = int(np.median(known)) if known else USUAL_WIDTH
    return max(min(width, WIDEST, len(longest) // 4), NARROWEST)


def _on_windows(
    fit: Callable[[Floats, int], Model],
    basis: Basis,
    x: Floats,
    stretches: Stretches,
    own: int | None,
    seed: int,
    *,
    width: int | None = None,
) -> Floats:
    """Score windows by a model of those of the basis, and put the scores on the points they cover."""
    width = usual_width(basis) if width is None else width
    reference = _drawn(basis, width, seed)
    starts = window_starts(stretches, width, 1)
    if not len(reference) or not len(starts):
        return np.zeros(len(x))
    model = fit(reference, seed)
    blocks = [model(_flat(x, starts[i : i + BLOCK], width)) for i in range(0, len(starts), BLOCK)]
    scores = spread(np.concatenate(blocks), starts, width, len(x))
    return np.where(np.isnan(scores), np.nanmin(scores), scores)


def _flat(x: Floats, starts: NDArray[np.int64], width: int) -> Floats:
    view = sliding_window_view(x, width, axis=0)  # (n - width + 1, c, width)
    return view[starts].reshape(len(starts), -1)


def _drawn(basis: Basis, width: int, seed: int) -> Floats:
    """Return windows of the basis (r, width · c), evenly drawn where there are too many."""
    most = min(FITTED_WINDOWS, max(FITTED_CELLS // (width * basis.channels), 200))
    places = [window_starts(spans, width, 1) for spans in basis.stretches]
    total = sum(map(len, places))
    rng = derive(seed, width)
    windows = [
        _flat(x, np.sort(rng.choice(at, min(len(at), -(-most * len(at) // total)), replace=False)), width)
        for x, at in zip(basis.values, places, strict=True)
        if len(at)
    ]
    return np.concatenate(windows) if windows else np.empty((0, width * basis.channels))


def _principal(windows: Floats, seed: int) -> Model:
    pca = PCA(min(0.9, 1 - 1e-9), svd_solver="full").fit(windows)

    def error(block: Floats) -> Floats:
        gap = block - pca.inverse_transform(pca.transform(block))
        return np.asarray(np.sqrt(np.square(gap).sum(axis=1)))

    return error


def _clusters(windows: Floats, seed: int) -> Model:
    means = KMeans(min(CLUSTERS, len(windows)), n_init=1, random_state=seed).fit(windows)
    return lambda block: np.asarray(means.transform(block).min(axis=1))


def _forest(windows: Floats, seed: int) -> Model:
    forest = IsolationForest(n_estimators=100, random_state=seed).fit(windows)
    return lambda block: -np.asarray(forest.score_samples(block))


def _neighbours(windows: Floats, seed: int) -> Model:
    # Windows of the series itself lie at distance 0 from themselves, and near to those beside: the last of
    # ten is far enough from both.
    index = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(windows))).fit(windows)
    return lambda block: np.asarray(index.kneighbors(block)[0][:, -1])


def _patches(basis: Basis, x: Floats, stretches: Stretches, own: int | None, seed: int) -> Floats:
    """Return the mean distance to the nearest three at widths 64, 96 and 128, over channels.

    Features are left in the unit of their channel.
    """
    total = np.zeros(len(x))
    for c in range(basis.channels):
        one = replace(basis, values=[past[:, [c]] for past in basis.values])
        patches = Patches(one, seed=seed, plain=True)
        for width in LEADING:
            starts = window_starts(stretches, width, strides(width))
            distances = spread(patches.reach(width).away(x[:, [c]], starts, own), starts, width, len(x))
            total += np.nan_to_num(distances)
    return np.asarray(total / (len(LEADING) * basis.channels))


def _matrix_profile(basis: Basis, x: Floats, stretches: Stretches, own: int | None, seed: int) -> Floats:
    """Return distances of windows to the nearest of the same shape, over channels (Yeh et al., ICDM 2016)."""
    stumpy: Any = require("stumpy", extra="series")
    width = usual_width(basis)
    total: Floats = np.zeros(len(x))
    if min(len(x), sum(map(len, basis.values))) < 2 * width:  # too short to compare anything
        return total
    for c in range(x.shape[1]):
        if own is not None:
            profile = stumpy.stump(x[:, c], width)[:, 0]
        else:
            past = np.concatenate([reference[:, c] for reference in basis.values])
            with warnings.catch_warnings():  # of a series that is its own past, which is meant
                warnings.simplefilter("ignore", UserWarning)
                profile = stumpy.stump(x[:, c], width, past, ignore_trivial=False)[:, 0]
        distances = np.nan_to_num(profile.astype(np.float64), posinf=np.sqrt(2 * width))
        total += spread(distances, np.arange(len(distances)), width, len(x))
    return np.asarray(total / x.shape[1])


def _spectral(basis: Basis, x: Floats, stretches: Stretches, own: int | None, seed: int) -> Floats:
    """Return the saliency by the log spectrum less its local mean (Ren et al., KDD 2019)."""
    spectrum = np.fft.fft(x, axis=0)
    logs = np.log(np.abs(spectrum) + 1e-8)
    left = np.exp(logs - uniform_filter1d(logs, FILTER[0], axis=0) + 1j * np.angle(spectrum))
    salient = np.abs(np.fft.ifft(left, axis=0))
    usual = uniform_filter1d(salient, FILTER[1], axis=0) + 1e-8
    return np.asarray(((salient - usual) / usual).mean(axis=1))


def _autoregression(basis: Basis, x: Floats, stretches: Stretches, own: int | None, seed: int) -> Floats:
    """Return the error of a linear forecast of the next point of each channel from the points before it."""
    longest = max(basis.values, key=len)
    total = np.zeros(len(x))
    if len(longest) < 2 * ORDER or len(x) <= ORDER:
        return total
    for c in range(x.shape[1]):
        past = sliding_window_view(longest[:, c], ORDER + 1)
        model = Ridge(1.0).fit(past[:, :-1], past[:, -1])
        usual = np.median(np.abs(past[:, -1] - model.predict(past[:, :-1])))
        seen = sliding_window_view(x[:, c], ORDER + 1)
        total[ORDER:] += np.abs(seen[:, -1] - model.predict(seen[:, :-1])) / (usual + 1e-3)
    return np.asarray(total / x.shape[1])


def _seasonal(basis: Basis, x: Floats, stretches: Stretches, own: int | None, seed: int) -> Floats:
    """Return distances from the usual value at the same phase; the phase runs on from the basis.

    Without a period, distance from the median.
    """
    longest = max(basis.values, key=len)
    total = np.zeros(len(x))
    for c in range(x.shape[1]):
        period = period_of(longest[:, c]) or 1
        phases = np.arange(len(longest)) % period
        usual = np.array([np.median(longest[phases == p, c]) for p in range(period)])
        away = np.abs(longest[:, c] - usual[phases])
        seen = np.arange(len(x)) % period
        total += np.abs(x[:, c] - usual[seen]) / (np.quantile(away, 0.9) + 1e-3)
    return np.asarray(total / x.shape[1])


POOL: Mapping[str, SeriesScores] = MappingProxyType(
    {
        "patches": _patches,
        "subpca": partial(_on_windows, _principal),
        "subknn": partial(_on_windows, _neighbours),
        "kmeans": partial(_on_windows, _clusters),
        "kmeans100": partial(_on_windows, _clusters, width=USUAL_WIDTH),
        "subforest": partial(_on_windows, _forest),
        "matrix-profile": _matrix_profile,
        "spectral-residual": _spectral,
        "autoregression": _autoregression,
        "seasonal": _seasonal,
    }
)
"""Detectors by name."""


@dataclass
class PoolScorer:
    """One of the pool, fitted to a reference: scores of points, and how far each channel lies off."""

    name: str
    basis: Basis
    seed: int

    @cached_property
    def point_features(self) -> PointFeatures:
        """The features of points, to explain them."""
        return PointFeatures.fit(self.basis, seed=self.seed)

    def channels(self, series: Series, own: int | None = None) -> tuple[Floats, Floats]:
        """Return (n,) scores, and (n, c) distances of each channel from its mean in the reference."""
        x = self.basis.standard(series.values)
        return POOL[self.name](self.basis, x, series.stretches, own, self.seed), np.abs(x)
