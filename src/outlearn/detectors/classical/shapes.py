"""Detectors that fit one simple shape to the support: centres, an ellipsoid, a boundary, histograms."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.covariance import MinCovDet, empirical_covariance
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import OneClassSVM

from outlearn.detectors.classical.entry import Labels, Rows, Settings, seed_of
from outlearn.errors import InputError

__all__ = ["cblof", "hbos", "kmeans", "mcd", "ocsvm", "pca"]

_FLOOR = 1e-6
"""Least variance, in squared deviations of a column, that a direction is taken to have: one in which the
support does not vary at all counts a thousandfold and stays finite."""


class _Centres:
    """Distance to the nearest centre."""

    def __init__(self, centres: NDArray[np.float64]) -> None:
        self._centres = centres

    def score(self, X: Rows) -> NDArray[np.float64]:
        distance: NDArray[np.float64] = cdist(X, self._centres).min(axis=1)
        return distance


class _Ellipsoid:
    """Squared distance from a centre in units of the variance along each axis.

    axes (q, d) are orthonormal with variances (q,); what lies outside their span is measured by `rest`.
    """

    def __init__(
        self,
        centre: NDArray[np.float64],
        axes: NDArray[np.float64],
        variance: NDArray[np.float64],
        rest: float,
    ) -> None:
        self._centre = centre
        self._axes = axes
        self._variance = np.maximum(variance, _FLOOR)
        self._rest = max(rest, _FLOOR)

    def score(self, X: Rows) -> NDArray[np.float64]:
        away = X - self._centre
        along = away @ self._axes.T
        outside = away - along @ self._axes
        inside: NDArray[np.float64] = (along**2 / self._variance).sum(axis=1)
        beyond: NDArray[np.float64] = (outside**2).sum(axis=1) / self._rest
        return inside + beyond


class _Histograms:
    """Sum over columns of how rare the value's bin is: -log2(density + alpha).

    A value more than `tol` bin widths beyond the range is as rare as the emptiest bin.
    """

    def __init__(self, support: Rows, bins: int, alpha: float, tol: float) -> None:
        histograms = [np.histogram(column, bins=bins, density=True) for column in support.T]
        self._rarity = [-np.log2(density + alpha) for density, _ in histograms]
        self._edges = [edges for _, edges in histograms]
        self._tol = tol

    def score(self, X: Rows) -> NDArray[np.float64]:
        total = np.zeros(len(X))
        for column, edges, rarity in zip(X.T, self._edges, self._rarity, strict=True):
            place = np.searchsorted(edges, column, side="right") - 1
            slack = self._tol * (edges[1] - edges[0])
            beyond = (column < edges[0] - slack) | (column > edges[-1] + slack)
            total += np.where(beyond, rarity.max(), rarity[place.clip(0, len(rarity) - 1)])
        return total


class _Boundary:
    def __init__(self, machine: OneClassSVM) -> None:
        self._machine = machine

    def score(self, X: Rows) -> NDArray[np.float64]:
        return -np.asarray(self._machine.score_samples(X), dtype=np.float64)


def _clusters(X: Rows, rng: np.random.Generator, p: Settings) -> KMeans:
    model = KMeans(min(p["clusters"], len(X)), n_init=p["starts"], random_state=seed_of(rng))
    with warnings.catch_warnings():
        # Fewer distinct rows than clusters: some centres coincide, which changes no distance.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X)


def kmeans(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _Centres:
    return _Centres(_clusters(X, rng, p).cluster_centers_)


def cblof(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _Centres:
    """Keep the centres of the large clusters: a row is judged by the nearest of them, whatever its own."""
    model = _clusters(X, rng, p)
    sizes = np.bincount(model.labels_, minlength=len(model.cluster_centers_))
    order = np.argsort(-sizes, kind="stable")
    return _Centres(model.cluster_centers_[order[: _large(sizes[order], p["alpha"], p["beta"])]])


def _large(sizes: NDArray[np.intp], alpha: float, beta: float) -> int:
    """Return how many of the clusters, largest first, are large.

    They end where they hold the share `alpha` of the rows and the next is `beta` times smaller; failing both,
    where they hold the share; failing that, at the drop in size; where neither is found, all are large.
    """
    held = np.cumsum(sizes)[:-1] >= alpha * sizes.sum()
    falls = sizes[:-1] >= beta * sizes[1:]
    for ends in (held & falls, held, falls):
        if ends.any():
            return int(ends.argmax()) + 1
    return len(sizes)


def pca(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _Ellipsoid:
    """Keep the fewest components that explain the share `variance`; the others have their mean variance."""
    centre = X.mean(axis=0)
    _, singular, axes = np.linalg.svd(X - centre, full_matrices=False)
    variance = singular**2 / len(X)
    explained = np.cumsum(variance)
    kept = 1 + int(np.searchsorted(explained, p["variance"] * explained[-1] * (1 - 1e-12)))
    left_over = X.shape[1] - kept
    rest = float(variance[kept:].sum() / left_over) if left_over else 0.0
    return _Ellipsoid(centre, axes[:kept], variance[:kept], rest)


def mcd(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _Ellipsoid:
    """Fit the ellipsoid to the half of the rows that lies closest together.

    Where that half coincides in a point, it has no shape: then the ellipsoid of all rows is taken.
    """
    n, d = X.shape
    if n <= d:
        raise InputError(
            f"{n} rows and {d} columns came; this detector wants more rows than columns: "
            "give more rows or choose another detector, for example pca"
        )
    model = MinCovDet(
        support_fraction=None if p["share"] == "auto" else p["share"], random_state=seed_of(rng)
    )
    with warnings.catch_warnings():
        # Columns that depend on one another: `_FLOOR` gives the missing directions a variance.
        warnings.filterwarnings("ignore", "The covariance matrix", UserWarning)
        warnings.filterwarnings("ignore", "Determinant has increased", RuntimeWarning)
        try:
            model.fit(X)
            centre, covariance = model.location_, model.covariance_
        except ValueError:
            centre, covariance = X.mean(axis=0), empirical_covariance(X)
    variance, axes = np.linalg.eigh(covariance)
    return _Ellipsoid(centre, axes.T, variance, _FLOOR)


def ocsvm(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _Boundary:
    return _Boundary(OneClassSVM(nu=p["nu"], gamma=p["gamma"]).fit(X))


def hbos(X: Rows, y: Labels, rng: np.random.Generator, p: Settings) -> _Histograms:
    return _Histograms(X, p["bins"], p["alpha"], p["tol"])
