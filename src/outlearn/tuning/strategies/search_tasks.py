"""Searches to practise on: what a table of a performance table would show, and what is to be told of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.tuning.strategies.folds import groups, others
from outlearn.tuning.strategies.portfolio import average_precisions
from outlearn.tuning.strategies.view import Seen
from outlearn.tuning.table import PerformanceTable

__all__ = ["Drill", "Drills"]

Floats = NDArray[np.float64]
LABELS = 5  # anomalies whose labels are simulated
ENOUGH = 2 * LABELS  # anomalies of a query that some can be labelled of
TOLD = 0.5  # share of the drills with labels, where some can be had


@dataclass(frozen=True, slots=True)
class Drill:
    """One table, and K configurations to choose from.

    features : (F,) meta-features. among : (K,) places of the configurations, ascending.
    prior : (C,) mean average precision of all configurations on the other tables.
    measures : (K, M) what would be seen of each; NaN where it fails. failed : (K,).
    told : (K,) what a few labels would say of each; None without labels.
    precision : (K,) average precision on rows that nothing was seen of.
    """

    features: Floats
    among: NDArray[np.int64]
    prior: Floats
    measures: Floats
    failed: NDArray[np.bool_]
    told: Floats | None
    precision: Floats

    def seen(self, tried: NDArray[np.int64]) -> Seen:
        """Return what is seen once some, at ascending places among the K, were tried."""
        tried = tried[~self.failed[tried]]
        return Seen(tried, self.measures[tried], None if self.told is None else self.told[tried])


class Drills:
    """Draws drills from a performance table.

    groups : places of configurations to choose among: all, and those of each detector.
    """

    def __init__(self, table: PerformanceTable) -> None:
        self._table = table
        every, *each = groups(table.configs).values()
        known = [every, *each] if len(each) > 1 else each
        # Of a detector that works nowhere there is nothing to learn.
        self.groups = [group for group in known if not table.failed[:, group].all()] or [every]
        # A table may not tell of itself through the mean over tables, nor may its relatives: in use, none of
        # its family takes part.
        self._priors = others(table)

    def __len__(self) -> int:
        return len(self._table.tasks)

    def working(self, among: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the tasks on which some of these configurations work."""
        return np.flatnonzero(~self._table.failed[:, among].all(axis=1))

    def draw(self, t: int, among: NDArray[np.int64], rng: np.random.Generator) -> Drill:
        """Return a drill on the task t, with the labels of its support or, now and then, simulated ones."""
        table = self._table
        precision, told, truth = table.precision[t, among], table.seen[t, among], table.truths[t]
        failed = table.failed[t, among]
        if not np.isfinite(told[~failed]).all() or failed.all():
            told = None
            if truth.sum() >= ENOUGH and rng.random() < TOLD:
                told, precision = _labelled(table.ranks[t][among], truth, rng)
        return Drill(
            table.features[t], among, self._priors[t], table.measures[t, among], failed, told, precision
        )


def _labelled(
    ranks: NDArray[np.floating], truth: NDArray[np.int8], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Simulate labels of a few anomalies: the average precision of those, and of the rest."""
    odd = rng.permutation(np.flatnonzero(truth == 1))
    told, rest = np.zeros_like(truth), truth.copy()
    told[odd[:LABELS]] = 1
    rest[odd[:LABELS]] = 0
    kept = told == 0
    return average_precisions(told, ranks), average_precisions(rest[kept], ranks[:, kept])
