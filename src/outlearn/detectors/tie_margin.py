"""Room for rounding: a threshold that no row of the support sits on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from outlearn.decisions.calibrate import Calibrator, contamination_estimate

__all__ = ["ROUNDING", "calibrate_ranking", "clear_of"]

ROUNDING = 3e-7  # anomaly scores of a row differ by less from batch to batch


def calibrate_ranking(raw: NDArray[np.float64], contamination: float | str) -> tuple[Calibrator, float]:
    """Return a map to [0, 1] for raw scores that only rank, and the share of anomalies it assumes.

    A row as odd as the threshold that flags that share of the support (n,) becomes .5; "auto" estimates it.
    """
    share = contamination_estimate(raw) if contamination == "auto" else float(contamination)
    fitted = Calibrator.fit(raw, share)
    return replace(fitted, centre=clear_of(fitted.centre, raw, ROUNDING * fitted.scale)), share


def clear_of(threshold: float, scores: NDArray[np.float64], margin: float) -> float:
    """Move a threshold away from the scores (n,) beside it, by `margin` or half of the gap between them.

    The last bits of a score vary with the size of the batch. A threshold taken from a row, or put just above
    one, would flag that row, and all its copies, in one batch and not in another. Which of the scores are at
    least the threshold stays the same.

    >>> clear_of(3.0, np.array([1.0, 2.0, 3.0]), 0.1)
    2.9
    >>> clear_of(1.0, np.array([1.0]), 0.1)
    0.9
    """
    low = float(scores[scores < threshold].max(initial=-np.inf))
    high = float(scores[scores >= threshold].min(initial=np.inf))
    room = min(margin, (high - low) / 2)
    return min(max(threshold, low + room), high - room)
