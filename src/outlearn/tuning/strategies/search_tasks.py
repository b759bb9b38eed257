"""Search tasks to learn from: what one table would show of its configurations, and how good they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.tuning.strategies.folds import groups, others
from outlearn.tuning.strategies.portfolio import average_precisions
from outlearn.tuning.strategies.view import Seen
from outlearn.tuning.table import PerformanceTable

__all__ = ["SearchTask", "SearchTasks"]

Floats = NDArray[np.float64]
SIMULATED_LABELS = 5  # anomalies whose labels are simulated
ENOUGH_ANOMALIES = 2 * SIMULATED_LABELS  # anomalies of a query that some can be labelled of
SIMULATED_SHARE = 0.5  # share of the tasks with simulated labels, where there are anomalies enough


@dataclass(frozen=True, slots=True)
class SearchTask:
    """One table, and K configurations to choose from.

    features : (F,) meta-features. among : (K,) places of the configurations, ascending.
    prior : (C,) mean average precision of all configurations on the other tables.
    measures : (K, M) what would be seen of each; NaN where it fails. failed : (K,).
    label_precision : (K,) average precision that a few labels would show of each; None without labels.
    precision : (K,) average precision on rows that nothing was seen of.
    """

    features: Floats
    among: NDArray[np.int64]
    prior: Floats
    measures: Floats
    failed: NDArray[np.bool_]
    label_precision: Floats | None
    precision: Floats

    def seen(self, tried: NDArray[np.int64]) -> Seen:
        """Return what is seen once some, at ascending places among the K, were tried."""
        tried = tried[~self.failed[tried]]
        precision = None if self.label_precision is None else self.label_precision[tried]
        return Seen(tried, self.measures[tried], precision)


class SearchTasks:
    """Draws search tasks from a performance table.

    groups : places of configurations to choose among: all, and those of each detector.
    """

    def __init__(self, table: PerformanceTable) -> None:
        self._table = table
        every, *by_detector = groups(table.configs).values()
        known = [every, *by_detector] if len(by_detector) > 1 else by_detector
        # Of a detector that works nowhere there is nothing to learn.
        self.groups = [group for group in known if not table.failed[:, group].all()] or [every]
        # A table may not show through the mean over tables, nor may its relatives: in use, none of
        # its family takes part.
        self._priors = others(table)

    def __len__(self) -> int:
        return len(self._table.tasks)

    def working(self, among: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the tasks on which some of these configurations work."""
        return np.flatnonzero(~self._table.failed[:, among].all(axis=1))

    def draw(self, t: int, among: NDArray[np.int64], rng: np.random.Generator) -> SearchTask:
        """Return the task t of the table as a search task.

        Its labels are those of the support or, now and then, simulated ones.
        """
        table = self._table
        precision, label_precision, truth = table.precision[t, among], table.seen[t, among], table.truths[t]
        failed = table.failed[t, among]
        if not np.isfinite(label_precision[~failed]).all() or failed.all():
            label_precision = None
            if truth.sum() >= ENOUGH_ANOMALIES and rng.random() < SIMULATED_SHARE:
                label_precision, precision = _labelled(table.ranks[t][among], truth, rng)
        return SearchTask(
            table.features[t],
            among,
            self._priors[t],
            table.measures[t, among],
            failed,
            label_precision,
            precision,
        )


def _labelled(
    ranks: NDArray[np.floating], truth: NDArray[np.int8], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Simulate labels of a few anomalies: the average precision of those, and of the rest."""
    odd = rng.permutation(np.flatnonzero(truth == 1))
    labelled, rest = np.zeros_like(truth), truth.copy()
    labelled[odd[:SIMULATED_LABELS]] = 1
    rest[odd[:SIMULATED_LABELS]] = 0
    kept = labelled == 0
    return average_precisions(labelled, ranks), average_precisions(rest[kept], ranks[:, kept])
