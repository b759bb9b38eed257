"""How odd a row is among all rows of a support, without a look at its neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.learners.profiles.isolation import Isolation
from outlearn.learners.profiles.neighbourhood import log_distance
from outlearn.learners.profiles.tails import ColumnTails
from outlearn.learners.profiles.views import WhitenedView

__all__ = ["OVERALL", "Overall"]

OVERALL = (
    "tail.mean",
    "tail.max",
    "tail.top3",
    "histogram.mean",
    "histogram.max",
    "isolation",
    "mahalanobis",
    "residual",
)


@dataclass(frozen=True, slots=True)
class Overall:
    """What the eight statistics are fitted as; without isolation, it tells 0 of every row."""

    tails: ColumnTails
    isolation: Isolation | None
    whitened: WhitenedView

    def statistics(self, X: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        """Return `OVERALL` of rows (m, d), (m,) each."""
        rows = X.astype(np.float64)
        return [
            *self.tails.statistics(rows),
            np.zeros(len(X)) if self.isolation is None else self.isolation.score(X),
            log_distance(np.linalg.norm(self.whitened.apply(rows), axis=1)),
            log_distance(self.whitened.residual(rows) + 1e-3),
        ]
