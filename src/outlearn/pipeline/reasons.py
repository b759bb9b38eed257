"""A reason for every flagged row, however many there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_argmin

from outlearn.data.rows import row_hash
from outlearn.detectors.base import BaseDetector
from outlearn.explain.explanation import Explanation
from outlearn.pipeline.preview import explain_top

__all__ = ["EXPLAINED", "reasons_of"]

EXPLAINED = 256  # rows; an explanation costs up to 57 scores


def reasons_of(
    detector: BaseDetector,
    frame: pl.DataFrame,
    rows: NDArray[np.int64],
    scores: NDArray[np.float64],
    groups: Sequence[object],
    support_rows: NDArray[np.int64] | None,
) -> tuple[tuple[Explanation, ...], NDArray[np.int64]]:
    """Explain up to 256 of the rows; every other row has the reason of the explained one most like it.

    Copies are explained once. The highest score of each group comes first, then the second ones, and so on.

    Parameters
    ----------
    frame : the rows (k, …); rows (k,) are their numbers, scores (k,) their scores.
    groups : (k,) whose rows they are; groups are explained in turn.
    support_rows : as in `explain_top`.

    Returns
    -------
    The explanations (e,), and for each row (k,) which of them is its own.
    """
    if not frame.height:
        return (), np.empty(0, np.int64)
    values = detector.encoder_.transform(frame).values
    # The first of copies is the one with the highest score, so that it stands for them.
    order = np.lexsort((rows, -scores))
    _, first, inverse = np.unique(row_hash(values)[order], return_index=True, return_inverse=True)
    distinct = order[first]
    copies = np.empty(len(rows), np.int64)
    copies[order] = inverse
    chosen = _in_turn(scores, rows, groups, distinct)[:EXPLAINED]
    spread = detector.support_.std(axis=0, dtype=np.float64)
    unit = np.where(spread > 0, spread, 1.0)
    nearest = pairwise_distances_argmin(values[distinct] / unit, values[chosen] / unit)
    nearest[copies[chosen]] = np.arange(len(chosen))  # whatever rounding says, a row is nearest to itself
    explanations = explain_top(detector, frame[chosen], rows[chosen], support_rows)
    return explanations, nearest[copies].astype(np.int64)


def _in_turn(
    scores: NDArray[np.float64], rows: NDArray[np.int64], groups: Sequence[object], among: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the positions `among`, the first of each group before the second of any."""
    order = among[np.lexsort((rows[among], -scores[among]))]
    seen: dict[object, int] = {}
    turn = np.empty(len(order), np.int64)
    for place, position in enumerate(order):
        group = groups[position]
        turn[place] = seen[group] = seen.get(group, -1) + 1
    return np.asarray(order[np.argsort(turn, kind="stable")])
