"""From a source to a fitted detector: sample, schema, labels, fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.bus import bus_schema, bus_view, frame_columns, of_bus
from outlearn.data.executables import FILE, of_executables
from outlearn.data.flows import flow_view, holds_flows, of_flows
from outlearn.data.infer import infer_schema
from outlearn.data.labels import parse_labels
from outlearn.data.logs import log_view, of_sessions, session_schema, session_view
from outlearn.data.overrides import ColumnOverride, apply_overrides, read_overrides
from outlearn.data.readers import ReadOptions, Source
from outlearn.data.readers.candump import FRAME_COLUMNS
from outlearn.data.readers.lines import LINE
from outlearn.data.rows import row_hash
from outlearn.data.sample import sample_source
from outlearn.data.schema import Column, Role, Schema
from outlearn.detectors.base import BaseDetector
from outlearn.errors import InputError, LabelError, ReadError
from outlearn.pipeline.rows import Spec, answer_column, chunk_rows, open_rows
from outlearn.pipeline.stages import Stages
from outlearn.pipeline.verdict import VERDICT, written_columns

__all__ = ["AUTO", "LEARNT", "SAMPLE_ROWS", "Learnt", "Reading", "chosen", "learn", "open_table"]

SAMPLE_ROWS = 50_000  # rows that the schema is read from and the support is chosen from
_LISTED = 8
AUTO, LEARNT, COMMITTEE = "auto", "profiles", "committee"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the user says of a table, in any place: the columns' roles, overrides, and how to read text.

    label_column, time_column, ignore : names of columns. schema : path of a TOML file of overrides.
    """

    label_column: str | None = None
    time_column: str | None = None
    ignore: tuple[str, ...] = ()
    schema: str | Path | None = None
    options: ReadOptions | None = None

    def overrides(self) -> dict[str, ColumnOverride]:
        return {} if self.schema is None else read_overrides(self.schema)

    def schema_of(self, frame: pl.DataFrame) -> Schema:
        """Read the schema of some rows."""
        inferred = infer_schema(
            frame, label_column=self.label_column, time_column=self.time_column, ignore=self.ignore
        )
        if of_sessions(inferred.names):
            inferred = session_schema(inferred)
        elif of_bus(inferred.names):
            inferred = bus_schema(inferred)
        return apply_overrides(inferred, self.overrides())


@dataclass(frozen=True, slots=True)
class Learnt:
    """A detector fitted to a sample of a source.

    support_rows : (s,) row numbers, in the source, of the detector's support. total : rows of the source.
    """

    detector: BaseDetector
    support_rows: NDArray[np.int64]
    total: int
    notes: tuple[str, ...]


def open_table(spec: Spec, reading: Reading) -> tuple[Source, Reading]:
    """Open a source and settle the label column, which the file of overrides may name too."""
    label = reading.label_column
    if label is None:
        labelled = (name for name, over in reading.overrides().items() if over.role is Role.LABEL)
        label = next(labelled, None)
    options = reading.options or ReadOptions()
    if label is not None:
        options = replace(options, as_text=(label,))
    source = open_rows(spec, options)
    answer = answer_column(spec)
    ignore = reading.ignore
    if options.kind == "flows" or (options.kind is None and holds_flows(source.columns)):
        if not holds_flows(source.columns):
            raise ReadError(
                f"{source.name}: no flows: wanted columns of a source and a target address, and of a "
                "protocol, bytes, packets or a duration"
            )
        source, aside = flow_view(source, keep=_kept(ignore, label))
        ignore = (*ignore, *(name for name in aside if name not in ignore))
    elif options.kind == "bus":
        source, aside = bus_view(_with_digits(spec, source, options), keep=_kept(ignore, label))
        ignore = (*ignore, *(name for name in aside if name not in ignore))
    elif of_executables(source.columns):
        ignore = (*ignore, *(name for name in (FILE,) if name not in ignore))
    elif options.kind == "logs":
        if LINE not in source.columns:
            raise ReadError(f"{source.name}: no text file; wanted a log of lines")
        source, aside = log_view(source) if options.session is None else session_view(source, options.session)
        ignore = (*ignore, *(name for name in aside if name not in ignore))
    source, aside = _without_our_own(source, label)
    ignore = (*ignore, *(name for name in aside if name not in ignore))
    if answer is not None and answer != label and answer not in ignore and answer in source.columns:
        ignore = (*ignore, answer)
    return source, replace(reading, label_column=label, ignore=ignore, options=options)


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


def _kept(ignore: Sequence[str], label: str | None) -> tuple[str, ...]:
    """Return the columns that a view leaves as they are."""
    return (*ignore, *(() if label is None else (label,)))


def _with_digits(spec: Spec, source: Source, options: ReadOptions) -> Source:
    """Open a table of frames anew, with ids and bytes as text: 0e10 and 0123 are no numbers but digits."""
    if source.columns == FRAME_COLUMNS:
        return source
    there, cells = frame_columns(source.columns)
    digits = [there[name] for name in ("id", "payload") if name in there]
    return open_rows(spec, replace(options, as_text=(*options.as_text, *digits, *cells)))


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
            chunk_rows=chunk_rows(source),
            progress=tick,
        )
    sessions = of_sessions(source.columns)
    if sample.total < 2:
        told = "1 session: is the pattern of what differs from one to the next?" if sessions else "1 row"
        raise InputError(f"{source.name} has {told}; at least 2 are needed to say what is usual")
    with stages.stage("learning"):
        schema = reading.schema_of(sample.frame)
        labels = None
        if reading.label_column is not None:
            labels = parse_labels(sample.frame[reading.label_column], name=reading.label_column)
        if known_normal:
            labels = np.zeros(len(sample.rows), np.int8) if labels is None else np.maximum(labels, 0)
        made = make_detector(
            chosen(detector, source, labels if known_normal else None),
            contamination=contamination,
            false_alarm_rate=false_alarm_rate,
            schema=schema,
            random_state=seed,
        )
        _refuse_one_class(labels, known_normal)
        made.fit(sample.frame, labels)
        encoded, repairs = made.encoder_.encode(sample.frame)
        hashes = row_hash(encoded.values)
        support_rows = _rows_of(row_hash(made.support_), hashes, sample.rows)
    notes = (
        *source.notes,
        *sample.notes,
        *(() if labels is None or known_normal else (_labels_note(labels, reading.label_column),)),
        *_schema_notes(schema),
        *repairs,
    )
    return Learnt(made, support_rows, sample.total, notes)


def chosen(detector: str, source: Source, reference_labels: NDArray[np.int8] | None) -> str:
    """Return the detector that "auto" stands for, or the one that was named.

    That is the in-context learner, but of flows beside a reference of normal ones the committee: on networks
    it was tried on it found more of what nothing was learnt from (docs/security.md).

    Parameters
    ----------
    reference_labels : (n,) labels of a reference whose rows are normal where nothing else is said; None
        where there is none.
    """
    if detector != AUTO:
        return detector
    clean = reference_labels is not None and not (reference_labels == 1).any()
    return COMMITTEE if clean and of_flows(source.columns) else LEARNT


def _refuse_one_class(labels: NDArray[np.int8] | None, known_normal: bool) -> None:
    if labels is not None and len(labels) and (labels == 1).all():
        raise LabelError(
            f"all {len(labels):,} rows are labelled anomalies; wanted normal or unlabelled rows beside them"
        )


def _rows_of(
    wanted: NDArray[np.uint64], hashes: NDArray[np.uint64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the row number of each wanted hash; copies share that of the first."""
    distinct, first = np.unique(hashes, return_index=True)
    place = np.minimum(np.searchsorted(distinct, wanted), len(distinct) - 1)
    return rows[first[place]]


def _labels_note(labels: NDArray[np.int8], column: str | None) -> str:
    anomaly, normal, none = (int((labels == value).sum()) for value in (1, 0, -1))
    return (
        f"labels in column '{column}': anomaly {anomaly:,}, normal {normal:,}, none {none:,} of the rows read"
    )


def _schema_notes(schema: Schema) -> list[str]:
    """Say what was set aside, and what was read in a way that may surprise."""
    aside = [c for c in schema.set_aside if c.role is not Role.IGNORED]
    ignored = [c for c in schema.set_aside if c.role is Role.IGNORED]
    notes = []
    if aside:
        notes.append(f"set aside, for they tell nothing of a row: {_list(aside, kind=True)}")
    if ignored:
        notes.append(f"not shown to the detector: {_list(ignored)}")
    notes += [f"column '{c.name}': {c.note}" for c in schema.used if c.note][:_LISTED]
    return notes


def _list(columns: list[Column], *, kind: bool = False) -> str:
    names = [
        f"'{c.name}' ({c.kind}{f': {c.note}' if c.note else ''})" if kind else f"'{c.name}'" for c in columns
    ]
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
