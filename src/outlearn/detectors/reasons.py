"""Why rows are odd, for a fitted detector: array explanations put into the words of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances

from outlearn.data.columns.dates import moments_of
from outlearn.data.columns.events import events_of
from outlearn.data.columns.moment import MomentEncoder
from outlearn.data.columns.sequence import SequenceEncoder
from outlearn.data.encode import Encoder
from outlearn.explain.contribution import RowContribution, explain_rows
from outlearn.explain.explanation import Explanation, LabelEffect
from outlearn.explain.neighbours import usual_rows
from outlearn.explain.text import describe, sentence

if TYPE_CHECKING:
    from outlearn.detectors.base import BaseDetector

__all__ = ["explain_matrix", "readable_cells"]

_COUNTED = ("categorical", "boolean")
_LABELS_TRIED, _LABELS_TOLD = 30, 3
_NOTHING = 1e-3  # of a raw score: what moved it less is not told


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
    # A share is that among all rows compared with: usual rows are few of whatever category is thought odd.
    beside = {name: calm if kind in _COUNTED else usual for name, kind in kinds.items()}
    encoder = detector.encoder_
    known, read = readable_cells(encoder, detector.support_cells_), readable_cells(encoder, cells)

    def explanation(place: int, score: float, part: RowContribution) -> Explanation:
        near = calm[part.neighbours]
        contributions = tuple(
            describe(
                names[column],
                kinds[names[column]],
                _first_filled(read[names[column]][place], cells[names[column]][place]),
                known[names[column]][beside[names[column]]].to_list(),
                known[names[column]][near].to_list(),
                float(drop),
            )
            for column, drop in zip(part.columns[:columns].tolist(), part.drops[:columns], strict=True)
            if drop > 0
        )
        near_rows = tuple(int(i) for i in near)
        words = sentence(contributions)
        return Explanation(int(rows[place]), score, contributions, near_rows, words, labels[place])

    scores, labels = detector.score_encoded(values), _labels(detector, values)
    return [
        explanation(i, float(score), part) for i, (score, part) in enumerate(zip(scores, found, strict=True))
    ]


def _labels(detector: BaseDetector, values: NDArray[np.float32]) -> list[tuple[LabelEffect, ...]]:
    """Return the labels that moved each row most.

    Anomalies are tried before normal rows, of which a reference holds many, and near ones before far ones.
    """
    y, support = detector.support_y_, detector.support_
    labelled = np.flatnonzero(y >= 0)
    # Without a known anomaly, normal rows are all the reference there is.
    if not len(values) or not (y == 1).any():
        return [()] * len(values)
    spread = support.std(axis=0, dtype=np.float64)
    unit = np.where(spread > 0, spread, 1.0)
    near = pairwise_distances(support[labelled] / unit, values / unit).min(axis=1)
    tried = labelled[np.lexsort((near, y[labelled] == 0))[:_LABELS_TRIED]]
    effects = detector._label_effects(values, tried)
    if effects is None:
        return [()] * len(values)
    return [
        tuple(
            LabelEffect(int(tried[i]), int(y[tried[i]]), float(row[i]))
            for i in np.argsort(-np.abs(row), kind="stable")[:_LABELS_TOLD]
            if abs(row[i]) > _NOTHING
        )
        for row in effects
    ]


def _first_filled(read: Any, raw: Any) -> Any:
    """Return a cell as it was read, or as it stands where that gave nothing."""
    return raw if read is None else read


def readable_cells(encoder: Encoder, cells: pl.DataFrame) -> pl.DataFrame:
    """Return raw cells, but moments where the encoder reads such from text or counts, and events as text."""
    for column in encoder.encoders:
        raw = cells[column.name]
        if isinstance(column, MomentEncoder) and not raw.dtype.is_temporal():
            moments, _ = moments_of(raw, column.form, column.zone)
            cells = cells.with_columns(moments.alias(column.name))
        elif isinstance(column, SequenceEncoder):
            cells = cells.with_columns(events_of(raw).alias(column.name))
    return cells
