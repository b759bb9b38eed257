"""Verdicts read back from a scored file: recorded, and learnt from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.cells import numbers_of, text_of
from outlearn.data.labels import LabelTally, label_words
from outlearn.data.named import literal
from outlearn.data.readers import ReadOptions, Source
from outlearn.data.schema import unknown_column
from outlearn.detectors.model_file import file_notes, kind_of
from outlearn.detectors.series import SeriesDetector
from outlearn.errors import LabelError, SchemaError
from outlearn.feedback.identity import row_identities
from outlearn.feedback.store import VerdictStore
from outlearn.feedback.verdict import Answer, Channel, Verdict, current, make_verdict
from outlearn.pipeline.labelled import (
    Effect,
    FeedbackFiles,
    effects_of,
    identities_of,
    learn_answers,
    limits_of_labels,
    open_for,
)
from outlearn.pipeline.learn import Reading
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.rows import Spec, chunks_of
from outlearn.pipeline.series_table import SeriesTable
from outlearn.pipeline.verdict import VERDICT, written_columns
from outlearn.shown import clean

__all__ = ["Labelled", "label_model"]

_ROW = "\0row"
_UNSURE = ("unsure", "undecided", "unknown", "?")
KEPT = "unsure takes nothing back: what the model learnt of a row before stays until it is fitted anew"


@dataclass(frozen=True, slots=True)
class Labelled:
    """The outcome of reading the verdicts of a file.

    anomalies, normals, unsure : rows with such a verdict. added : verdicts that were new to the store.
    skipped : sentences on rows whose verdict was not taken, and why. notes : on the reading and the store.
    effects : how the scores of the rows moved; empty for series.
    """

    anomalies: int
    normals: int
    unsure: int
    added: int
    skipped: tuple[str, ...]
    notes: tuple[str, ...]
    effects: tuple[Effect, ...] = ()


def label_model(
    model: Path,
    scored: Spec,
    out: Path,
    store: VerdictStore,
    *,
    by: str,
    label_column: str = VERDICT,
    anomaly_values: Sequence[str] = (),
    options: ReadOptions | None = None,
) -> Labelled:
    """Add the verdicts of a file to a store, and write a model that has learnt from them as well.

    Parameters
    ----------
    model : of rows or of series. scored : rows with a column of verdicts, such as a file that was written by
        `detect` or `score`. out : where the new model goes, whole or not at all; may be `model`.
    by : who gave the verdicts.
    anomaly_values : verdicts that mean an anomaly, where words of your own stand there; all others mean
        normal then.

    Raises
    ------
    InputError
        When nothing is said of any row, or something cannot be read or written; no model is written then.
    """
    FeedbackFiles.of(model, scored, out, store).check()
    label_column = literal(label_column)
    taking = _Taking(store, by, label_column, model.name, tuple(anomaly_values))
    if kind_of(model) == "series":
        return _label_series(model, scored, out, taking, options)
    monitor = Monitor.load(model)
    source = open_for(monitor, scored, options, label_column)
    used = [column.name for column in monitor.detector.schema_.used]
    _check(label_column, source.columns, used, source.name)
    rows = pl.concat(list(_said(source, label_column)))
    identities = identities_of(rows, monitor.detector.schema_, (label_column, _ROW))
    taken = taking.of(rows, source.name, identities)
    frame = rows[np.searchsorted(rows[_ROW].to_numpy(), taken.rows)]
    updated = learn_answers(monitor, source.name, frame, taken.labels)
    store.append(taken.fresh)
    updated.save(out)
    effects = effects_of(monitor, updated, frame, taken.rows, taken.answers)
    notes = (*monitor.file_notes, *source.notes, *limits_of_labels(monitor.detector))
    return _labelled(taken, notes, effects)


def _label_series(
    model: Path, scored: Spec, out: Path, taking: _Taking, options: ReadOptions | None
) -> Labelled:
    """Do the same for points of series; a range is the points in it."""
    detector, column = SeriesDetector.load(model), taking.column
    reading = Reading(column, detector.time_column, tuple(detector.ignore), None, options)
    table = SeriesTable.open(scored, reading)
    frame = table.frame
    _check(column, frame.columns, detector.reader_.channels, table.name)
    rows = frame.with_row_index(_ROW).filter(_given(frame[column]))
    aside = {*table.ignored, *written_columns(frame.columns), column}
    if detector.time_column is not None:
        aside.add(_ROW)  # a point is known by its time; without one by its place, for values come again
    identities = row_identities(rows, [name for name in rows.columns if name not in aside])
    taken = taking.of(rows, table.name, identities)
    labels = np.full(frame.height, -1, dtype=np.int8)
    labels[list(taken.rows)] = taken.labels
    updated = detector.update(frame, labels) if (labels >= 0).any() else detector
    taking.store.append(taken.fresh)
    updated.save(out)
    return _labelled(taken, (*file_notes(model), *table.notes), ())


@dataclass(frozen=True, slots=True)
class _Taken:
    """Verdicts that hold, those of them that the store lacks, and sentences."""

    held: tuple[Verdict, ...]
    fresh: tuple[Verdict, ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        return tuple(verdict.row for verdict in self.held)

    @property
    def answers(self) -> tuple[Answer, ...]:
        return tuple(verdict.answer for verdict in self.held)

    @property
    def labels(self) -> NDArray[np.int8]:
        """(k,) of the verdicts that hold."""
        return np.array([answer.label for answer in self.answers], dtype=np.int8)


@dataclass(frozen=True, slots=True)
class _Taking:
    """How verdicts are taken from rows: to which store, from whom, in which column, on which model's word.

    anomaly_values : the words that mean an anomaly, where the user says so.
    """

    store: VerdictStore
    by: str
    column: str
    model: str
    anomaly_values: tuple[str, ...] = ()

    def of(self, rows: pl.DataFrame, name: str, identities: Sequence[str]) -> _Taken:
        """Take the verdicts in rows of a source that is called `name`.

        Raises
        ------
        LabelError
            When nothing is said of any row that could be understood.
        """
        tally = LabelTally(self.column, source=name, anomaly_values=self.anomaly_values)
        tally.add(rows[self.column])
        meanings, _ = tally.understood(kinds=False)
        verdicts, skipped = self._verdicts(rows, name, identities, meanings)
        if not verdicts:
            why = "; ".join(skipped[:3]) or "every cell is empty"
            raise LabelError(
                f"no verdict came in column '{self.column}' of {name} ({why}); write anomaly or normal (or 1 "
                "or 0) beside the rows that you know, and leave the others empty"
            )
        recorded = self.store.read()
        fresh, overruled = _new_among(verdicts, recorded.verdicts)
        held = tuple(verdict for verdict in verdicts if verdict.identity not in overruled)
        notes = (*tally.notes(meanings), *recorded.notes)
        return _Taken(held, fresh, (*skipped, *overruled.values()), notes)

    def _verdicts(
        self, rows: pl.DataFrame, name: str, identities: Sequence[str], meanings: Mapping[str, int]
    ) -> tuple[list[Verdict], list[str]]:
        """Return one verdict for each distinct row with one, and sentences on cells that were passed over."""
        cells, words = text_of(rows[self.column]).to_list(), label_words(rows[self.column]).to_list()
        verdicts: dict[str, Verdict] = {}
        skipped = []
        numbers = rows[_ROW].to_list()
        for row, cell, word, score, identity in zip(
            numbers, cells, words, _scores(rows), identities, strict=True
        ):
            answer = _answer_of(word, meanings)
            if answer is None:
                skipped += [] if word in meanings else [f"row {row}: {_no_verdict(cell)}"]
                continue
            before = verdicts.pop(identity, None)
            if before is not None and before.answer is not answer:
                skipped.append(
                    f"row {before.row}: row {row}, which is the same, is called {answer}: that holds"
                )
            verdicts[identity] = make_verdict(
                answer,
                by=self.by,
                source=name,
                row=row,
                identity=identity,
                origin=Channel.FILE,
                score=score,
                model=self.model,
            )
        return sorted(verdicts.values(), key=lambda verdict: verdict.row), skipped


def _labelled(taken: _Taken, notes: Sequence[str], effects: tuple[Effect, ...]) -> Labelled:
    count = taken.answers.count
    return Labelled(
        anomalies=count(Answer.ANOMALY),
        normals=count(Answer.NORMAL),
        unsure=count(Answer.UNSURE),
        added=len(taken.fresh),
        skipped=taken.skipped,
        notes=(*notes, *taken.notes, *((KEPT,) if count(Answer.UNSURE) else ())),
        effects=effects,
    )


def _check(column: str, columns: Sequence[str], features: Sequence[str], where: str) -> None:
    """Refuse a column that holds no verdicts. where : name of the table."""
    if column not in columns:
        raise unknown_column(column, columns, what="the verdicts", where=where)
    if column in features:
        raise SchemaError(
            f"column {column!r} is one that the model judges rows by, so it holds no verdicts; write them "
            "into another and name that by --label-column"
        )


def _said(source: Source, column: str) -> Iterator[pl.DataFrame]:
    """Yield the rows that have a verdict, with their numbers."""
    start = 0
    for chunk in chunks_of(source):
        yield chunk.with_row_index(_ROW, start).filter(_given(chunk[column]))
        start += chunk.height


def _given(cells: pl.Series) -> pl.Series:
    """Return whether each cell holds something."""
    return text_of(cells).is_not_null()


def _scores(rows: pl.DataFrame) -> list[float | None]:
    """Return (n,) the scores that were written beside rows, None where there is none."""
    ours = [name for name in written_columns(rows.columns) if name.endswith("anomaly_score")]
    if not ours:
        return [None] * rows.height
    values = numbers_of(rows[ours[-1]]).values.tolist()
    return [value if np.isfinite(value) else None for value in values]


def _answer_of(word: str, meanings: Mapping[str, int]) -> Answer | None:
    """Return the answer that a word means; None where it means none."""
    label = meanings.get(word, -1)
    if word in _UNSURE:
        return Answer.UNSURE
    return None if label < 0 else Answer.of_label(label)


def _no_verdict(cell: str) -> str:
    return f"{clean(cell)!r} is no verdict; wanted anomaly, normal, unsure or an empty cell"


def _new_among(
    verdicts: Sequence[Verdict], recorded: Sequence[Verdict]
) -> tuple[tuple[Verdict, ...], dict[str, str]]:
    """Return the verdicts that are not on record, and why others hold no more, by identity.

    A file that is read twice says nothing new the second time, also where somebody was of another mind since.
    """
    holds = current(recorded)
    said = {(verdict.identity, verdict.source, verdict.row): verdict.answer for verdict in recorded}
    fresh, overruled = [], {}
    for verdict in verdicts:
        last = holds.get(verdict.identity)
        if last is not None and last.answer is verdict.answer:
            continue
        if said.get((verdict.identity, verdict.source, verdict.row)) is not verdict.answer:
            fresh.append(verdict)
        elif last is not None:
            overruled[verdict.identity] = (
                f"row {verdict.row}: {last.by} called it {last.answer} on {last.when:%Y-%m-%d}, after this "
                "file was read: that holds"
            )
    return tuple(fresh), overruled
