"""From a source to a fitted detector: sample, schema, labels, fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.answers import ASIDE, suspected_answers, telling_columns, without_answers
from outlearn.data.columns import ConstantEncoder
from outlearn.data.empty import empty_rows
from outlearn.data.encode import Encoder
from outlearn.data.infer import infer_schema
from outlearn.data.joined_times import LOOKED, JoinedTime, joined_times, may_join, with_times
from outlearn.data.kinds.names import SESSIONS, TABLE
from outlearn.data.kinds.registry import kind_for, kind_named
from outlearn.data.named import only, settle_names
from outlearn.data.overrides import (
    ColumnOverride,
    apply_overrides,
    missing_values_of,
    read_missing,
    read_overrides,
)
from outlearn.data.readers import ReadOptions, Source
from outlearn.data.sample import Sample, sample_source
from outlearn.data.schema import Column, Kind, Role, Schema, unknown_column
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.inputs import SettledLabels
from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.pipeline.missing import missing_cautions
from outlearn.pipeline.rows import Spec, answer_column, chunk_rows, open_rows
from outlearn.pipeline.stages import Stages
from outlearn.pipeline.verdict import VERDICT, written_columns

__all__ = [
    "AUTO",
    "LEARNT",
    "SAMPLE_ROWS",
    "Learnt",
    "Reading",
    "answer_cautions",
    "cautions_of",
    "chosen",
    "learn",
    "open_table",
    "read_as_learnt",
    "refuse_labels",
    "telling_cautions",
]

SAMPLE_ROWS = 50_000  # rows that the schema is read from and the support is chosen from
_LISTED = 8
AUTO, LEARNT = "auto", "profiles"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is read, in any place: the roles of columns, overrides, and options of the reader.

    label_column, time_column, ignore : names of columns. schema : path of a TOML file of overrides.
    anomaly_values : labels that mean an anomaly, where the user says so; see `parse_labels`.
    missing_values : values that stand for missing in all columns but that of labels.
    elsewhere : columns that overrides tell of and just the table has that stands beside it.
    """

    label_column: str | None = None
    time_column: str | None = None
    ignore: tuple[str, ...] = ()
    schema: str | Path | None = None
    options: ReadOptions | None = None
    anomaly_values: tuple[str, ...] = ()
    missing_values: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        settle_names(self, "label_column", "time_column", "ignore")

    def overrides(self) -> dict[str, ColumnOverride]:
        """Return what the file of overrides says of the columns of this table."""
        known = {} if self.schema is None else read_overrides(self.schema)
        return {name: override for name, override in known.items() if name not in self.elsewhere}

    def missing_in(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return what stands for missing in each of these columns that has such."""
        of_file = () if self.schema is None else read_missing(self.schema)
        return missing_values_of(names, self.overrides(), (*self.missing_values, *of_file))

    def schema_of(self, frame: pl.DataFrame, source: Source) -> Schema:
        """Read the schema of some rows of a source, as `open_table` opened it; empty ones have no say.

        What looks like the answer is no feature, unless the user says what it is.

        Raises
        ------
        SchemaError
            When a column is not there.
        """
        self._check(source)
        schema = self._inferred(frame, source)
        empty = empty_rows(frame, schema)  # which make a constant look like a value or none
        return schema if not empty.any() or empty.all() else self._inferred(frame.filter(~empty), source)

    def _inferred(self, frame: pl.DataFrame, source: Source) -> Schema:
        inferred = infer_schema(
            frame,
            label_column=self.label_column,
            time_column=self.time_column,
            ignore=self.ignore,
            decimal=source.decimal,
            missing=self.missing_in(frame.columns),
        )
        inferred = inferred.with_columns(
            replace(column, notation=source.notations.get(column.name, column.notation))
            for column in inferred.columns
            if column.kind is Kind.NUMERIC
        )
        corrected = replace(kind_named(source.kind).schema(inferred), kind=source.kind)
        overrides = self.overrides()
        features = without_answers(corrected, frame, tuple(overrides))
        return apply_overrides(features, overrides, frame, decimal=source.decimal, where=source.name)

    def _check(self, source: Source) -> None:
        """Refuse columns that a source does not have."""
        roles = {"the time column": self.time_column, "the label column": self.label_column}
        ignored = [("the columns to ignore", name) for name in self.ignore]
        for what, name in (*ignored, *roles.items()):
            if name is not None and name not in source.columns:
                raise unknown_column(name, source.columns, what=what, where=source.name)

    def beside(self, source: Source, other: Source) -> Reading:
        """Return how a source is read that stands beside another, which may have some columns alone."""
        there = {*source.columns, *other.columns}
        gone = [name for name in self.ignore if name not in there]
        if gone:
            where = " or ".join(dict.fromkeys((source.name, other.name)))
            raise unknown_column(gone[0], source.columns, what="the columns to ignore", where=where)
        own = tuple(name for name in self.ignore if name in source.columns)
        elsewhere = tuple(name for name in self.overrides() if name in there - {*source.columns})
        return replace(self, ignore=own, elsewhere=elsewhere)


@dataclass(frozen=True, slots=True)
class Learnt:
    """A detector fitted to a sample of a source.

    support_rows : (s,) row numbers, in the source, of the detector's support. total : rows of the source.
    repairs : notes on rows and cells that a scan of the same source counts too.
    cautions : what to look at before the notes: doubtful labels, and columns that look like the answer.
    """

    detector: BaseDetector
    support_rows: NDArray[np.int64]
    total: int
    notes: tuple[str, ...]
    cautions: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()


def open_table(spec: Spec, reading: Reading) -> tuple[Source, Reading]:
    """Open a source as the features of its rows, and settle which columns no score may see.

    The label column may be named by the file of overrides too. What the rows are is settled here, once: the
    source that is returned says so. A time that stands in several columns becomes one more column, which is
    the time column where one of these was named as such.
    """
    label = reading.label_column
    if label is None:
        labelled = (name for name, over in reading.overrides().items() if over.role is Role.LABEL)
        label = next(labelled, None)
    if label is None and reading.anomaly_values:
        raise ParameterError(
            "--anomaly-value says what labels mean, and no column of labels was named; give --label-column "
            "too"
        )
    options = reading.options or ReadOptions()
    if label is not None:
        options = replace(options, as_text=(*options.as_text, label))
    keep = reading.ignore if label is None else (*reading.ignore, label)
    source, aside = _seen(spec, options, keep)
    if options.decimals and written_columns(source.columns):
        # What was written beside scores is plain.
        source, aside = _seen(spec, replace(options, decimals=()), keep)
    source, ours = _without_our_own(source, label)
    answer = answer_column(spec)
    if answer is not None and answer in source.columns:
        ours = (*ours, answer)
    source, times = _with_times(source, keep, reading)
    parts = [part for time in times for part in time.parts]
    clock = next((time.name for time in times if reading.time_column in time.parts), reading.time_column)
    more = (name for name in (*aside, *ours, *parts) if name not in keep)
    ignore = (*reading.ignore, *dict.fromkeys(more))
    settled = replace(reading, label_column=label, time_column=clock, ignore=ignore, options=options)
    return source, settled


def read_as_learnt(options: ReadOptions, schema: Schema) -> ReadOptions:
    """Return options by which the columns of a model are read as it learnt to, not as a new file suggests.

    One row of 1.234 could not tell whether it is a thousand. Cells with units and the like stay text, for the
    model to read. Views of flows and other kinds have columns of their own, which are read as they come.
    """
    if schema.kind not in (None, TABLE):
        return options
    known = {column.name: column.notation for column in schema.used if column.notation is not None}
    decimals = {name: notation.decimal for name, notation in known.items() if notation.converted}
    texts = (*options.as_text, *(name for name in known if name not in decimals))
    return replace(options, as_text=tuple(dict.fromkeys(texts)), decimals=tuple(decimals.items()))


def _seen(spec: Spec, options: ReadOptions, keep: Sequence[str]) -> tuple[Source, tuple[str, ...]]:
    """Open a source as the features of its rows; return it with its columns that no score may see."""
    source = open_rows(spec, options)
    kind = kind_for(source, options)
    if source.kind != kind.name:
        texts = kind.text_columns(source.columns)
        if texts:
            source = open_rows(spec, replace(options, as_text=(*options.as_text, *texts)))
        if options.kind is None and kind.made(source.columns):
            note = (
                f"the columns are those in which outlearn writes {kind.many}, so the rows were taken for "
                "such; --kind table takes them for a plain table"
            )
            source = replace(source, notes=(*source.notes, note))
    return kind.view_of(source, keep, options)


def _with_times(
    source: Source, keep: Sequence[str], reading: Reading
) -> tuple[Source, tuple[JoinedTime, ...]]:
    """Return a table with a column for each time that stands in several, and these times.

    Columns that are kept, or that the user gave a role or kind, are read by themselves.
    """
    said = {name for name, over in reading.overrides().items() if over.role is not Role.IGNORED}
    if source.kind != TABLE or not may_join(source.columns):
        return source, ()
    head = next(iter(source.chunks(LOOKED)))
    times = joined_times(head, {*keep, *said})
    if reading.time_column not in source.columns:  # a model knows a time by the name it was given
        times = times or tuple(t for t in joined_times(head, said) if t.name == reading.time_column)
    return (with_times(source, times), times) if times else (source, ())


def _without_our_own(source: Source, label: str | None) -> tuple[Source, tuple[str, ...]]:
    """Return a source that says which of its columns we wrote ourselves, and these columns.

    A score is no feature of the row that it was given to, and a verdict on it none either.
    """
    ours = tuple(name for name in written_columns(source.columns) if name != label)
    if not ours:
        return source, ()
    notes = [f"the table was scored before: {', '.join(map(repr, ours))} are no features of a row"]
    if VERDICT in source.columns and label != VERDICT:
        notes.append(f"'{VERDICT}' says what a row was; to learn from it, name it as the label column")
        ours = (*ours, VERDICT)
    return replace(source, notes=(*source.notes, *notes)), ours


def learn(
    source: Source,
    reading: Reading,
    *,
    detector: str,
    known_normal: bool,
    contamination: float | str,
    false_alarm_rate: float | None,
    seed: int,
    stages: Stages,
) -> Learnt:
    """Fit a detector by name to an open source.

    Parameters
    ----------
    reading : as `open_table` settled it.
    detector : a name; "auto": see `chosen`.
    known_normal : whether every row without a label is known to be normal.
    """
    from outlearn.detectors.registry import make_detector

    with stages.stage("sampling", source.rows) as tick:
        sample = sample_source(
            source,
            SAMPLE_ROWS,
            seed=seed,
            label_column=reading.label_column,
            anomaly_values=reading.anomaly_values,
            chunk_rows=chunk_rows(source),
            progress=tick,
        )
    if sample.total < 2:
        sessions = source.kind == SESSIONS
        extent = "1 session: is the pattern of what differs from one to the next?" if sessions else "1 row"
        raise InputError(f"{source.name} has {extent}; at least 2 are needed to say what is usual")
    with stages.stage("learning"):
        schema = reading.schema_of(sample.frame, source)
        drawn = sample.notes
        sample = sample.filled(schema)
        if not len(sample.rows):
            raise InputError(f"{source.name}: all rows are empty; wanted cells with values in some of them")
        labels = sample.labels
        refuse_labels(sample, known_normal=known_normal)
        if known_normal:
            labels = np.zeros(len(sample.rows), np.int8) if labels is None else np.maximum(labels, 0)
        made = make_detector(
            chosen(detector, source, labels if known_normal else None),
            contamination=contamination,
            false_alarm_rate=false_alarm_rate,
            schema=schema,
            random_state=seed,
        )
        made.fit(sample.frame, None if labels is None else SettledLabels(labels))
        # Rows kept back to calibrate on are new to the encoder: repairs in them are no news of the fit.
        learnt_from = np.setdiff1d(np.arange(len(sample.rows)), made.chosen_.calibration)
        _, said, mended = made.encoder_.repaired(sample.frame[learnt_from])
        repairs = (*said, *made.encoder_.sentences(mended, said=True))
        support_rows = sample.rows[made.chosen_.support]
    notes = (
        *source.notes,
        *drawn,
        *(() if labels is None or known_normal else (_labels_note(labels, reading.label_column),)),
        *_schema_notes(schema, made.encoder_),
    )
    cautions = cautions_of(sample, schema, reading)
    repairs = (*sample.notes[len(drawn) :], *repairs)
    return Learnt(made, support_rows, sample.total, notes, cautions, repairs)


def chosen(detector: str, source: Source, reference_labels: NDArray[np.int8] | None) -> str:
    """Return the detector that "auto" stands for, or the one that was named.

    That is `LEARNT`, but beside a reference of normal rows what is known to do better on rows of their kind.

    Parameters
    ----------
    reference_labels : (n,) labels of a reference whose rows are normal where nothing else is said; None
        where there is none.
    """
    if detector != AUTO:
        return detector
    clean = reference_labels is not None and not (reference_labels == 1).any()
    return (kind_named(source.kind).beside_reference if clean else None) or LEARNT


def refuse_labels(sample: Sample, *, known_normal: bool = False) -> None:
    """Refuse labels that call most rows anomalies and none normal, and values to look for that no row holds.

    known_normal : whether every row without a label is known to be normal; such a table needs no anomaly.

    Raises
    ------
    LabelError
        When that is so.
    """
    labels, labelling = sample.labels, sample.labelling
    if labels is not None and len(labels) and (labels == 1).all():
        raise LabelError(
            f"all {len(labels):,} rows are labelled anomalies; wanted normal or unlabelled rows beside them"
        )
    if labelling is not None and labelling.one_sided:
        raise LabelError(labelling.one_sided)
    if labelling is not None and labelling.absent and not known_normal:
        raise LabelError(labelling.absent)


def cautions_of(sample: Sample, schema: Schema, reading: Reading) -> tuple[str, ...]:
    """Say what is doubtful about labels, which columns look like the answer, and which values like none."""
    labelling, kept = sample.labelling, [column.name for column in schema.used]
    features = only(sample.frame, kept)
    telling = () if sample.labels is None else telling_columns(features, sample.labels)
    return (
        *((labelling.caution,) if labelling is not None and labelling.caution else ()),
        *answer_cautions(schema, suspected_answers(features, tuple(reading.overrides()))),
        *telling_cautions(telling),
        *missing_cautions(sample.frame, schema),
    )


def telling_cautions(columns: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence on the columns that alone tell labelled anomalies from normal rows."""
    if not columns:
        return ()
    return (
        f"{_columns(columns)} alone tells every labelled anomaly from every normal row: if it was filled in "
        f"once that was known, it will not help on new rows; leave it out (--ignore {quote(columns[0])})",
    )


def answer_cautions(schema: Schema, suspected: Sequence[str] = ()) -> tuple[str, ...]:
    """Return a sentence on the columns that look like the answer: set aside, or `suspected` and used."""
    aside = [column.name for column in schema.set_aside if column.note == ASIDE]
    sentences = []
    if aside:
        sentences.append(
            f"{_columns(aside)} looks like the answer, by name and values, and was left out: name it "
            f'as the label column (--label-column {quote(aside[0])}) to learn from it; role = "feature" '
            "in a --schema file makes it a column like any other"
        )
    if suspected:
        sentences.append(
            f"{_columns(suspected)} may be the answer, by name, and rows are judged by it: if it says "
            f"what a row was, name it as the label column (--label-column {quote(suspected[0])}) or leave "
            f"it out (--ignore {quote(suspected[0])})"
        )
    return tuple(sentences)


def _columns(names: Sequence[str]) -> str:
    """Return names as the subject of a sentence, in the singular."""
    listed = ", ".join(map(repr, names[:_LISTED])) + (", …" if len(names) > _LISTED else "")
    return f"{'column' if len(names) == 1 else 'each of the columns'} {listed}"


def _labels_note(labels: NDArray[np.int8], column: str | None) -> str:
    anomaly, normal, none = (int((labels == value).sum()) for value in (1, 0, -1))
    return (
        f"labels in column '{column}': anomaly {anomaly:,}, normal {normal:,}, none {none:,} of the rows read"
    )


def _schema_notes(schema: Schema, encoder: Encoder) -> list[str]:
    """Return notes on columns that were set aside, or read in a way that may surprise."""
    watched = {e.name: e for e in encoder.encoders if isinstance(e, ConstantEncoder)}
    aside = [c for c in schema.set_aside if c.role is not Role.IGNORED and c.name not in watched]
    ignored = [c for c in schema.set_aside if c.role is Role.IGNORED and c.note != ASIDE]
    notes = []
    if watched:
        values = (f"'{name}' ({e.shown})" for name, e in watched.items())
        notes.append(
            f"one value in all rows learnt from, so a row is odd by it only where it differs: {_few(values)}"
        )
    if aside:
        notes.append(f"set aside, for they tell nothing of a row: {_list(aside, kind=True)}")
    if ignored:
        notes.append(f"not shown to the detector: {_list(ignored)}")
    return [*notes, *_readings([c for c in schema.used if c.note])]


def _readings(columns: Sequence[Column]) -> list[str]:
    """Say how columns were read, each in a note; columns beyond eight that were read alike share theirs."""
    notes = [f"column '{c.name}': {c.note}" for c in columns[:_LISTED]]
    alike: dict[str, list[Column]] = {}
    for column in columns[_LISTED:]:
        alike.setdefault(column.note, []).append(column)
    return notes + [f"columns {_list(same)}: {note}" for note, same in alike.items()][:_LISTED]


def _list(columns: list[Column], *, kind: bool = False) -> str:
    return _few(
        f"'{c.name}' ({c.kind}{f': {c.note}' if c.note else ''})" if kind else f"'{c.name}'" for c in columns
    )


def _few(listed: Iterable[str]) -> str:
    names = list(listed)
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
