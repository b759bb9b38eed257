"""Why rows are odd, for a fitted detector: array explanations put into the words of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances

from outlearn.data.columns.constant import ConstantEncoder
from outlearn.data.columns.dates import moments_of
from outlearn.data.columns.events import events_of
from outlearn.data.columns.moment import MomentEncoder
from outlearn.data.columns.sequence import SequenceEncoder
from outlearn.data.encode import Encoder
from outlearn.explain.contribution import RowContribution, explain_rows
from outlearn.explain.explanation import Contribution, Explanation, LabelEffect
from outlearn.explain.neighbours import usual_rows
from outlearn.explain.text import describe, never_seen, sentence

__all__ = ["Grounds", "explain_matrix", "readable_cells"]

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]

_COUNTED = ("categorical", "boolean")
_LABELS_TRIED, _LABELS_NAMED = 30, 3
_LEAST_EFFECT = 1e-3  # on a raw score: labels that moved it less are not named


@dataclass(frozen=True, slots=True, eq=False)
class Grounds:
    """What a fitted detector judges by, as far as reasons need it.

    encoder : from the columns of the table to those of a matrix.
    support, y, raw, cells : (n, d) encoded rows that others are compared with, (n,) their labels, (n,) their
        raw scores and the raw cells behind them.
    score : raw scores (m,) of encoded rows (m, d). anomaly_score : the same on the scale of 0 to 1.
    label_effects : how much the label of each row (k, d) of the support moved the raw score of each row
        (m, d), (m, k); None where the detector cannot say.
    """

    encoder: Encoder
    support: Rows
    y: NDArray[np.int8]
    raw: Floats
    cells: pl.DataFrame
    score: Callable[[Rows], Floats]
    anomaly_score: Callable[[Rows], Floats]
    label_effects: Callable[[Rows, Rows], Floats] | None = None

    @property
    def calm(self) -> NDArray[np.int64]:
        """Positions of the rows that may be examples of what is usual: known anomalies are none."""
        free = np.flatnonzero(self.y != 1)
        return free if len(free) else np.arange(len(self.support))


def explain_matrix(
    grounds: Grounds, values: Rows, cells: pl.DataFrame, rows: NDArray[np.int64], columns: int
) -> list[Explanation]:
    """Explain encoded rows `values` (r, d) with raw cells `cells`; `rows` (r,) are their positions."""
    encoder, calm = grounds.encoder, grounds.calm
    columns_of: dict[str, list[int]] = {}
    for i, source in enumerate(encoder.sources):
        columns_of.setdefault(source, []).append(i)
    names, groups = list(columns_of), list(columns_of.values())
    support, support_raw = grounds.support[calm], grounds.raw[calm]
    contributions = explain_rows(
        values, score=grounds.score, support=support, support_scores=support_raw, groups=groups
    )
    usual = calm[usual_rows(support, support_raw).positions]
    kinds = {column.name: str(column.kind) for column in encoder.schema.columns}
    # A share is that among all rows compared with: usual rows are few of whatever category is thought odd.
    beside = {name: calm if kind in _COUNTED else usual for name, kind in kinds.items()}
    known, read = readable_cells(encoder, grounds.cells), readable_cells(encoder, cells)

    fixed = {e.name: e for e in encoder.encoders if isinstance(e, ConstantEncoder)}

    def cause(name: str, place: int, near: NDArray[np.int64], drop: float) -> Contribution:
        value = _first_filled(read[name][place], cells[name][place])
        if name in fixed:
            return never_seen(name, value, fixed[name].value, fixed[name].rows, drop)
        usual_cells = known[name][beside[name]].to_list()
        return describe(name, kinds[name], value, usual_cells, known[name][near].to_list(), drop)

    def explanation(place: int, score: float, row: RowContribution) -> Explanation:
        near = calm[row.neighbours]
        causes = tuple(
            cause(names[column], place, near, float(drop))
            for column, drop in zip(row.columns[:columns].tolist(), row.drops[:columns], strict=True)
            if drop > 0
        )
        near_rows = tuple(int(i) for i in near)
        return Explanation(int(rows[place]), score, causes, near_rows, sentence(causes), labels[place])

    scores, labels = grounds.anomaly_score(values), _labels(grounds, values)
    return [
        explanation(i, float(score), row)
        for i, (score, row) in enumerate(zip(scores, contributions, strict=True))
    ]


def _labels(grounds: Grounds, values: Rows) -> list[tuple[LabelEffect, ...]]:
    """Return the labels that moved each row most.

    Anomalies are tried before normal rows, of which a reference holds many, and near ones before far ones.
    """
    y, support = grounds.y, grounds.support
    labelled = np.flatnonzero(y >= 0)
    # Without a known anomaly, normal rows are all the reference there is.
    if grounds.label_effects is None or not len(values) or not (y == 1).any():
        return [()] * len(values)
    spread = support.std(axis=0, dtype=np.float64)
    unit = np.where(spread > 0, spread, 1.0)
    near = pairwise_distances(support[labelled] / unit, values / unit).min(axis=1)
    tried = labelled[np.lexsort((near, y[labelled] == 0))[:_LABELS_TRIED]]
    return [
        tuple(
            LabelEffect(int(tried[i]), int(y[tried[i]]), float(row[i]))
            for i in np.argsort(-np.abs(row), kind="stable")[:_LABELS_NAMED]
            if abs(row[i]) > _LEAST_EFFECT
        )
        for row in grounds.label_effects(values, support[tried])
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
