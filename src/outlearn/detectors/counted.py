"""Encoded columns that are counted, not learnt from: marks of values never seen, and of missing cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from outlearn.data.columns import BooleanEncoder, ConstantEncoder, MomentEncoder, NumericEncoder
from outlearn.data.encode import Encoder

__all__ = ["CountedColumns"]

# Share of anomalies that show a value never seen in a column that held one. In benchmarks/studies/encoding it
# was .31 over 11 real tables with 60 known normal rows (of normal rows .030), and .27 over 4 with 300 (.001).
NEVER_SEEN = 0.3
# Share of anomalies that lack a given cell, where no label tells: a cell that a hundredth of the rows lack
# tells nothing then. In benchmarks/studies/missing more costs precision where cells are missing at random,
# and marks that a learner reads cost the most.
LACKING = 0.01
MARKED = (NumericEncoder, BooleanEncoder, MomentEncoder)


@dataclass(frozen=True, slots=True, eq=False)
class CountedColumns:
    """Columns of zeros and ones that no learner reads, each with the log-odds that a one is worth.

    A learner cannot learn from what does not vary, and distances have no scale there; and a mark that nearly
    all rows lack outweighs all else, whatever it marks. How odd it is can be counted instead, as the
    log-odds ``log(share of anomalies that show it / share of normal rows that do)``, never below 0.

    * Columns in which no row of the support differs from the others, known anomalies apart. The share of
      normal rows is estimated as Good and Turing do for what was never seen: by how many of n rows differ
      from all others in some column, ``(alone + ½) / (n + 1)``.
    * Marks of missing cells of numbers, truth values and times: ``(missing + ½) / (n + 1)``. Of several that
      a row lacks the most telling counts: as a rule they are missing together, for one reason.

    The share of anomalies is `NEVER_SEEN` or `LACKING`, to which known anomalies add.

    places : (g,) in the matrix, those of one value first. marks : how many of them are marks of missing
    cells. kept : (l,) places of the columns that a learner reads; None where it reads all. log_odds : (g,),
    at least 0.
    """

    places: NDArray[np.int64]
    marks: int
    kept: NDArray[np.int64] | None
    log_odds: NDArray[np.float64]

    @classmethod
    def of(cls, encoder: Encoder, X: NDArray[np.float32], y: NDArray[np.int8]) -> Self:
        """Return the columns of a support (n, d) with labels (n,), as `encoder` made it."""
        calm = X[y != 1] if (y != 1).any() else X
        fixed = [place for place, one in _blocks(encoder) if isinstance(one, ConstantEncoder)]
        never = np.array([place for place in fixed if not calm[:, place].any()], dtype=np.int64)
        marks = np.array(
            [p for p, one in _blocks(encoder) if getattr(one, "indicator", False)], dtype=np.int64
        )
        places = np.concatenate([never, marks])
        if not len(places):
            return cls(places, 0, None, np.empty(0))
        kept = np.setdiff1d(np.arange(X.shape[1]), places)
        usual = np.concatenate([np.full(len(never), _alone(calm[:, kept])), calm[:, marks].sum(axis=0)])
        known = X[y == 1][:, places]
        shown = np.concatenate([np.full(len(never), NEVER_SEEN), np.full(len(marks), LACKING)])
        of_anomalies = (known.sum(axis=0) + shown) / (len(known) + 1)
        log_odds = np.log(of_anomalies / ((usual + 0.5) / (len(calm) + 1)))
        return cls(places, len(marks), kept, np.maximum(log_odds, 0.0))

    def without(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return rows (m, d) as a learner reads them: (m, l), or (m, 1) zeros where no column is left."""
        if self.kept is None:
            return values
        if not len(self.kept):
            return np.zeros((len(values), 1), dtype=np.float32)
        return values[:, self.kept]

    def surprise(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the log-odds (m,) that rows (m, d) gain."""
        # Column by column, for a row must score alike in any batch.
        gained, most = np.zeros(len(values)), np.zeros(len(values))
        last = len(self.places) - self.marks
        for number, (place, odds) in enumerate(zip(self.places, self.log_odds, strict=True)):
            if number < last:
                gained += odds * values[:, place]
            else:
                np.maximum(most, odds * values[:, place], out=most)
        return gained + most


def _blocks(encoder: Encoder) -> Iterator[tuple[int, object]]:
    """Yield the place of the last encoded column of each encoder whose columns may be counted."""
    end = 0
    for one in encoder.encoders:
        end += len(one.names)
        if isinstance(one, (ConstantEncoder, *MARKED)):
            yield end - 1, one


def _alone(values: NDArray[np.float32]) -> int:
    """Return in how many columns of (n, l) just one row differs from all others, which are equal."""
    if not values.size:
        return 0
    half = (len(values) - 1) // 2
    middle = np.partition(values, half, axis=0)[half]
    return int(((values != middle).sum(axis=0) == 1).sum())
