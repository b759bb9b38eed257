"""Whether rows are alike: as near to a confirmed case as the rows of a table are to their nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from outlearn.errors import InputError
from outlearn.rng import derive

__all__ = ["Alike"]

Floats = NDArray[np.float64]
MOST, ASKED = 5000, 1000  # rows that neighbours are sought among, and that they are sought for
NEAR = 0.9  # share of rows that have a neighbour within the distance up to which rows are alike
FEWEST = 20


@dataclass(frozen=True)
class Alike:
    """Confirmed cases, and how far the rows of a table usually lie from their nearest neighbour.

    Distances are Euclidean between encoded rows, each number by its inverse hyperbolic sine, so that one
    that is far off does not hide all others.

    cases : nearest neighbours of the cases. usual : (q,) ascending.
    """

    cases: NearestNeighbors
    usual: Floats

    @classmethod
    def of(cls, rows: NDArray[np.float32], cases: NDArray[np.float32], seed: int = 0) -> Self:
        """Learn from encoded rows (n, d) of the table and cases (k, d).

        Raises
        ------
        InputError
            When there are fewer than 20 rows.
        """
        if len(rows) < FEWEST:
            raise InputError(
                f"{len(rows)} rows came to hunt in; wanted {FEWEST} or more, for fewer do not tell how near "
                "rows usually lie"
            )
        rng = derive(seed, 0xA11)
        drawn = np.arcsinh(rows[rng.permutation(len(rows))[:MOST]])
        index = NearestNeighbors(n_neighbors=2).fit(drawn)
        # Among themselves rows have themselves as the nearest, and their copies as the next.
        away = index.kneighbors(drawn[:ASKED])[0][:, 1]
        return cls(NearestNeighbors(n_neighbors=1).fit(np.arcsinh(cases)), np.sort(away))

    @property
    def reach(self) -> float:
        """The distance up to which rows are alike."""
        return float(np.quantile(self.usual, NEAR))

    def distances(self, X: NDArray[np.float32]) -> tuple[Floats, NDArray[np.int64]]:
        """Return (n,) distances of encoded rows to the nearest case, and (n,) which that is."""
        away, which = self.cases.kneighbors(np.arcsinh(X))
        return away[:, 0], which[:, 0]

    def share(self, distance: float) -> float:
        """Return the share of rows whose nearest neighbour lies at least as far: 0 is nothing alike."""
        return float((self.usual >= distance).mean())
