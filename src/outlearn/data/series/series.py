"""One series: values at equal steps, and the rows of the table that they came from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["Series"]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values of c channels at n points.

    values : (n, c) float64, finite. names : of the channels.
    starts : (s,) where a stretch begins, the first at 0; steps are equal within a stretch, and between two of
        them lies a gap.
    rows : (r,) rows of the table, ascending, that hold points; places : (r,) the point of each.
    times : (n,) datetime64[us] in UTC, or None where rows have an order but no time.
    key : which of several series in a table it is; empty where there is one.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    times: NDArray[np.datetime64] | None = None
    key: str = ""

    @classmethod
    def of_array(cls, values: NDArray[np.float64], names: tuple[str, ...] | None = None) -> Series:
        """Return the series of a finite array (n, c) whose rows are its points, in order.

        >>> Series.of_array(np.zeros((3, 1))).names
        ('x0',)
        """
        rows = np.arange(len(values), dtype=np.int64)
        channels = names if names is not None else tuple(f"x{i}" for i in range(values.shape[1]))
        return cls(values, channels, np.zeros(1, dtype=np.int64), rows, rows)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """Stretches as (start, end), the end not included."""
        return list(pairwise([*self.starts.tolist(), len(self)]))
