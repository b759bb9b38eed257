"""The contract of a learner: three verbs, and the sign of the score.

``meta_fit(episodes) → Learned``; ``Learned.adapt(X, y) → Scorer``; ``Scorer.score(X) → (m,)``,
high = abnormal. Adapting changes nothing in `Learned`; scoring changes nothing in `Scorer`; the score of a
row does not depend on the other rows of the batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from outlearn.tasks.episode import Episode

__all__ = ["Learned", "Learner", "Scorer"]


@runtime_checkable
class Scorer(Protocol):
    """Scores rows: (m, d) float32 → (m,) float64, high = abnormal."""

    def score(self, X: NDArray[np.float32]) -> NDArray[np.float64]: ...


@runtime_checkable
class Learned(Protocol):
    """What was learnt across tasks. `y` is (n,) int8 in {-1, 0, 1}, as in `Episode.support_y`."""

    def adapt(self, X: NDArray[np.float32], y: NDArray[np.int8]) -> Scorer: ...


@runtime_checkable
class Learner(Protocol):
    """Learns across tasks."""

    def meta_fit(self, episodes: Iterable[Episode]) -> Learned: ...
