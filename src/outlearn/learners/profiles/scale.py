"""The values that statistics take on a support, which others are told relative to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.learners.profiles.ordered import Ordered

__all__ = ["Scale", "mid_ranks"]

Floats = NDArray[np.float64]
FAR = 0.99  # quantile of the support from which on distance counts beside the rank


class Scale:
    """Tail ranks and deviations of statistics relative to their values (n, F) on a support."""

    def __init__(self, values: Floats) -> None:
        self._own = Ordered.columns(values)
        q25, self._median, q75, far = np.quantile(values, (0.25, 0.5, 0.75, FAR), axis=0)
        self._spread = np.maximum(q75 - q25, 1e-3)
        self._far = _signed_log((far - self._median) / self._spread)

    def relative(self, values: Floats) -> tuple[Floats, Floats]:
        """Return tail ranks and deviations of statistics (m, F)."""
        deviations = self.deviations(values)
        tails = np.empty_like(values)
        for j, own in enumerate(self._own):
            below, upto = own.around(values[:, j])
            tails[:, j] = -np.log1p(-(below + upto) / (2 * len(own.values) + 1))
        # Ranks tell the oddest rows of a support apart, but not how far out they are: that is added on top.
        return tails + np.maximum(deviations - self._far, 0), deviations

    def deviations(self, values: Floats) -> Floats:
        """Return the signed logarithm of robust deviations of statistics (m, F)."""
        return _signed_log((values - self._median) / self._spread)


def mid_ranks(values: Floats) -> Floats:
    """Return mid-ranks in [0, 1] of values (n,)."""
    below, upto = Ordered(values).around(values)
    ranks: Floats = (below + upto) / (2 * len(values))
    return ranks


def _signed_log(values: Floats) -> Floats:
    signed: Floats = np.sign(values) * np.log1p(np.abs(values))
    return signed
