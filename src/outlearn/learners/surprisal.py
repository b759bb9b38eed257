"""How far out a score lies among others, without steps: the tail of their distribution, drawn as a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Heights"]

Floats = NDArray[np.float64]
APART = 0.05  # least distance of two knots, in the distance of the highest score from the middle one


@dataclass(frozen=True, slots=True)
class Heights:
    """Heights of scores among reference scores: -log of the share of these that are as high, in nats.

    The share is told at knots where it halves, by lines between, and beyond the highest score by how far
    beyond. Steps, which a rank has, would let the last bits of a score, which differ with the size of a
    batch, decide.

    Parameters
    ----------
    scores, tails : (k,) the knots, both rising.
    room : the distance of the highest reference score from the middle one.

    >>> heights = Heights.of(np.arange(1.0, 101.0))
    >>> heights(np.array([0.0, 1.0, 51.0, 100.0, 149.0])).round(2).tolist()
    [0.0, 0.0, 0.68, 3.79, 4.61]
    """

    scores: Floats
    tails: Floats
    room: float

    @classmethod
    def of(cls, reference: Floats) -> Heights:
        """Draw the line of reference scores (n,), at least one."""
        ordered = np.sort(reference)
        n = len(ordered)
        middle, top = float(np.median(ordered)), float(ordered[-1])
        room = max(top - middle, 1e-6 * max(abs(top), 1.0))
        counts = np.unique(np.floor(n / 2.0 ** np.arange(int(np.log2(n)) + 1)).astype(np.int64))[::-1]
        knots, step = ordered[n - counts], APART * room * np.arange(len(counts))
        # Each knot lies at least a step beyond the one before.
        knots = np.maximum.accumulate(knots - step) + step
        return cls(knots, -np.log((1 + counts) / (1 + n)), room)

    def __call__(self, scores: Floats) -> Floats:
        """Return the heights of scores (m,)."""
        beyond = np.maximum(scores - self.scores[-1], 0.0) / self.room
        told: Floats = np.interp(scores, self.scores, self.tails) + np.log1p(beyond)
        return told
