"""The unit of meta-learning: a support to adapt on and a query to be judged by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError

__all__ = ["Episode"]


@dataclass(frozen=True, slots=True)
class Episode:
    """One task, whatever its modality.

    support_x : (n, d) float32.
    support_y : (n,) int8; 1 known anomaly, 0 known normal, -1 unlabelled: what a learner may see.
    query_x : (m, d) float32.
    query_y : (m,) int8 in {0, 1}: the truth a learner is judged by.
    support_truth : (n,) int8 in {0, 1}: the truth of the support; never shown to `adapt`.
    origin : where the task came from: prior or data set, family, kinds of anomaly, contamination, seed.

    Raises
    ------
    InputError
        When shapes disagree, a value is not finite or a label is outside its set.
    """

    support_x: NDArray[np.float32]
    support_y: NDArray[np.int8]
    query_x: NDArray[np.float32]
    query_y: NDArray[np.int8]
    support_truth: NDArray[np.int8]
    origin: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, d = self.support_x.shape
        m, e = self.query_x.shape
        if d != e or self.support_y.shape != (n,) or self.query_y.shape != (m,):
            raise InputError(
                f"episode shapes disagree: support {(n, d)} with labels {self.support_y.shape}, "
                f"query {(m, e)} with labels {self.query_y.shape}; wanted (n, d), (n,), (m, d), (m,)"
            )
        if self.support_truth.shape != (n,):
            raise InputError(f"support_truth has shape {self.support_truth.shape}, wanted {(n,)}")
        if not (np.isfinite(self.support_x).all() and np.isfinite(self.query_x).all()):
            raise InputError("an episode holds values that are not finite; encode the rows first")
        if not (np.isin(self.support_y, (-1, 0, 1)).all() and np.isin(self.query_y, (0, 1)).all()):
            raise InputError("support labels must be -1, 0 or 1 and query labels 0 or 1")
