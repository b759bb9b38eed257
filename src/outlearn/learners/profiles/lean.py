"""Lean row profiles: what `learners.profiles` reads of a row, at two neighbour searches a row.

The profile of a row places it relative to a cleaned support: log distances and density ratios in two views,
column-wise tails and rarities, isolation depth, Mahalanobis distance and residual, how often its very values
were seen and how well they go together, each as a tail rank and as a robust deviation among the rows kept.
What more the profiles of `profile` hold (more views, distances with and without cleaning) gave a network
trained on real tables next to nothing.

Isolation depth among known normals costs time and adds nothing (`python -m benchmarks run lean_statistics`):
it is 0 there, which is no news.

Rows that may be anomalies themselves are no measure of what is usual: of an unlabelled support the oddest
fifth is left out of all that others are compared with. Known normals stay in any case, and known anomalies
never do.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import has_copy
from outlearn.learners.profiles.dependence import Dependence
from outlearn.learners.profiles.isolation import Isolation
from outlearn.learners.profiles.nearest import MAX_ROWS, Reference
from outlearn.learners.profiles.neighbourhood import LOCAL, local_statistics, mean_distance
from outlearn.learners.profiles.overall import OVERALL, Overall
from outlearn.learners.profiles.scale import Scale, mid_ranks
from outlearn.learners.profiles.tails import ColumnTails
from outlearn.learners.profiles.values import Mismatch, Surprisal
from outlearn.learners.profiles.verdicts import (
    DISTANCES,
    LABEL_FEATURES,
    MOSTLY_KNOWN,
    TREE_FEATURES,
    VerdictFeatures,
    has_verdicts,
    known_share,
)
from outlearn.learners.profiles.views import LogView, RankView, WhitenedView

__all__ = [
    "LEAN_FEATURES",
    "LEAN_LABELS",
    "LEAN_STATISTICS",
    "VERSION",
    "LeanProfile",
    "LeanProfiler",
    "NeighbourView",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.float32]

VERSION = 3  # of the profiles: raised whenever the same rows get other ones
NEIGHBOURS = 50
REFERENCE = 2048  # rows that distances are taken to: of rows that may hold anomalies, more are no better
RANKED = 1024  # of them that distances on ranks are taken to: these reveal less, at the same cost
CLEANED_SHARE = 0.2
FEWEST_KEPT = 10
LEAN_STATISTICS = (
    *(f"{view}.{name}" for view in DISTANCES for name in LOCAL),
    *OVERALL,
    *(f"{name}.{which}" for name in ("value", "dependence") for which in ("mean", "max", "top3")),
    "mismatch",
)
ISOLATION = LEAN_STATISTICS.index("isolation")
LEAN_LABELS = (*LABEL_FEATURES, *TREE_FEATURES)
LEAN_FEATURES = (*LEAN_STATISTICS, *LEAN_LABELS)


@dataclass(frozen=True, slots=True)
class LeanProfile:
    """Profiles of m rows.

    tails : (m, F) -log of the share of kept support rows at least as odd; F = len(LEAN_STATISTICS).
    deviations : (m, F) signed log of the robust deviation from the median of the kept rows.
    labels : (m, L) features from labelled rows (see `verdicts`), 0 where there are none;
        L = len(LEAN_LABELS).
    """

    tails: Rows
    deviations: Rows
    labels: Rows

    def order(self) -> Rows:
        """Return what needs no labels side by side, (m, 2F)."""
        return np.hstack([self.tails, self.deviations])


class NeighbourView:
    """Neighbours among `size` reference rows in one view."""

    def __init__(self, fitted: LogView | RankView, reference: Floats) -> None:
        self.apply, self.size = fitted.apply, len(reference)
        points = fitted.apply(reference)
        everyone = np.ones(len(points), dtype=np.bool_)
        self.middle = points.mean(axis=0)
        self._reference = Reference(points, everyone, NEIGHBOURS, 1)
        self._own = self._reference.query(points, everyone, everyone)[:2]
        self._usual5, self._usual20 = (mean_distance(self._own[0], k) for k in (5, 20))
        self.scale = float(np.median(self._usual5)) + 1e-6

    def statistics(self, X: Floats, copies: Flags) -> list[Floats]:
        """Return `LOCAL` of rows (m, d)."""
        return self._local(*self._reference.query(self.apply(X), copies, copies)[:2])

    def own(self) -> list[Floats]:
        """Return `LOCAL` of the reference rows themselves."""
        return self._local(*self._own)

    def _local(self, distance: Floats, number: NDArray[np.int64]) -> list[Floats]:
        return local_statistics(
            distance, number, self._usual5, self._usual20, float(np.log(self.scale * 1e-2))
        )


class LeanProfiler:
    """Profiles rows relative to one support.

    Parameters
    ----------
    X : (n, d) float32, the support, in canonical order (`data.rows.canonical_order`).
    y : (n,) int8 in {-1, 0, 1}.
    rng : generator for the isolation forest and the trees.

    Attributes
    ----------
    kept : (n,) which rows of the support others are compared with.
    """

    def __init__(self, X: Rows, y: NDArray[np.int8], rng: np.random.Generator) -> None:
        seed = int(rng.integers(2**31 - 1))  # in any case: what is drawn later stays the same
        usable = y != 1
        if not usable.any():  # only known anomalies: they are all there is to compare with
            usable = np.ones(len(y), dtype=np.bool_)
        isolation = Isolation(X[usable], seed) if (y[usable] != 0).any() else None
        self.kept = usable.copy()
        self.kept[usable] = self._clean(X[usable], y[usable] == 0, isolation)
        kept, rows = X[self.kept], X[self.kept].astype(np.float64)
        forest = isolation if known_share(y) < MOSTLY_KNOWN else None
        self._overall = Overall(ColumnTails.fit(rows), forest, WhitenedView.fit(rows))
        # Rows come in an order that is random with respect to their content: the first are a uniform sample.
        size = MAX_ROWS if (y[usable] == 0).all() else REFERENCE
        self._reference = kept[:size]
        self._views = {
            "log": NeighbourView(LogView.fit(rows), rows[:size]),
            "rank": NeighbourView(RankView.fit(rows[:size]), rows[:RANKED]),
        }
        self._surprisal, self._mismatch = Surprisal(rows[:size]), Mismatch(kept[:size])
        self._dependence = Dependence(rows[:size])
        self._own = self._statistics(kept, own=True)
        self._scale = Scale(self._own)
        self._verdicts = self._read_labels(X, y, rows, rng) if has_verdicts(y) else None

    def _read_labels(
        self, X: Rows, y: NDArray[np.int8], rows: Floats, rng: np.random.Generator
    ) -> VerdictFeatures:
        whitened = self._overall.whitened.apply
        return VerdictFeatures(
            X,
            y,
            {**{name: view.apply for name, view in self._views.items()}, "whitened": whitened},
            {name: view.scale for name, view in self._views.items()},
            {"rank": self._views["rank"].middle, "whitened": whitened(rows).mean(axis=0)},
            rng,
        )

    def _clean(self, X: Rows, known_normal: Flags, isolation: Isolation | None) -> Flags:
        """Return which rows (n, d) stay when the oddest fifth is dropped; known normals always do."""
        stay = np.ones(len(X), dtype=np.bool_)
        drop = min(int(CLEANED_SHARE * len(X)), int((~known_normal).sum()), max(len(X) - FEWEST_KEPT, 0))
        if drop == 0 or isolation is None:
            return stay
        rows = X.astype(np.float64)
        quick = (
            isolation.score(X),
            ColumnTails.fit(rows).statistics(rows)[3],
            np.linalg.norm(WhitenedView.fit(rows).apply(rows), axis=1),
        )
        oddness = np.sum([mid_ranks(statistic.round(6)) for statistic in quick], axis=0)
        oddness[known_normal] = -1.0
        stay[np.argsort(-oddness, kind="stable")[:drop]] = False
        return stay

    def _statistics(self, X: Rows, *, own: bool = False) -> Floats:
        """Return (m, F) statistics of rows; with `own` the first are the reference itself, known already."""
        rows = X.astype(np.float64)
        columns: list[Floats] = []
        for view in self._views.values():
            known = view.size if own else 0
            parts = [view.own()] if own else []
            if len(X) > known:
                copies = has_copy(X[known:], self._reference[: view.size])
                parts.append(view.statistics(rows[known:], copies))
            columns += [np.concatenate(pair) for pair in zip(*parts, strict=True)]
        columns += self._overall.statistics(X)
        copies = has_copy(X, self._reference)
        columns += [*self._surprisal.statistics(rows, copies), *self._dependence.statistics(rows)]
        columns.append(self._mismatch.statistic(X))
        # Rounding keeps the last bits, which vary with the size of the batch, from deciding between equal
        # rows.
        statistics: Floats = np.column_stack(columns)
        return statistics.round(6)

    def profile(self, X: Rows) -> LeanProfile:
        """Profile the rows (m, d) of `X`; labelled rows, and their copies, have their label."""
        if not len(X):
            empty = np.empty((0, len(LEAN_STATISTICS)), dtype=np.float32)
            return LeanProfile(empty, empty, np.empty((0, len(LEAN_LABELS)), dtype=np.float32))
        return self._profile(X, self._statistics(X), blind=False)

    def profile_support(self, X: Rows, *, blind: bool) -> LeanProfile:
        """Profile the support that this was made from, each row against the others.

        blind : whether labelled rows are profiled as if their own label were unknown.
        """
        statistics = np.empty((len(X), len(LEAN_STATISTICS)))
        statistics[self.kept] = self._own
        if not self.kept.all():
            statistics[~self.kept] = self._statistics(X[~self.kept])
        return self._profile(X, statistics, blind=blind)

    def blind_labels(self, X: Rows, forgotten: Rows) -> Rows:
        """Return the label features (m, L) of rows (m, d), blind, with the label of a row (d,) forgotten."""
        if self._verdicts is None:
            return np.zeros((len(X), len(LEAN_LABELS)), dtype=np.float32)
        verdicts = self._verdicts.without(forgotten)
        return verdicts.of_rows(X, _near(self._statistics(X)), blind=True).astype(np.float32)

    def _profile(self, X: Rows, statistics: Floats, *, blind: bool) -> LeanProfile:
        tails, deviations = self._scale.relative(statistics)
        if self._overall.isolation is None:
            tails[:, ISOLATION] = 0.0  # the rank among equals would be another number
        labels = np.zeros((len(X), len(LEAN_LABELS)))
        if self._verdicts is not None:
            labels = self._verdicts.of_rows(X, _near(statistics), blind=blind)
        return LeanProfile(tails.astype(np.float32), deviations.astype(np.float32), labels.astype(np.float32))

    def without_label(self, row: Rows) -> LeanProfiler:
        """Return a profiler that has forgotten the label of one row (d,) of the support, and of its copies.

        Label features do without it; statistics stay as they are.
        """
        less = copy(self)
        if self._verdicts is not None:
            less._verdicts = self._verdicts.without(row)
        return less


def _near(statistics: Floats) -> dict[str, Floats]:
    """Return the log of the mean distance to five reference rows in each view, (m,)."""
    return {name: statistics[:, LEAN_STATISTICS.index(f"{name}.d5")] for name in DISTANCES}
