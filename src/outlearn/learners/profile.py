"""Row profiles: a row of any width becomes a vector of fixed width, relative to its support.

The profile of a row holds neighbour distances and density ratios under three scalings (`views`), the same
distances to a self-cleaned support, column-wise tail and histogram statistics, isolation depth, and distances
to the rows that an analyst has labelled. Each statistic is then told relative to the values it takes on the
support itself: as a tail rank and as a robust deviation. So tables of any width, unit and size meet the
network in the same form.

An exact copy of a row in the support is not its own neighbour (one copy is left out): a row has the same
profile whether it is part of the support or arrives later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from outlearn.data.rows import has_copy
from outlearn.learners.isolation import Isolation
from outlearn.learners.tails import ColumnTails
from outlearn.learners.views import RankView, StandardView, WhitenedView

__all__ = ["LABEL_FEATURES", "STATISTICS", "Profile", "Profiler"]

Floats = NDArray[np.float64]

VIEWS = ("standard", "rank", "whitened")
NEIGHBOURS = 50
BLOCK = 1 << 18  # cells of differences at a time, which keeps them in the cache
CLEANED_SHARE = 0.2  # measured: dropping the oddest fifth suits contaminated supports best
_PER_VIEW = ("d1", "d5", "d20", "d50", "ratio5", "ratio20", "clean5", "clean20")
STATISTICS = (
    *(f"{view}.{name}" for view in VIEWS for name in _PER_VIEW),
    "tail.mean",
    "tail.max",
    "tail.top3",
    "histogram.mean",
    "histogram.max",
    "isolation",
    "mahalanobis",
    "residual",
)
LABEL_FEATURES = tuple(f"{view}.{which}" for view in VIEWS for which in ("anomaly1", "anomaly3", "normal1"))


@dataclass(frozen=True, slots=True)
class Profile:
    """Profiles of m rows.

    tails : (m, F) -log of the share of support rows at least as odd; F = len(STATISTICS).
    deviations : (m, F) signed log of the robust deviation from the support's median.
    labels : (m, L) log distance ratios to labelled rows, 0 where there are none; L = len(LABEL_FEATURES).
    """

    tails: NDArray[np.float32]
    deviations: NDArray[np.float32]
    labels: NDArray[np.float32]

    def stacked(self) -> NDArray[np.float32]:
        """All of it side by side: (m, 2F + L)."""
        return np.hstack([self.tails, self.deviations, self.labels])


class _Nearest:
    """Nearest rows of a set of points.

    The search compares squared lengths and products, which leaves rounding errors that vary with the size of the
    batch: near-copies get a distance of noise, equal distances an arbitrary order. So the distances found are
    computed again, from differences, and ties go to the row that comes first.
    """

    def __init__(self, points: Floats) -> None:
        self._points = points
        self._index = NearestNeighbors(algorithm="brute").fit(points)

    def query(self, points: Floats, k: int) -> tuple[Floats, NDArray[np.intp]]:
        """Return distances (m, k) in rising order and positions (m, k)."""
        index = self._index.kneighbors(points, n_neighbors=k, return_distance=False)
        distance = np.empty(index.shape)
        step = max(1, BLOCK // (k * points.shape[1]))
        for start in range(0, len(points), step):
            block = slice(start, start + step)
            apart = self._points[index[block]] - points[block, None]  # (step, k, d)
            distance[block] = np.sqrt(np.einsum("ikd,ikd->ik", apart, apart))
        distance = np.round(distance, 9)
        order = np.lexsort((index, distance))
        return np.take_along_axis(distance, order, 1), np.take_along_axis(index, order, 1)


class _Neighbours:
    """Nearest rows of a reference set; one exact copy of the query row is left out."""

    def __init__(self, points: Floats) -> None:
        self._nearest = _Nearest(points)
        self._k = min(NEIGHBOURS, max(len(points) - 1, 1))
        self._size = len(points)

    def query(self, points: Floats, copies: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.intp]]:
        """Return distances (m, k) in rising order and positions (m, k)."""
        wanted = min(self._k + 1, self._size)
        distance, index = self._nearest.query(points, wanted)
        if wanted == self._k:  # a reference of one row: nothing can be left out
            return distance, index
        start = copies.astype(np.intp)[:, None] + np.arange(self._k)
        return np.take_along_axis(distance, start, 1), np.take_along_axis(index, start, 1)


def _log(distance: Floats) -> Floats:
    return np.log(distance + 1e-6)


def _mean(distance: Floats, k: int) -> Floats:
    mean: Floats = distance[:, :k].mean(axis=1)
    return mean


class _ViewStatistics:
    """Neighbour statistics of one view, fitted on the reference rows (support without known anomalies)."""

    def __init__(self, transform: Callable[[Floats], Floats], reference: Floats) -> None:
        self.transform = transform
        self._points = transform(reference)
        self._all = _Neighbours(self._points)
        everywhere = np.ones(len(reference), dtype=np.bool_)
        self.own_distance, _ = self._all.query(self._points, everywhere)
        self._mean5, self._mean20 = _mean(self.own_distance, 5), _mean(self.own_distance, 20)
        self._cleaned = self._all
        self.scale = float(np.median(self._mean5)) + 1e-6

    def clean(self, kept: NDArray[np.bool_]) -> None:
        self._cleaned = _Neighbours(self._points[kept])

    def statistics(
        self, X: Floats, copies: NDArray[np.bool_], clean_copies: NDArray[np.bool_]
    ) -> list[Floats]:
        points = self.transform(X)
        distance, index = self._all.query(points, copies)
        cleaned, _ = self._cleaned.query(points, clean_copies)
        mean5, mean20 = _mean(distance, 5), _mean(distance, 20)
        columns = [
            _log(distance[:, 0]),
            _log(mean5),
            _log(mean20),
            _log(distance.mean(axis=1)),
            _log(mean5) - _log(self._mean5[index[:, :5]].mean(axis=1)),
            _log(mean20) - _log(self._mean20[index[:, :20]].mean(axis=1)),
            _log(_mean(cleaned, 5)),
            _log(_mean(cleaned, 20)),
        ]
        # Zero distances (copies) would make the logarithm run to -14: they are just "very near".
        floor = np.log(self.scale * 1e-2)
        return [
            np.maximum(c, floor) if i not in (4, 5) else np.clip(c, -5, 25) for i, c in enumerate(columns)
        ]


class _Labelled:
    """Distances to the rows of one label, in one view."""

    def __init__(self, view: _ViewStatistics, rows: Floats) -> None:
        self._view = view
        self._nearest = _Nearest(view.transform(rows)) if len(rows) else None
        self._size = len(rows)

    def ratios(self, X: Floats, near: Floats, copies: NDArray[np.bool_], ks: tuple[int, ...]) -> list[Floats]:
        """Log of (mean distance to the k nearest labelled rows / distance to the reference), one a k."""
        if self._nearest is None:
            return [np.zeros(len(X)) for _ in ks]
        wanted = min(max(ks) + 1, self._size)
        distance, _ = self._nearest.query(self._view.transform(X), wanted)
        out = []
        for k in ks:
            k = min(k, self._size)
            start = np.where(copies & (self._size > k), 1, 0)[:, None] + np.arange(k)
            mean = np.take_along_axis(distance, start, 1).mean(axis=1)
            # The only labelled row says nothing about itself.
            ratio = np.clip(_log(mean + 1e-2 * self._view.scale) - near, -4, 4)
            out.append(np.where(copies & (self._size <= k), 0.0, ratio))
        return out


class Profiler:
    """Profiles rows relative to one support.

    Parameters
    ----------
    X : (n, d) float32, the support, in canonical order (`data.rows.canonical_order`).
    y : (n,) int8 in {-1, 0, 1}.
    rng : generator for the isolation forest.

    Known anomalies are not part of the reference that distances are taken to; known normals are never cleaned
    away.
    """

    def __init__(self, X: NDArray[np.float32], y: NDArray[np.int8], rng: np.random.Generator) -> None:
        usable = y != 1
        if not usable.any():  # only known anomalies: they are all there is to compare with
            usable = np.ones(len(y), dtype=np.bool_)
        self._reference = X[usable]
        rows = self._reference.astype(np.float64)
        whitened = WhitenedView.fit(rows)
        transforms = (StandardView.fit(rows).apply, RankView.fit(rows).apply, whitened.apply)
        self._views = [_ViewStatistics(transform, rows) for transform in transforms]
        self._whitened = whitened
        self._tails = ColumnTails.fit(rows)
        self._isolation = Isolation(self._reference, int(rng.integers(2**31 - 1)))
        self._clean(y[usable])
        self._labelled = [
            (_Labelled(view, X[y == 1].astype(np.float64)), _Labelled(view, X[y == 0].astype(np.float64)))
            for view in self._views
        ]
        self._anomalies, self._normals = X[y == 1], X[y == 0]
        # With every row known to be normal, distance to a known normal is distance to the reference: no news.
        self._few_normals = 0 < len(self._normals) < 0.5 * len(rows)
        self._sorted = np.sort(self._statistics(self._reference), axis=0)

    def _clean(self, y: NDArray[np.int8]) -> None:
        isolation = self._isolation.score(self._reference)
        distance = self._views[0].own_distance.mean(axis=1)
        oddness = _ranks(isolation) + _ranks(distance)
        oddness[y == 0] = -1.0
        drop = min(int(CLEANED_SHARE * len(y)), int((y != 0).sum()))
        kept = np.ones(len(y), dtype=np.bool_)
        kept[np.argsort(-oddness, kind="stable")[:drop]] = False
        self._kept = self._reference[kept]
        for view in self._views:
            view.clean(kept)

    def _statistics(self, X: NDArray[np.float32]) -> Floats:
        rows = X.astype(np.float64)
        copies, clean_copies = has_copy(X, self._reference), has_copy(X, self._kept)
        columns = [c for view in self._views for c in view.statistics(rows, copies, clean_copies)]
        columns += self._tails.statistics(rows)
        columns.append(self._isolation.score(X))
        columns.append(_log(np.linalg.norm(self._whitened.apply(rows), axis=1)))
        columns.append(_log(self._whitened.residual(rows) + 1e-3))
        # Ranks compare these with the values of the support. Rounding keeps the last bits, which vary with
        # the size of the batch, from deciding between equal rows.
        statistics: Floats = np.column_stack(columns)
        return statistics.round(6)

    def profile(self, X: NDArray[np.float32]) -> Profile:
        """Profile the rows (m, d) of `X`."""
        statistics = self._statistics(X)
        tails, deviations = _relative(statistics, self._sorted)
        return Profile(
            tails.astype(np.float32),
            deviations.astype(np.float32),
            self._label_features(X, statistics).astype(np.float32),
        )

    def _label_features(self, X: NDArray[np.float32], statistics: Floats) -> Floats:
        rows = X.astype(np.float64)
        anomaly_copy, normal_copy = has_copy(X, self._anomalies), has_copy(X, self._normals)
        columns: list[Floats] = []
        for v, (anomalies, normals) in enumerate(self._labelled):
            near = statistics[:, v * len(_PER_VIEW) + _PER_VIEW.index("d5")]
            columns += anomalies.ratios(rows, near, anomaly_copy, (1, 3))
            columns += (
                normals.ratios(rows, near, normal_copy, (1,)) if self._few_normals else [np.zeros(len(rows))]
            )
        return np.column_stack(columns)


def _ranks(values: Floats) -> Floats:
    """Mid-ranks in [0, 1]."""
    ordered = np.sort(values)
    both = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    ranks: Floats = both / (2 * len(values))
    return ranks


def _relative(values: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """Tell each statistic (m, F) relative to its sorted values on the support (n, F)."""
    n = len(reference)
    q25, median, q75, top = np.quantile(reference, (0.25, 0.5, 0.75, 1.0), axis=0)
    spread = np.maximum(q75 - q25, 1e-3)
    deviation = (values - median) / spread
    deviations = np.sign(deviation) * np.log1p(np.abs(deviation))
    tails = np.empty_like(values)
    for j in range(values.shape[1]):
        below = np.searchsorted(reference[:, j], values[:, j], "left")
        upto = np.searchsorted(reference[:, j], values[:, j], "right")
        tails[:, j] = -np.log1p(-(below + upto) / (2 * n + 1))
    # Past the oddest support row the tail rank has no resolution left: go on by distance.
    return tails + np.log1p(np.maximum(values - top, 0) / spread), deviations
