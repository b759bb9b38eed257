"""The usual rows, and which of them are nearest to an odd one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError
from outlearn.rng import generator

__all__ = ["Usual", "nearest_usual", "usual_rows"]

MOST_CELLS = 20_000_000  # of the usual rows that are kept
MOST_ROWS = 10_000  # usual rows that are kept


@dataclass(frozen=True, slots=True)
class Usual:
    """Rows of the support that are not odd, in a fixed shuffled order.

    values : (u, d) float32.
    positions : (u,) int64, where they stand in the support.
    low, high : (d,) float32, their least and largest value in each column.
    scale : (d,) float32, the width of the middle 80 % of a column, or its range where that is zero, or 1.
    """

    values: NDArray[np.float32]
    positions: NDArray[np.int64]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    scale: NDArray[np.float32]

    def scaled(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return rows (r, d) drawn into the usual range and scaled.

        Drawing them in keeps one column that is off by far from hiding what the others have in common.
        """
        return cast("NDArray[np.float32]", np.clip(rows, self.low, self.high) / self.scale)


def usual_rows(
    support: NDArray[np.float32], support_scores: NDArray[np.float64], *, share: float = 0.8
) -> Usual:
    """Return the `share` of the support (n, d) with the lowest scores (n,).

    At most 10,000 rows and 20 million cells are kept, a fixed random sample, so that memory is bounded.

    Raises
    ------
    InputError
        When the support is empty or shapes disagree.

    >>> support = np.array([[0.0], [1.0], [2.0], [3.0], [99.0]], dtype=np.float32)
    >>> sorted(usual_rows(support, np.array([0.1, 0.0, 0.0, 0.1, 0.9])).positions.tolist())
    [0, 1, 2, 3]
    """
    if support.ndim != 2 or len(support) == 0 or support_scores.shape != (len(support),):
        raise InputError(
            f"support has shape {support.shape} and its scores {support_scores.shape}; wanted (n, d) and "
            "(n,) with n >= 1"
        )
    cut = np.quantile(support_scores, share, method="inverted_cdf")
    kept = np.flatnonzero(support_scores <= cut)
    most = min(MOST_ROWS, max(MOST_CELLS // max(support.shape[1], 1), 1))
    # Shuffled, so that rows at equal distance are taken at random and not as the file is sorted; always
    # alike.
    positions = generator(0).permutation(kept)[:most]
    values = support[positions].astype(np.float32)  # (u, d)
    low, tenth, ninetieth, high = np.quantile(values, (0.0, 0.1, 0.9, 1.0), axis=0).astype(np.float32)
    scale = np.where(ninetieth > tenth, ninetieth - tenth, high - low)
    scale[scale <= 0] = 1.0
    return Usual(values, positions.astype(np.int64), low, high, scale)


def nearest_usual(rows: NDArray[np.float32], usual: Usual, k: int = 10) -> NDArray[np.int64]:
    """Return (r, min(k, u)) positions in the support of the usual rows nearest to rows (r, d), in order.

    >>> usual = usual_rows(np.arange(9.0, dtype=np.float32)[:, None], np.zeros(9))
    >>> nearest_usual(np.array([[2.2]], dtype=np.float32), usual, k=2)
    array([[2, 3]])
    """
    scaled = usual.scaled(usual.values)  # (u, d)
    k = min(k, len(scaled))
    nearest = np.empty((len(rows), k), dtype=np.int64)
    # Row by row: a row's neighbours cannot depend on the batch, and memory stays that of the usual rows.
    for i, row in enumerate(usual.scaled(rows)):
        distances = ((scaled - row) ** 2).sum(axis=1)  # (u,)
        closest = np.argpartition(distances, k - 1)[:k]
        nearest[i] = closest[np.argsort(distances[closest], kind="stable")]
    return usual.positions[nearest]
