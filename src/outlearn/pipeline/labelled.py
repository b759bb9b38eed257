"""Rows that people gave verdicts on: opened for a model, named for good, learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.readers import ReadOptions, Source
from outlearn.data.schema import Role, Schema
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.classical_detector import ClassicalDetector
from outlearn.detectors.pool import POOL
from outlearn.errors import ReadError
from outlearn.feedback.identity import row_identities
from outlearn.feedback.store import VerdictFile, VerdictStore
from outlearn.feedback.verdict import Answer
from outlearn.paths import READ, RENEWAL, RENEWED, WRITTEN, check_apart, named_paths, use
from outlearn.pipeline.learn import Reading, open_table
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.rows import Spec
from outlearn.pipeline.verdict import VERDICT, written_columns

__all__ = [
    "Effect",
    "FeedbackFiles",
    "effects_of",
    "identities_of",
    "learn_answers",
    "limits_of_labels",
    "open_for",
]

_LABEL = "\0label"


@dataclass(frozen=True, slots=True)
class Effect:
    """How learning moved a row. before, after : its anomaly scores by the old and the new model."""

    row: int
    answer: Answer
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class FeedbackFiles:
    """The files of feedback: a model and a table, the new model, and verdicts, which are added to."""

    model: str | Path = field(metadata=use(RENEWED))
    table: Spec = field(metadata=use(READ))
    out: str | Path = field(metadata=use(RENEWAL))
    verdicts: str | Path | None = field(metadata=use(WRITTEN))

    @classmethod
    def of(cls, model: str | Path, table: Spec, out: str | Path, store: VerdictStore) -> FeedbackFiles:
        """Return the files; of a store that is none there is no path."""
        return cls(model, table, out, store.path if isinstance(store, VerdictFile) else None)

    def check(self) -> None:
        """Refuse to write over what is needed; the new model may take the place of the old one.

        Raises
        ------
        OutputError
            With the names of both.
        """
        check_apart(named_paths(self))


def open_for(
    monitor: Monitor, spec: Spec, options: ReadOptions | None, label_column: str | None = None
) -> Source:
    """Open rows as the model reads them: a scored table as it stands, with the features written in it.

    Raises
    ------
    ReadError
        When there is nothing to read.
    """
    plain = replace(options or ReadOptions(), kind="table", session=None)
    used = {column.name for column in monitor.detector.schema_.used}
    try:
        source, _ = open_table(spec, Reading(label_column, options=plain))
        if used <= set(source.columns):
            return source
    except ReadError:  # a log, say, is no table; what is wrong with others is said below
        pass
    reading = monitor.reading(options)
    return open_table(spec, replace(reading, label_column=label_column or reading.label_column))[0]


def identities_of(frame: pl.DataFrame, schema: Schema, without: Sequence[str] = ()) -> list[str]:
    """Return (n,) the identities of rows by the columns that the model knows.

    Labels, columns that we wrote and what an analyst added have no say; nor has what `without` names.
    """
    labels = {column.name for column in schema.columns if column.role is Role.LABEL}
    aside = {*written_columns(frame.columns), *labels, VERDICT, *without}
    known = [name for name in frame.columns if name in schema.names and name not in aside]
    return row_identities(frame, known)


def learn_answers(monitor: Monitor, name: str, frame: pl.DataFrame, labels: NDArray[np.int8]) -> Monitor:
    """Return a monitor that has also learnt from rows (n, …) and their labels (n,); without any, the same.

    name : what the rows are of, in words.
    """
    if not (labels >= 0).any():
        return monitor
    # What is not said is left out: 1 and -1 without 0 could be taken for labels of scikit-learn.
    rows = frame.with_columns(pl.Series(_LABEL, labels)).filter(labels >= 0)
    return monitor.update(Source(name, tuple(rows.columns), rows.iter_slices, rows=rows.height), _LABEL)


def limits_of_labels(detector: BaseDetector) -> tuple[str, ...]:
    """Say where verdicts are of little use to a detector."""
    if not isinstance(detector, ClassicalDetector) or POOL[detector.algorithm].needs_labels:
        return ()
    return (
        f"{detector.algorithm} makes little of verdicts: it leaves known anomalies out of the rows it "
        "compares with, and no more; the default, `fit --detector profiles`, learns from both kinds",
    )


def effects_of(
    before: Monitor, after: Monitor, frame: pl.DataFrame, rows: Sequence[int], answers: Sequence[Answer]
) -> tuple[Effect, ...]:
    """Return how learning moved the scores of rows (n, …), by their numbers and answers."""
    if not frame.height:
        return ()
    scores = (monitor.detector.anomaly_score(frame).tolist() for monitor in (before, after))
    return tuple(Effect(*values) for values in zip(rows, answers, *scores, strict=True))
