"""Oddness of values that are the same or are not: codes, flags, rounded amounts, counts.

Distance says little where columns hold a few values each: one that was never seen is no farther away than its
neighbours. How often the very same value was seen, and in how many columns the most alike rows agree, does.
Columns whose values all differ have no say in either.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import has_copy, row_hash
from outlearn.learners.profiles.ordered import Ordered
from outlearn.learners.profiles.tails import largest

__all__ = ["Mismatch", "Surprisal"]

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]
Codes = NDArray[np.uint16]

ALIKE = 5  # most alike rows that a row is compared with
COMPARED = 1024  # rows of a reference that they are taken from
MOST_COLUMNS = 200  # that are compared: those with the fewest values
_BATCH = 512  # rows compared at once: bounds memory


class Surprisal:
    """-log of how frequent the value of each column is among reference rows (n, d).

    A value that was never seen has the probability of all such together, by the share of reference rows whose
    value is theirs alone. Source: Good, "The population frequencies of species and the estimation of
    population parameters", Biometrika 1953.
    """

    def __init__(self, reference: Floats) -> None:
        self._columns = Ordered.columns(reference)
        n = len(reference)
        apart = np.diff([column.values for column in self._columns], axis=1) != 0
        end = np.ones((len(apart), 1), dtype=np.bool_)
        alone = np.hstack([end, apart]) & np.hstack([apart, end])
        self._unseen = -np.log(np.maximum(alone.mean(axis=1), 0.5 / n))

    def statistics(self, X: Floats, copies: NDArray[np.bool_]) -> list[Floats]:
        """Return the mean, the largest and the mean of the three largest over columns of rows, (m,) each.

        copies : (m,) rows that are exact copies of a reference row, one of which does not count.
        """
        own = copies.astype(np.int64)
        surprisal = np.empty(X.shape)
        for j, (column, unseen) in enumerate(zip(self._columns, self._unseen, strict=True)):
            n = len(column.values)
            below, upto = column.around(X[:, j])
            same = upto - below - own
            surprisal[:, j] = np.where(same > 0, -np.log(np.maximum(same, 1) / n), unseen)
        return [surprisal.mean(axis=1), *largest(surprisal)]


class Mismatch:
    """Share of columns in which a row differs from the most alike reference rows (n, d)."""

    def __init__(self, reference: Rows) -> None:
        self._rows = reference[:COMPARED]
        values = np.array([len(np.unique(column)) for column in self._rows.T])
        told = np.flatnonzero(values < len(self._rows))
        # Ties are settled by what the columns hold: their order in the table must not matter.
        order = np.lexsort((row_hash(np.ascontiguousarray(self._rows[:, told].T)), values[told]))
        self._columns = told[order[:MOST_COLUMNS]]
        self._values = [np.unique(column) for column in self._rows[:, self._columns].T]
        self._codes = self._coded(self._rows)

    def _coded(self, X: Rows) -> Codes:
        """Return (columns, m) which value of its column each is; as many as there are for one not seen."""
        codes = np.empty((len(self._columns), len(X)), dtype=np.uint16)
        for code, column, values in zip(codes, self._columns, self._values, strict=True):
            place = np.searchsorted(values, X[:, column]).clip(max=len(values) - 1)
            code[:] = np.where(values[place] == X[:, column], place, len(values))
        return codes

    def statistic(self, X: Rows) -> Floats:
        """Return (m,) of rows; one exact copy among the reference rows does not count."""
        told = np.zeros(len(X))
        if not len(self._columns) or len(self._rows) < 2:
            return told
        own = has_copy(X, self._rows)
        nearest = min(ALIKE, len(self._rows) - 1)
        for start in range(0, len(X), _BATCH):
            some = slice(start, start + _BATCH)
            first = np.sort(np.partition(self._away(X[some]), nearest, axis=1)[:, : nearest + 1], axis=1)
            told[some] = np.where(own[some], first[:, 1:].mean(axis=1), first[:, :-1].mean(axis=1))
        return told / len(self._columns)

    def _away(self, X: Rows) -> NDArray[np.uint8]:
        """Return (m, n) in how many columns rows differ from the reference rows."""
        away = np.zeros((len(X), len(self._rows)), dtype=np.uint8)  # `MOST_COLUMNS` fit
        for asked, there in zip(self._coded(X), self._codes, strict=True):
            away += asked[:, None] != there
        return away
