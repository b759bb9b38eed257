"""Points taken together by eight: the tokens that a sequence network reads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.series.point_features import POINT_FEATURES

__all__ = ["STEP", "TOKEN", "tokens"]

STEP = 8  # points a token
TOKEN = 2 * len(POINT_FEATURES) + 2  # numbers of a token


def tokens(points: NDArray[np.float32], known: NDArray[np.bool_], contaminated: bool) -> NDArray[np.float32]:
    """Return (t, c, f) of points (n, c, g): mean and highest of each number, known normal or not, setting.

    The last token is filled up with the last point.
    """
    short = -len(points) % STEP
    padded = np.concatenate([points, np.repeat(points[-1:], short, axis=0)])
    filled = np.concatenate([known, np.repeat(known[-1:], short)])
    n, channels, _ = padded.shape
    grouped = padded.reshape(n // STEP, STEP, channels, -1)  # (t, s, c, g)
    flags = np.empty((n // STEP, channels, 2), dtype=np.float32)
    flags[:, :, 0] = filled.reshape(-1, STEP).mean(axis=1)[:, None]
    flags[:, :, 1] = float(contaminated)
    return np.concatenate([grouped.mean(axis=1), grouped.max(axis=1), flags], axis=2).astype(np.float32)
