"""What a learner answers on one task, attacked or not, and how two learners compare over many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.harms import attacked
from outlearn.learners.gradient.learner import GradientLearned
from outlearn.learners.metric.learner import MetricLearned
from outlearn.learners.training.batch import stack
from outlearn.tasks.task import Array, Task

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """One figure a test task (T,): a learner without and with a guard, unharmed and harmed; higher is better.

    expected : what the harmed learner is expected to reach, where there is no guard but a check: one figure,
        or one a task.
    """

    unharmed: Values
    unharmed_guarded: Values | None
    harmed: Values
    harmed_guarded: Values | None
    expected: float | Values | None = None

    def row(self) -> dict[str, Any]:
        """Return each mean with its standard error, the worst decile, and the gain of the guard, paired."""
        names = ("unharmed", "unharmed_guarded", "harmed", "harmed_guarded")
        row: dict[str, Any] = {
            name: _summary(values) for name in names if (values := getattr(self, name)) is not None
        }
        if self.harmed_guarded is not None:
            row["gain"] = _summary(self.harmed_guarded - self.harmed, worst=False)
        if self.expected is not None:
            row["expected"] = round(float(np.mean(self.expected)), 4)
            row["gain"] = _summary(self.harmed - self.expected, worst=False)
        return row


def _summary(values: Values, *, worst: bool = True) -> dict[str, float]:
    summary = {
        "mean": round(float(values.mean()), 4),
        "error": round(float(values.std(ddof=1) / len(values) ** 0.5), 4),
    }
    if worst:
        summary["worst"] = round(float(np.sort(values)[: max(len(values) // 10, 1)].mean()), 4)
    return summary


def predict(learned: GradientLearned | MetricLearned, task: Task, attack: float = 0.0) -> Array:
    """Return the output (m, …) for the query of a task, whose values an attacker may move by `attack`."""
    if attack == 0:
        return learned.adapt(task.support_x, task.support_y, task.support_weight).predict(task.query_x)
    assert isinstance(learned, GradientLearned), "an attack follows gradients"
    scorer = learned.adapt(task.support_x, task.support_y, task.support_weight)
    learner, meta = learned.learner, learned.meta
    dtype = next(iter(meta.values())).dtype
    params = {name: scorer.params[name][None] for name in learner.parts(meta)[0]}
    return scorer.predict(attacked(learner, meta, params, stack([task], dtype), attack)[0].numpy())
