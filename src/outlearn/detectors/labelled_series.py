"""Series that a detector learnt from, and what is known of their points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.data.series import Series

__all__ = ["Known", "part", "point_labels"]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A series that was learnt from. labels : (n,) of its points, as users give them."""

    series: Series
    labels: NDArray[np.int8]


def point_labels(series: Series, labels: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return (n,) labels of points from those of the rows: of several rows of a point the highest."""
    found = np.full(len(series), -1, dtype=np.int8)
    np.maximum.at(found, series.places, labels[series.rows])
    filled = np.ones(len(series), dtype=bool)
    filled[series.places] = False
    if filled.any():  # a point put in between takes the label of the one before it
        before = np.maximum.accumulate(np.where(filled, 0, np.arange(len(series))))
        found = found[before]
    return found


def part(series: Series, start: int, end: int) -> Series:
    """Return the points of a series from start to end."""
    inside = (series.places >= start) & (series.places < end)
    starts = np.unique(np.clip(series.starts - start, 0, None))
    return Series(
        series.values[start:end],
        series.names,
        starts[starts < max(end - start, 1)],
        series.rows[inside],
        series.places[inside] - start,
        None if series.times is None else series.times[start:end],
        series.key,
    )
