"""Columns that hold one value in all rows compared with: what another value in a new row is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.data.columns import ConstantEncoder
from outlearn.data.encode import Encoder

__all__ = ["ConstantColumns"]

# Share of anomalies that show a value never seen in a column that held one. Over 29 real tables with 60 known
# normal rows it was .30, over 10 with 300 it was .52, over 9 with 1,000 .45; of normal rows .055, .011, .002.
SHOWN = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class ConstantColumns:
    """Encoded columns in which no row of a support differs, known anomalies apart; no learner sees them.

    A learner cannot learn from what does not vary, and distances have no scale there. How odd another value
    is can be counted instead: it adds the log-odds ``log(share of anomalies that show one / share of normal
    rows that do)``. The latter is estimated as Good and Turing do for what was never seen: by how many of the
    n normal rows differ from all others in some column, ``(alone + ½) / (n + 1)``.

    watched : (g,) places of the columns, which hold 0, or 1 where a row differs. kept : (l,) places of the
    others; None where all are. log_odds : of one value never seen, at least 0.
    """

    watched: NDArray[np.int64]
    kept: NDArray[np.int64] | None
    log_odds: float

    @classmethod
    def of(cls, encoder: Encoder, X: NDArray[np.float32], y: NDArray[np.int8]) -> ConstantColumns:
        """Return the columns of a support (n, d) with labels (n,), as `encoder` made it."""
        calm = X[y != 1] if (y != 1).any() else X
        fixed = {e.name for e in encoder.encoders if isinstance(e, ConstantEncoder)}
        candidates = [place for place, name in enumerate(encoder.sources) if name in fixed]
        watched = np.array([place for place in candidates if not calm[:, place].any()], dtype=np.int64)
        if not len(watched):
            return cls(watched, None, 0.0)
        kept = np.setdiff1d(np.arange(X.shape[1]), watched)
        known = X[y == 1][:, watched].any(axis=1)
        shown = (known.sum() + SHOWN) / (len(known) + 1)
        usual = (_alone(calm[:, kept]) + 0.5) / (len(calm) + 1)
        return cls(watched, kept, max(float(np.log(shown / usual)), 0.0))

    def without(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return rows (m, d) as a learner reads them: (m, l), or (m, 1) zeros where no column is left."""
        if self.kept is None:
            return values
        if not len(self.kept):
            return np.zeros((len(values), 1), dtype=np.float32)
        return values[:, self.kept]

    def surprise(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the log-odds (m,) that rows (m, d) gain by values never seen."""
        differing: NDArray[np.float64] = values[:, self.watched].sum(axis=1, dtype=np.float64)
        return self.log_odds * differing


def _alone(values: NDArray[np.float32]) -> int:
    """Return in how many columns of (n, l) just one row differs from all others, which are equal."""
    if not values.size:
        return 0
    half = (len(values) - 1) // 2
    middle = np.partition(values, half, axis=0)[half]
    return int(((values != middle).sum(axis=0) == 1).sum())
