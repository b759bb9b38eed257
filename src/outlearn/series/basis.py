"""The reference of a series: one or more series that show what is usual, each channel on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from outlearn.data.series.series import Series

__all__ = ["Basis", "Stretches"]

Floats = NDArray[np.float64]
Stretches = list[tuple[int, int]]
STILL = 1e-9  # spread, relative to the size of the values, below which a channel stands still
FARTHEST = 1e6  # spreads that a value may lie away
LARGEST = 1e60  # of a value: sums of its squares still fit in float64


@dataclass(frozen=True, slots=True)
class Basis:
    """Reference series, standardised.

    values : (n, c) of each series. stretches : of each.
    centre, scale : (c,) mean and standard deviation of each channel, over all series.
    """

    values: list[Floats]
    stretches: list[Stretches]
    centre: Floats
    scale: Floats

    @classmethod
    def of(cls, series: Sequence[Series]) -> Self:
        """Return the basis that series with the same channels make."""
        count = sum(len(one) for one in series)
        near = [_near(one.values) for one in series]
        centre = sum((one.sum(axis=0) for one in near), np.zeros(near[0].shape[1])) / count
        square = sum(((one - centre) ** 2).sum(axis=0) for one in near) / count
        spread = np.sqrt(square)
        # What stands still in the reference and then moves is odd, by how far it moves for its size.
        still = spread <= STILL * np.maximum(np.abs(centre), 1.0)
        scale = np.where(still, np.maximum(np.abs(centre), 1.0), spread)
        made = cls([], [], centre, scale)
        return cls(
            [made.standard(one.values) for one in series],
            [one.stretches for one in series],
            centre,
            scale,
        )

    @property
    def channels(self) -> int:
        return len(self.centre)

    def __len__(self) -> int:
        return sum(map(len, self.values))

    def standard(self, values: Floats) -> Floats:
        """Return values (n, c) on the scale of the basis."""
        with np.errstate(over="ignore"):  # what is infinitely many spreads away is clipped too
            return np.clip((_near(values) - self.centre) / self.scale, -FARTHEST, FARTHEST)


def _near(values: Floats) -> Floats:
    return np.clip(values, -LARGEST, LARGEST)
