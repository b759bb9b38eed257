"""Repairs of a channel: missing values, counters that run on, and uneven steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["bridge", "counts_up", "increments", "uneven"]

Floats = NDArray[np.float64]
FEWEST = 30  # values that a counter is recognised by
RISING = 0.5  # share of steps that must go up
RESETS = 0.01  # share of steps that may go down
FALLS_TO = 0.2  # of what it was, at most, after a reset
UNEVEN = 0.1  # of the usual step, from which on a step is another
TOLERATED = 0.05  # share of steps that may be


def bridge(values: Floats) -> Floats:
    """Return values (n,) with missing ones on a line between their neighbours.

    Before the first and after the last known value that value holds. None known: all zero.

    >>> bridge(np.array([np.nan, 1.0, np.nan, 3.0]))
    array([1., 1., 2., 3.])
    """
    missing = ~np.isfinite(values)
    if not missing.any():
        return values
    if missing.all():
        return np.zeros(len(values))
    places = np.arange(len(values))
    return np.asarray(np.interp(places, places[~missing], values[~missing]))


def counts_up(values: Floats) -> bool:
    """Tell whether a channel (n,) is a counter: it goes up again and again, and down only to begin anew.

    >>> counts_up(np.arange(100.0) % 60), counts_up(np.sin(np.arange(100.0)))
    (True, False)
    """
    known = values[np.isfinite(values)]
    if len(known) < FEWEST or known.min() < 0:
        return False
    steps = np.diff(known)
    down = np.flatnonzero(steps < 0)
    if (steps > 0).mean() < RISING or len(down) > max(RESETS * len(steps), 1):
        return False
    return bool((known[down + 1] <= FALLS_TO * known[down]).all())


def increments(values: Floats) -> Floats:
    """Return how much a counter (n,) rose since the point before; what is not known is NaN.

    After a reset that is what it has counted since. The first point has none.

    >>> increments(np.array([5.0, 8.0, 1.0]))
    array([nan,  3.,  1.])
    """
    rose = np.diff(values, prepend=np.nan)
    return np.where(rose < 0, values, rose)


def uneven(steps: NDArray[np.int64], usual: int) -> bool:
    """Tell whether steps, of those that leave out no point, differ from the usual one too often."""
    near = steps[steps < 1.5 * usual]
    return bool(len(near) and (np.abs(near - usual) > UNEVEN * usual).mean() > TOLERATED)
