"""Distances at a few widths, taken together: what a series is scored by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.data.series.series import Series
from outlearn.series.patches import WIDTHS
from outlearn.series.point_features import POINT_FEATURES, TOGETHER, PointFeatures

__all__ = ["LEADING", "LEVEL", "LIKENESS", "WEIGHTS", "Mixture", "log_odds"]

Floats = NDArray[np.float64]
# Chosen on a part of the series of the benchmark in docs/series.md ("How good it is").
LEADING = (64, 96, 128)  # widths whose distances count; narrower ones and wider ones rank real series worse
LIKENESS = 0.3  # how much likeness to labelled anomalies counts, in the same unit
LEVEL = 5.0, -5.5  # to log-odds: even at twice the distance that one in a hundred reference windows has


def _weights() -> tuple[float, ...]:
    weights = np.zeros(len(POINT_FEATURES))
    weights[TOGETHER] = [float(width in LEADING) / len(LEADING) for width in WIDTHS]
    weights[-1] = LIKENESS
    return tuple(weights.tolist())


WEIGHTS = _weights()
"""The weight of each of `point_features.POINT_FEATURES`."""


def log_odds(odd: Floats) -> Floats:
    """Return log-odds of points from how odd they are (n,)."""
    return LEVEL[0] * odd + LEVEL[1]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Scores points of series against a reference.

    normal : whether all points of the reference that lie in no case are known to be normal.
    """

    point_features: PointFeatures
    normal: bool

    def channels(
        self, series: Series, own: int | None = None, *, causal: bool = False
    ) -> tuple[Floats, Floats]:
        """Return (n,) log-odds that points are anomalous, up to a shift, and (n, c) how odd each channel is.

        own : the reference series that it is, where that may be contaminated: points are then compared with
        the rest of it. causal : whether only what lies before a point counts.
        """
        x = self.point_features.basis.standard(series.values)
        own = None if self.normal else own
        rare = self.point_features.patches.profile(
            x, series.stretches, own, widths=LEADING, causal=causal
        ).mean(axis=2)
        odd = rare[:, 0].astype(np.float64)
        if self.point_features.cases:
            alike = self.point_features.likeness(x, series.stretches, own, causal=causal)
            odd += LIKENESS * alike.max(axis=1)
        return log_odds(odd), rare[:, 1:].astype(np.float64)
