"""A decision: which rows are flagged, from which score on, by which rule and with which promise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.decisions.promise import Promise
from outlearn.decisions.rule import OwnRule, Rule

__all__ = ["Decision"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a batch of m rows.

    flagged : (m,) bool.
    threshold : the anomaly score (in [0, 1]) from which a row is flagged: flagged = score >= threshold. Only
        a budget may take some of several rows tied there; with a period it is the lowest score flagged in
        any. Rows that are known to be good are not flagged, whatever their score. NaN where no score decides,
        as in a hunt.
    rule : how it was set; `str` says it in words.
    p_values : (m,) conformal p-values in (0, 1], or None without held-out reference scores.
    """

    flagged: NDArray[np.bool_]
    threshold: float
    rule: Rule | OwnRule
    promise: Promise
    p_values: NDArray[np.float64] | None = None
