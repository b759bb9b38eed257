"""Whether rows are alike: as near to a confirmed case as rows of a table lie to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from outlearn.errors import InputError
from outlearn.rng import derive

__all__ = ["SAME", "Alike", "Likeness"]

Floats = NDArray[np.float64]
SEARCHED, ASKED = 5000, 1000  # rows that neighbours are sought among, and that they are sought for
NEAR = 0.9  # share of rows that have a neighbour within the distance up to which rows are alike
NEAREST = 3  # neighbours of a row, farther from it than which a case does not lie
FEWEST_ROWS = 20
SAME = 1e-4  # distance below which rows are copies: rounding leaves a little


@dataclass(frozen=True, slots=True)
class Likeness:
    """How rows lie to cases: (n,) distances to the nearest, which that is, and whether they are alike."""

    away: Floats
    which: NDArray[np.int64]
    alike: NDArray[np.bool_]


@dataclass(frozen=True)
class Alike:
    """Confirmed cases, and how far the rows of a table lie from one another.

    A row is alike where a case is as near to it as nine in ten rows have a neighbour, or nearer than its own
    third neighbour: rows of a rare kind lie far apart. Distances are Euclidean between encoded rows, each
    number by its inverse hyperbolic sine, so that one that is far off does not hide all others.

    cases : neighbours among the cases. rows : among rows of the table. usual : (q,) ascending distances of
    rows to their nearest.
    """

    cases: NearestNeighbors
    rows: NearestNeighbors
    usual: Floats

    @classmethod
    def of(cls, rows: NDArray[np.float32], cases: NDArray[np.float32], seed: int = 0) -> Self:
        """Learn from encoded rows (n, d) of the table and cases (k, d).

        Raises
        ------
        InputError
            When there are fewer than 20 rows.
        """
        if len(rows) < FEWEST_ROWS:
            raise InputError(
                f"{len(rows)} rows came to hunt in; wanted {FEWEST_ROWS} or more, for fewer do not tell how "
                "near rows usually lie"
            )
        rng = derive(seed, 0xA11)
        drawn = np.arcsinh(rows[rng.permutation(len(rows))[:SEARCHED]])
        index = NearestNeighbors(n_neighbors=NEAREST + 1).fit(drawn)
        # Among themselves rows have themselves as the nearest, and their copies as the next.
        usual = index.kneighbors(drawn[:ASKED])[0][:, 1]
        return cls(NearestNeighbors(n_neighbors=1).fit(np.arcsinh(cases)), index, np.sort(usual))

    @property
    def reach(self) -> float:
        """The distance within which nine in ten rows have a neighbour."""
        return float(np.quantile(self.usual, NEAR))

    def of_rows(self, X: NDArray[np.float32]) -> Likeness:
        """Return how encoded rows (n, d) lie to the cases."""
        bent = np.arcsinh(X)
        near, which = self.cases.kneighbors(bent)
        away = near[:, 0]
        around = self.rows.kneighbors(bent)[0]
        # A row that is among those drawn, or a copy of one, does not count as its own neighbour.
        own = np.where(around[:, 0] < SAME, around[:, NEAREST], around[:, NEAREST - 1])
        return Likeness(away, which[:, 0], (away <= self.reach) | (away < own))

    def share(self, distance: float) -> float:
        """Return the share of rows whose nearest neighbour lies at least as far."""
        return float((self.usual >= distance).mean())
