"""Why rows are odd, for a fitted detector: array explanations put into the words of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances

from outlearn.data.columns.addresses import WHOLE
from outlearn.data.columns.categorical import CategoricalEncoder
from outlearn.data.columns.dates import moments_of
from outlearn.data.columns.events import events_of
from outlearn.data.columns.moment import MomentEncoder
from outlearn.data.columns.numeric import NumericEncoder
from outlearn.data.columns.sequence import SequenceEncoder
from outlearn.data.encode import Encoder
from outlearn.data.missing import cells_by
from outlearn.detectors.causes import UsualTable
from outlearn.explain.contribution import explain_rows
from outlearn.explain.explanation import Explanation, LabelEffect
from outlearn.explain.text import is_usual, sentence
from outlearn.explain.words import is_missing

__all__ = ["Grounds", "explain_matrix", "readable_cells"]

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]

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
    support, support_raw = grounds.support[calm], grounds.raw[calm]
    table = UsualTable.of(encoder, support, support_raw, readable_cells(encoder, grounds.cells)[calm])
    contributions = explain_rows(
        values, score=grounds.score, support=support, support_scores=support_raw, groups=table.groups
    )
    read = readable_cells(encoder, cells)
    scores, labels = grounds.anomaly_score(values), _labels(grounds, values)
    explanations = []
    for place, why in enumerate(contributions):
        filled = [_first_filled(read[name][place], cells[name][place]) for name in table.names]
        causes = table.causes(why, values[place], filled, columns)
        odd = () if why.excess <= 0 and all(map(is_usual, causes)) else causes
        words = _empty(filled) or sentence(odd, table.unexplained(why))
        near = tuple(int(i) for i in calm[why.neighbours])
        score = float(scores[place])
        explanations.append(Explanation(int(rows[place]), score, causes, near, words, labels[place]))
    return explanations


def _empty(cells: list[Any]) -> str:
    """Say that all cells of a row are missing, where they are."""
    missing = len(cells) > 1 and all(map(is_missing, cells))
    return f"All {len(cells):,} cells that are looked at are missing." if missing else ""


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
    """Return raw cells, but as they are read where they are events, moments, or numbers that people wrote."""
    coded = [
        column.name for column in encoder.schema.columns if column.missing and column.name in cells.columns
    ]
    read: list[pl.Series] = list(cells_by(encoder.schema, cells, coded).values())
    cells = cells.with_columns(read)
    for column in encoder.encoders:
        raw = cells[column.name]
        if isinstance(column, MomentEncoder) and not raw.dtype.is_temporal():
            moments, _ = moments_of(raw, column.form, column.zone)
            cells = cells.with_columns(moments.alias(column.name))
        elif isinstance(column, CategoricalEncoder) and column.level != WHOLE:
            cells = cells.with_columns(column.readable(raw).alias(column.name))
        elif isinstance(column, NumericEncoder) and (column.notation is not None or raw.dtype == pl.String):
            cells = cells.with_columns(column.readable(raw))
        elif isinstance(column, SequenceEncoder):
            cells = cells.with_columns(events_of(raw).alias(column.name))
    return cells
