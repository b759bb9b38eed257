"""How plain the anomalies of a table are, in two cheap views that tend to disagree.

A task in which nothing can be seen teaches nothing, so the sampler draws such tables again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from outlearn.tasks.synthetic.world import SyntheticTable

__all__ = ["VIEWS", "visibility"]

VIEWS = ("neighbours", "marginals")

_REFERENCE, _JUDGED, _NEAREST = 160, 64, 3


def visibility(table: SyntheticTable, view: str) -> float:
    """Return the AUROC of a small detector on at most 64 + 64 rows of a table, 1 for plain anomalies.

    Parameters
    ----------
    view : ``neighbours``, the mean distance to the 3 nearest of 160 normal rows after standardising;
        ``marginals``, the mean over columns of the rarity of the value among them, as in a histogram score.
    """
    judged = min(_JUDGED, max(1, len(table.normals) // 4))
    normals = table.normals[judged : judged + _REFERENCE].astype(np.float64)
    rows = np.concatenate([table.normals[:judged], table.anomalies[:_JUDGED]]).astype(np.float64)
    score = _distance(normals, rows) if view == "neighbours" else _rarity(normals, rows)
    rank = rankdata(score)
    odd = len(rows) - judged
    return float((rank[judged:].sum() - odd * (odd + 1) / 2) / (odd * judged))


def _distance(normals: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = normals.std(axis=0)
    scale[scale == 0] = 1
    a, b = (rows - normals.mean(axis=0)) / scale, (normals - normals.mean(axis=0)) / scale
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
    nearest = np.partition(squared, min(_NEAREST, len(b)) - 1, axis=1)[:, :_NEAREST]
    return np.asarray(np.sqrt(np.maximum(nearest, 0)).mean(axis=1))


def _rarity(normals: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over columns of −log of the share of normal values near a row's.

    Near is within a tenth of the range, the value in its middle.
    """
    total = np.zeros(len(rows))
    for column in range(normals.shape[1]):
        ordered = np.sort(normals[:, column])
        width = 0.05 * (ordered[-1] - ordered[0]) + 1e-12
        near = np.searchsorted(ordered, rows[:, column] + width, "right")
        near -= np.searchsorted(ordered, rows[:, column] - width, "left")
        total -= np.log((near + 0.5) / (len(ordered) + 1))
    return np.asarray(total / normals.shape[1])
