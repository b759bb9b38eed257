"""Distances at a few widths, taken together over widths and channels: what a series is scored by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from outlearn.data.series.series import Series
from outlearn.series.glance import GLANCES, Glance
from outlearn.series.patches import WIDTHS

__all__ = ["LEVEL", "SHARP", "WEIGHTS", "Mixture", "pooled"]

Floats = NDArray[np.float64]
LEADING = (64, 96, 128)  # widths whose distances count; narrower ones and wider ones rank real series worse
LIKENESS = 0.3  # how much likeness to labelled anomalies counts, in the same unit
WEIGHTS = tuple(
    [1 / len(LEADING) if width in LEADING else 0.0 for width in WIDTHS]
    + [0.0] * (len(GLANCES) - len(WIDTHS) - 1)
    + [LIKENESS]
)
"""How much each of `glance.GLANCES` counts."""
SHARP = 5.0  # how far the oddest channel speaks for all: 0 a mean, infinite the highest
LEVEL = 5.0, -5.5  # to log-odds: even at twice the distance that one in a hundred reference windows has


def pooled(odd: Floats) -> Floats:
    """Return (n,) log-odds of points from how odd their channels (n, c) are."""
    together = (logsumexp(SHARP * odd, axis=1) - np.log(odd.shape[1])) / SHARP
    return np.asarray(LEVEL[0] * together + LEVEL[1])


@dataclass(frozen=True, slots=True)
class Mixture:
    """Scores points of series against a reference.

    normal : whether all points of the reference that lie in no case are known to be normal.
    """

    glance: Glance
    normal: bool

    def channels(
        self, series: Series, own: int | None = None, *, causal: bool = False
    ) -> tuple[Floats, Floats]:
        """Return (n,) log-odds that points are anomalous, up to a shift, and (n, c) how odd each channel is.

        own : the reference series that it is, where that may be contaminated: points are then compared with
        the rest of it. causal : whether only what lies before a point counts.
        """
        x = self.glance.basis.standard(series.values)
        points = self.glance.points(x, series.stretches, None if self.normal else own, causal=causal)
        odd = points.astype(np.float64) @ np.array(WEIGHTS)
        return pooled(odd), odd
