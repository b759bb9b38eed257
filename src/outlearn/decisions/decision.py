"""A decision: which rows are flagged, and what is promised about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Decision", "Promise"]


@dataclass(frozen=True, slots=True)
class Promise:
    """What a decision guarantees.

    holds : whether the guarantee can be made here at all.
    text : one sentence for the user, e.g. "at most 1 % of normal rows are flagged, on average, if they come
        from the same source as the reference" or "no false-alarm promise: the support may hold anomalies".
    """

    holds: bool
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a batch of m rows.

    flagged : (m,) bool.
    threshold : the anomaly score (in [0, 1]) from which a row is flagged: flagged = score >= threshold. Only
        a budget may take some of several rows tied there; with a period it is the lowest score flagged in
        any. Rows that are known to be good are not flagged, whatever their score.
    rule : how it was set, e.g. "contamination", "false-alarm rate 0.01", "budget 20",
        "false-discovery rate 0.1".
    p_values : (m,) conformal p-values in (0, 1], or None without held-out reference scores.
    """

    flagged: NDArray[np.bool_]
    threshold: float
    rule: str
    promise: Promise
    p_values: NDArray[np.float64] | None = None
