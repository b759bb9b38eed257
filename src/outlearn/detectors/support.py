"""Which rows a detector compares with, and which are kept back to calibrate it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import canonical_order

__all__ = ["Chosen", "choose_support"]

Positions = NDArray[np.int64]
MAX_CALIBRATION = 10_000
LIMIT = 5000
LIMIT_NORMAL = 8192  # among rows all known to be normal each one shows another place that is usual
HELD_OUT = 0.3  # of the known normals, when a promise needs them and no spare rows exist


@dataclass(frozen=True, slots=True)
class Chosen:
    """Positions of the rows in the support, and of known normal rows kept back (maybe none)."""

    support: Positions
    calibration: Positions


def choose_support(
    X: NDArray[np.float32], y: NDArray[np.int8], *, limit: int | None, hold_out: bool
) -> Chosen:
    """Choose at most `limit` support rows by content, so that the order of rows makes no difference.

    Without a `limit` it is 5,000 rows, and 8,192 where all are known to be normal.

    Labelled anomalies come first (up to a quarter of the limit), then known normals beside unlabelled rows
    (up to a half), then a uniform sample of the rest. Known normals that did not fit are kept for
    calibration; with `hold_out` 30 % of them are kept back even if all would fit, as long as two rows that
    are no known anomalies stay in the support.
    """
    order = canonical_order(X, y)
    anomalies, normals, unlabelled = (order[y[order] == label] for label in (1, 0, -1))
    if limit is None:
        limit = LIMIT_NORMAL if len(normals) == len(y) else LIMIT
    anomalies = anomalies[: max(limit // 4, 1)]
    room = limit - len(anomalies)
    kept_back = 0
    if hold_out:
        spare = max(len(normals) + len(unlabelled) - 2, 0)
        kept_back = min(int(np.ceil(HELD_OUT * len(normals))), MAX_CALIBRATION, spare)
    wanted = len(normals) - kept_back
    share = min(wanted, room if len(unlabelled) == 0 else max(room // 2, room - len(unlabelled)))
    support = np.concatenate([anomalies, normals[:share], unlabelled[: room - share]])
    return Chosen(support, normals[share : share + MAX_CALIBRATION])
