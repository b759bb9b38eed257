"""Row profiles: a row of any width becomes a vector of fixed width, relative to its support.

The profile of a row holds neighbour distances and density ratios under four scalings (`views`), the same
distances to a self-cleaned support, column-wise tail and histogram statistics, isolation depth, and, where an
analyst has labelled anomalies, distances to labelled rows and the verdict of trees on the columns themselves.
Each statistic is then told relative to the values it takes on the support itself: as a tail rank and as a
robust deviation. So tables of any width, unit and size meet the network in the same form.

An exact copy of a row in the support is not its own neighbour (one copy is left out): a row has the same
profile whether it is part of the support or arrives later.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import has_copy, row_hash
from outlearn.learners.profiles.isolation import Isolation
from outlearn.learners.profiles.nearest import MAX_ROWS, Reference
from outlearn.learners.profiles.neighbourhood import LOCAL, local_statistics, log_distance, mean_distance
from outlearn.learners.profiles.overall import OVERALL, Overall
from outlearn.learners.profiles.scale import Scale, mid_ranks
from outlearn.learners.profiles.tails import ColumnTails
from outlearn.learners.profiles.trees import LabelTrees
from outlearn.learners.profiles.views import RankView, RobustView, StandardView, WhitenedView

__all__ = [
    "BASIC_FEATURES",
    "BASIC_LABELS",
    "BASIC_STATISTICS",
    "FEATURES",
    "LABEL_FEATURES",
    "PRIOR_GATE",
    "STATISTICS",
    "Profile",
    "Profiler",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

VIEWS = ("standard", "rank", "whitened")
NEIGHBOURS = 50
CLEAN_NEIGHBOURS = 20  # among the rows that cleaning keeps
LABELLED = MAX_ROWS  # labelled rows of one kind that distances are taken to
REFERENCE = 2048  # rows that distances are taken to: of rows that may hold anomalies, more are no better
NORMAL_REFERENCE = MAX_ROWS  # of rows all known to be normal each one tells of another place that is usual
CLEANED_SHARE = 0.2  # measured: dropping the oddest fifth suits contaminated supports best
_PER_VIEW = (*LOCAL, "clean5", "clean20")
_ROBUST = ("d5", "d20", "d50", "clean5", "clean20")  # its others told nothing that these do not
BASIC_STATISTICS = (
    *(f"{view}.{name}" for view in VIEWS for name in _PER_VIEW),
    *OVERALL,
)
BASIC_LABELS = tuple(f"{view}.{which}" for view in VIEWS for which in ("anomaly1", "anomaly3", "normal1"))
STATISTICS = (*BASIC_STATISTICS, *(f"robust.{name}" for name in _ROBUST))
LABEL_FEATURES = (*BASIC_LABELS, "trees.columns", "trees.whitened")
FEATURES = (*STATISTICS, *LABEL_FEATURES)
BASIC_FEATURES = (*BASIC_STATISTICS, *BASIC_LABELS)
"""What learners read that adapt by gradients or compare by distances: no robust view, no trees."""

# Where networks start from: the statistics that do well on most tables by themselves.
PRIOR_GATE = {
    "isolation": 0.3,
    "standard.clean20": 0.2,
    "standard.d20": 0.1,
    "rank.clean20": 0.1,
    "whitened.clean20": 0.1,
    "histogram.mean": 0.1,
    "tail.mean": 0.1,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """Profiles of m rows.

    tails : (m, F) -log of the share of support rows at least as odd; F = len(STATISTICS), without the
        robust view len(BASIC_STATISTICS).
    deviations : (m, F) signed log of the robust deviation from the support's median.
    labels : (m, L) log distance ratios to labelled rows and log-odds by trees, 0 where there are no labels;
        L = len(LABEL_FEATURES), without trees len(BASIC_LABELS).
    """

    tails: NDArray[np.float32]
    deviations: NDArray[np.float32]
    labels: NDArray[np.float32]

    def stacked(self) -> NDArray[np.float32]:
        """All of it side by side: (m, 2F + L)."""
        return np.hstack([self.tails, self.deviations, self.labels])


class _ViewStatistics:
    """Neighbour statistics of one view, fitted on the reference rows.

    kept, kept_copies : (n,) which reference rows cleaning keeps, and which have a copy among those kept.
    """

    def __init__(
        self, transform: Callable[[Floats], Floats], reference: Floats, kept: Flags, kept_copies: Flags
    ) -> None:
        self.transform = transform
        points = transform(reference)
        self._reference = Reference(points, kept, NEIGHBOURS, CLEAN_NEIGHBOURS)
        self._own = self._reference.query(points, np.ones(len(points), dtype=np.bool_), kept_copies)
        self._mean5, self._mean20 = mean_distance(self._own[0], 5), mean_distance(self._own[0], 20)
        self.scale = float(np.median(self._mean5)) + 1e-6

    def statistics(
        self, X: Floats, copies: Flags, kept_copies: Flags, *, support: bool = False
    ) -> list[Floats]:
        """Tell of rows (m, d); with `support` the first of them are the reference itself, known already."""
        known = len(self._own[0]) if support else 0
        parts = [self._own] if support else []
        if len(X) > known:
            points = self.transform(X[known:])
            parts.append(self._reference.query(points, copies[known:], kept_copies[known:]))
        distance, number, cleaned = (np.concatenate(part) for part in zip(*parts, strict=True))
        floor = float(np.log(self.scale * 1e-2))
        clean = [log_distance(mean_distance(cleaned, k)) for k in (5, 20)]
        return [
            *local_statistics(distance, number, self._mean5, self._mean20, floor),
            *(np.maximum(c, floor) for c in clean),
        ]


class _Labelled:
    """Distances to the rows of one label, in one view."""

    def __init__(self, view: _ViewStatistics, rows: Floats) -> None:
        self._view = view
        self._rows = (
            Reference(view.transform(rows), np.ones(len(rows), dtype=np.bool_), 3) if len(rows) else None
        )
        self._size = len(rows)

    def ratios(self, X: Floats, near: Floats, copies: Flags, ks: tuple[int, ...]) -> list[Floats]:
        """Log of (mean distance to the k nearest labelled rows / distance to the reference), one a k."""
        if self._rows is None:
            return [np.zeros(len(X)) for _ in ks]
        distance, _, _ = self._rows.query(self._view.transform(X), copies, copies)
        # The only labelled row says nothing about itself.
        alone = copies if self._size == 1 else np.zeros(len(X), dtype=np.bool_)
        ratios = [log_distance(mean_distance(distance, k) + 1e-2 * self._view.scale) - near for k in ks]
        return [np.where(alone, 0.0, np.clip(ratio, -4, 4)) for ratio in ratios]


class Profiler:
    """Profiles rows relative to one support.

    Parameters
    ----------
    X : (n, d) float32, the support, in canonical order (`data.rows.canonical_order`).
    y : (n,) int8 in {-1, 0, 1}.
    rng : generator for the isolation forest and the trees.
    rich : tell all of `FEATURES`: with the robust view, and with trees where there are labelled anomalies;
        otherwise `BASIC_FEATURES`, at less cost.

    Known anomalies are not part of the reference that distances are taken to; known normals are never cleaned
    away.
    """

    def __init__(
        self, X: NDArray[np.float32], y: NDArray[np.int8], rng: np.random.Generator, *, rich: bool = False
    ) -> None:
        usable = y != 1
        if not usable.any():  # only known anomalies: they are all there is to compare with
            usable = np.ones(len(y), dtype=np.bool_)
        rows, known_normal = X[usable].astype(np.float64), y[usable] == 0
        self._whitened = WhitenedView.fit(rows)
        transforms = (StandardView.fit(rows).apply, RankView.fit(rows).apply, self._whitened.apply)
        self._isolation = Isolation(X[usable], int(rng.integers(2**31 - 1)))
        self._overall = Overall(ColumnTails.fit(rows), self._isolation, self._whitened)
        # Rows come in an order that is random with respect to their content: the first are a uniform sample.
        size = NORMAL_REFERENCE if known_normal.all() else REFERENCE
        self._reference = X[usable][:size]
        kept = self._clean(transforms[0](rows[:size]), known_normal[:size])
        self._kept = self._reference[kept]
        about = rows[:size], kept, has_copy(self._reference, self._kept)
        self._views = [_ViewStatistics(transform, *about) for transform in transforms]
        self._rich = rich
        if rich:
            self._robust = _ViewStatistics(RobustView.fit(rows).apply, *about)
        self._anomalies, self._normals = X[y == 1][:LABELLED], X[y == 0][:LABELLED]
        self._labelled = self._distances_to_labels()
        # With every row known to be normal, distance to a known normal is distance to the reference: no news.
        self._few_normals = 0 < int(known_normal.sum()) < 0.5 * len(rows)
        self._trees: list[LabelTrees] = []
        if rich and (y == 1).any() and (y != 1).any():
            self._trees = LabelTrees.grow((X, self._turned(X)), y, X, rng)
        self._usable, self._own = usable, self._statistics(X[usable], support=True)
        self._scale = Scale(self._own)

    def _distances_to_labels(self) -> list[tuple[_Labelled, _Labelled]]:
        anomalies, normals = self._anomalies.astype(np.float64), self._normals.astype(np.float64)
        return [(_Labelled(view, anomalies), _Labelled(view, normals)) for view in self._views]

    def without_label(self, row: NDArray[np.float32]) -> Profiler:
        """Return a profiler that has forgotten the label of one row (d,) of the support, and of its copies.

        Label features are told without it; statistics stay as they are.
        """
        less = copy(self)
        one = row_hash(row[None])
        less._anomalies = self._anomalies[row_hash(self._anomalies) != one]
        less._normals = self._normals[row_hash(self._normals) != one]
        less._labelled = less._distances_to_labels()
        less._trees = [trees.without(one[0]) for trees in self._trees]
        return less

    def _clean(self, points: Floats, known_normal: Flags) -> Flags:
        """Return which reference rows stay when the oddest fifth is dropped; known normals always do."""
        everywhere = np.ones(len(points), dtype=np.bool_)
        if known_normal.all():
            return everywhere
        distance, _, _ = Reference(points, everywhere, NEIGHBOURS).query(points, everywhere, everywhere)
        oddness = mid_ranks(self._isolation.score(self._reference)) + mid_ranks(
            distance.mean(axis=1).round(6)
        )
        oddness[known_normal] = -1.0
        drop = min(int(CLEANED_SHARE * len(points)), int((~known_normal).sum()))
        kept = everywhere.copy()
        kept[np.argsort(-oddness, kind="stable")[:drop]] = False
        return kept

    def _statistics(self, X: NDArray[np.float32], *, support: bool = False) -> Floats:
        rows = X.astype(np.float64)
        told = partial(
            _ViewStatistics.statistics,
            X=rows,
            copies=has_copy(X, self._reference),
            kept_copies=has_copy(X, self._kept),
            support=support,
        )
        columns = [column for view in self._views for column in told(view)]
        columns += self._overall.statistics(X)
        if self._rich:
            robust = dict(zip(_PER_VIEW, told(self._robust), strict=True))
            columns += [robust[name] for name in _ROBUST]
        # Ranks compare these with the values of the support. Rounding keeps the last bits, which vary with
        # the size of the batch, from deciding between equal rows.
        statistics: Floats = np.column_stack(columns)
        return statistics.round(6)

    def profile(self, X: NDArray[np.float32]) -> Profile:
        """Profile the rows (m, d) of `X`."""
        return self._profile(X, self._statistics(X))

    def profile_support(self, X: NDArray[np.float32]) -> Profile:
        """Profile the support that this was made from; its statistics are known already."""
        statistics = np.empty((len(X), self._own.shape[1]))
        statistics[self._usable] = self._own
        if not self._usable.all():
            statistics[~self._usable] = self._statistics(X[~self._usable])
        return self._profile(X, statistics)

    def _profile(self, X: NDArray[np.float32], statistics: Floats) -> Profile:
        tails, deviations = self._scale.relative(statistics)
        return Profile(
            tails.astype(np.float32),
            deviations.astype(np.float32),
            self._label_features(X, statistics).astype(np.float32),
        )

    def _turned(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._whitened.apply(X.astype(np.float64)).round(6).astype(np.float32)

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
        if self._trees:
            readings = (X, self._turned(X))
            columns += [
                t.log_odds(rows, X, blind=True) for t, rows in zip(self._trees, readings, strict=True)
            ]
        elif self._rich:
            columns += [np.zeros(len(rows))] * (len(LABEL_FEATURES) - len(BASIC_LABELS))
        return np.column_stack(columns)
