"""The contract of a learner: three verbs, and the sign of the score.

``meta_fit(tasks) → Learned``; ``Learned.adapt(X, y) → Scorer``; ``Scorer.score(X) → (m,)``,
high = abnormal. Adapting changes nothing in `Learned`; scoring changes nothing in `Scorer`; the score of a
row does not depend on the other rows of the batch.

A scorer may say more than scores: `SupportScorer` knows those of its own support, `ProbabilisticScorer` gives
log-odds and says how far they are to be trusted. Which learner of the catalogue gives which scorer stands in
`learners.catalogue`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Learned", "Learner", "ProbabilisticScorer", "Scorer", "SupportScorer"]

Task_contra = TypeVar("Task_contra", contravariant=True)


@runtime_checkable
class Scorer(Protocol):
    """Scores rows: (m, d) float32 → (m,) float64, high = abnormal."""

    def score(self, X: NDArray[np.float32]) -> NDArray[np.float64]: ...


@runtime_checkable
class SupportScorer(Scorer, Protocol):
    """A scorer that knows the scores (n,) of the support it adapted to, in the order that came."""

    @property
    def support_scores(self) -> NDArray[np.float64]: ...


@runtime_checkable
class ProbabilisticScorer(SupportScorer, Protocol):
    """A scorer whose scores are log-odds of being an anomaly, and which says what they are worth."""

    @property
    def contamination(self) -> float:
        """Return the share of anomalies that is expected in the support."""

    @property
    def least_flagged(self) -> float:
        """Return the probability below which no row should be flagged; 0 for any."""

    @property
    def reach(self) -> float:
        """Return the AUROC that is expected of the scores."""

    @property
    def strangeness(self) -> float:
        """Return how unlike those trained on the support is; above 1 are the farthest 1 in 100."""

    @property
    def uncertainty(self) -> float:
        """Return how little the order of scores is to be trusted, 0 to 1."""

    def label_effects(self, X: NDArray[np.float32], labelled: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return how much the label of each row (k, d) of the support moved the score of each row (m, d).

        (m, k), positive where it raised the score.
        """


@runtime_checkable
class Learned(Protocol):
    """A learner, trained across tasks. `y` is (n,) int8 in {-1, 0, 1}, as in `Episode.support_y`."""

    def adapt(self, X: NDArray[np.float32], y: NDArray[np.int8]) -> Scorer: ...


@runtime_checkable
class Learner(Protocol[Task_contra]):
    """Learns across tasks: episodes of tables (`tasks.episode.Episode`), or tasks of a
    network (`tasks.task.Task`)."""

    def meta_fit(self, tasks: Iterable[Task_contra], /) -> Learned: ...
