"""Learners of tasks as learners of tables: rows become what a network reads, label states weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import canonical_order
from outlearn.errors import InputError, LabelError
from outlearn.learners.base import Scorer
from outlearn.learners.profiles.bank import EpisodeProfiles
from outlearn.learners.profiles.profile import Profiler
from outlearn.learners.profiles.views import StandardView
from outlearn.rng import derive
from outlearn.tasks.episode import Episode
from outlearn.tasks.task import Task

if TYPE_CHECKING:
    from outlearn.learners.gradient.learner import GradientLearned
    from outlearn.learners.metric.learner import MetricLearned

__all__ = ["TableLearned", "TableScorer", "column_task", "label_weights", "profile_task"]

Rows = NDArray[np.float32]
Labels = NDArray[np.int8]
CHUNK = 8192  # rows read at once: bounds memory
FAR = 10.0  # standardised values are bounded here: a network has no use for "farther still"


def label_weights(y: NDArray[np.integer], *, one_class: bool = True) -> NDArray[np.float32]:
    """Weigh rows (n,) so that each kind of label counts alike, however few rows carry it.

    one_class : False gives rows without a known anomaly among them no weight, so that nothing adapts to them:
        for learners of first order, whose steps on usual rows alone do not point where a balanced support
        would (Frikha et al. 2021).

    >>> label_weights(np.array([-1, -1, 1])).tolist()
    [0.5, 0.5, 1.0]
    """
    if not one_class and not (y == 1).any():
        return np.zeros(len(y), dtype=np.float32)
    _, kind, count = np.unique(y, return_inverse=True, return_counts=True)
    weights: NDArray[np.float32] = (1 / count[kind]).astype(np.float32)
    return weights


def profile_task(
    episode: EpisodeProfiles,
    rng: np.random.Generator,
    *,
    support: int = 128,
    query: int = 128,
    one_class: bool = True,
) -> Task:
    """Return a task on row profiles: at most `support` rows beside known anomalies, and `query` rows."""
    return _task(
        episode.support.astype(np.float32),
        episode.support_y,
        episode.query.astype(np.float32),
        episode.query_y,
        rng,
        (support, query),
        one_class,
    )


def column_task(
    episode: Episode,
    rng: np.random.Generator,
    *,
    support: int = 128,
    query: int = 128,
    one_class: bool = True,
) -> Task:
    """Return a task on columns, standardised by the support, for tables that share their columns."""
    read = _Columns.fit(episode.support_x, episode.support_y)
    return _task(
        read(episode.support_x),
        episode.support_y,
        read(episode.query_x),
        episode.query_y,
        rng,
        (support, query),
        one_class,
    )


def _task(
    support_x: Rows,
    support_y: Labels,
    query_x: Rows,
    query_y: Labels,
    rng: np.random.Generator,
    most: tuple[int, int],
    one_class: bool,
) -> Task:
    usual = rng.permutation(np.flatnonzero(_usual(support_y)))[: most[0]]
    kept = np.concatenate([np.flatnonzero(support_y == 1), usual])
    # Both kinds of query rows stay: a task that lacks one judges nothing.
    asked = np.concatenate([rng.permutation(np.flatnonzero(query_y == k))[: most[1] // 2] for k in (0, 1)])
    return Task(
        support_x[kept],
        support_y[kept],
        query_x[asked],
        query_y[asked],
        label_weights(support_y[kept], one_class=one_class),
        label_weights(query_y[asked]),
    )


def _usual(y: Labels) -> NDArray[np.bool_]:
    """Say which rows of a support are no known anomalies; refuse one without any."""
    if len(y) == 0:
        raise InputError("the support has no rows; give at least one")
    usual: NDArray[np.bool_] = y != 1
    if not usual.any():
        raise LabelError(
            f"all {len(y)} support rows are known anomalies; give normal or unlabelled rows to compare with"
        )
    return usual


@dataclass(frozen=True, slots=True)
class _Profiles:
    """Reads rows as profiles."""

    profiler: Profiler

    def __call__(self, X: Rows) -> Rows:
        return self.profiler.profile(X).stacked()


@dataclass(frozen=True, slots=True)
class _Columns:
    """Reads columns, standardised by the usual rows of a support."""

    view: StandardView

    @classmethod
    def fit(cls, X: Rows, y: Labels) -> _Columns:
        return cls(StandardView.fit(X[_usual(y)].astype(np.float64)))

    def __call__(self, X: Rows) -> Rows:
        return np.clip(self.view.apply(X.astype(np.float64)), -FAR, FAR).astype(np.float32)


@dataclass(frozen=True)
class TableLearned:
    """A meta-trained learner that takes tables.

    Parameters
    ----------
    columns : width of the tables it takes; None when it reads row profiles and takes any width.
    one_class : adapt to supports without a known anomaly too; see `label_weights`.
    seed : of the isolation forest in the profiles.
    """

    learned: GradientLearned | MetricLearned
    columns: int | None = None
    one_class: bool = True
    seed: int = 0

    def seeded(self, seed: int) -> TableLearned:
        return replace(self, seed=seed)

    def adapt(self, X: Rows, y: Labels) -> TableScorer:
        """Adapt to a support (n, d) with labels (n,) in {-1, 0, 1}; the order of rows makes no difference.

        Raises
        ------
        LabelError
            When every row is a known anomaly.
        InputError
            When the support is empty, or the table is not as wide as those it learnt from.
        """
        _usual(y)
        order = canonical_order(X, y)
        X, y = X[order], y[order]
        read: Callable[[Rows], Rows]
        if self.columns is None:
            profiler = Profiler(X, y, derive(self.seed))
            read, rows = _Profiles(profiler), profiler.profile_support(X).stacked()
        elif X.shape[1] == self.columns:
            read = _Columns.fit(X, y)
            rows = read(X)
        else:
            raise InputError(
                f"the table has {X.shape[1]} columns; this learner reads tables of {self.columns}, as it was "
                "trained on: give those, or take a learner on row profiles"
            )
        scorer = self.learned.adapt(rows, y, label_weights(y, one_class=self.one_class))
        scores = np.empty(len(y))
        scores[order] = scorer.score(rows)
        return TableScorer(scorer, read, scores)


class TableScorer:
    """Scores rows against one support; `support_scores` (n,) are its own, in the order it came."""

    def __init__(
        self, scorer: Scorer, read: Callable[[Rows], Rows], support_scores: NDArray[np.float64]
    ) -> None:
        self._scorer, self._read, self.support_scores = scorer, read, support_scores

    def score(self, X: Rows) -> NDArray[np.float64]:
        """Score rows (m, d) → (m,), high = abnormal; a row scores the same alone or in a batch."""
        parts = [
            self._scorer.score(self._read(X[start : start + CHUNK])) for start in range(0, len(X), CHUNK)
        ]
        return np.concatenate(parts) if parts else np.empty(0)
