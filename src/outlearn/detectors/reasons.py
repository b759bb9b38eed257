"""Why rows are odd, for a fitted detector: array explanations put into the words of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.explain.contribution import RowContribution, explain_rows
from outlearn.explain.explanation import Explanation
from outlearn.explain.neighbours import usual_rows
from outlearn.explain.text import describe, sentence

if TYPE_CHECKING:
    from outlearn.detectors.base import BaseDetector

__all__ = ["explain_matrix"]


def explain_matrix(
    detector: BaseDetector,
    values: NDArray[np.float32],
    cells: pl.DataFrame,
    rows: NDArray[np.int64],
    columns: int,
) -> list[Explanation]:
    """Explain encoded rows `values` (r, d) with raw cells `cells`; `rows` (r,) are their positions."""
    columns_of: dict[str, list[int]] = {}
    for i, source in enumerate(detector.encoder_.sources):
        columns_of.setdefault(source, []).append(i)
    names, groups = list(columns_of), list(columns_of.values())
    raw = detector.scorer_.score
    # Known anomalies are in the support as well, and no example of what is usual.
    calm = np.flatnonzero(detector.support_y_ != 1)
    if len(calm) == 0:
        calm = np.arange(len(detector.support_))
    support, support_raw = detector.support_[calm], detector.support_raw_[calm]
    found = explain_rows(values, score=raw, support=support, support_scores=support_raw, groups=groups)
    usual = calm[usual_rows(support, support_raw).positions]
    kinds = {column.name: str(column.kind) for column in detector.schema_.columns}
    known = detector.support_cells_

    def explanation(place: int, score: float, part: RowContribution) -> Explanation:
        near = calm[part.neighbours]
        contributions = tuple(
            describe(
                names[column],
                kinds[names[column]],
                cells[names[column]][place],
                known[names[column]][usual].to_list(),
                known[names[column]][near].to_list(),
                float(drop),
            )
            for column, drop in zip(part.columns[:columns].tolist(), part.drops[:columns], strict=True)
            if drop > 0
        )
        near_rows = tuple(int(i) for i in near)
        return Explanation(int(rows[place]), score, contributions, near_rows, sentence(contributions))

    scores = detector._score(values)
    return [
        explanation(i, float(score), part) for i, (score, part) in enumerate(zip(scores, found, strict=True))
    ]
