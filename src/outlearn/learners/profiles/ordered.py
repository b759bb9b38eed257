"""Values in order, among which others find their place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ordered"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class Ordered:
    """Values (n,), one at least, none of them NaN, in rising order.

    One search tells both sides of a value, which is most of what tails, ranks and frequencies cost.

    >>> [places.tolist() for places in Ordered(np.array([2.0, 1.0, 2.0, 4.0])).around(np.array([2.0, 3.0]))]
    [[1, 3], [3, 3]]
    """

    def __init__(self, values: Floats) -> None:
        self.values = np.sort(values)
        self._upto = np.searchsorted(self.values, self.values, "right")

    @classmethod
    def columns(cls, X: Floats) -> tuple[Ordered, ...]:
        """Return the columns of X (n, d), each in order."""
        return tuple(cls(column) for column in X.T)

    def around(self, values: Floats) -> tuple[Counts, Counts]:
        """Return how many are below values (m,), and how many are no larger."""
        below = np.searchsorted(self.values, values, "left")
        place = np.minimum(below, len(self.values) - 1)
        return below, np.where(self.values[place] == values, self._upto[place], below)
