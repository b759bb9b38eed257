"""A fitted detector of series, and all stages from a table with a time column to odd ranges."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.dates import moments_of
from outlearn.data.labels import parse_labels
from outlearn.data.readers import ReadOptions
from outlearn.data.schema import unknown_column
from outlearn.data.series.reader import form_of_times
from outlearn.data.series.repair import uneven
from outlearn.decisions.alarms import Segment, alarms
from outlearn.detectors.segments import MERGED
from outlearn.detectors.series import SeriesDetector
from outlearn.detectors.series_scorers import DISTANCES
from outlearn.errors import InputError, OutlearnError, ParameterError
from outlearn.findings.series import Panel, SeriesFindings, panel_of
from outlearn.findings.table import Origin
from outlearn.pipeline.learn import AUTO, Reading, open_table
from outlearn.pipeline.monitor import check_request
from outlearn.pipeline.output import scored_file
from outlearn.pipeline.request import DetectRequest, FitRequest, Outputs
from outlearn.pipeline.rows import Spec, chunks_of
from outlearn.pipeline.stages import Stages
from outlearn.pipeline.verdict import scored_columns
from outlearn.progress import Progress

__all__ = ["SeriesMonitor", "SeriesTable", "detect_series", "holds_series", "labels_of"]

PANELS = 20  # series that the page shows: those with the oddest ranges
PROBED = 5000  # rows that are read to tell a series from a table of dated rows
FEWEST = 100  # rows that a series has at least, where nobody says that it is one


def holds_series(spec: Spec, reading: Reading) -> bool:
    """Tell whether a table with a time column is one series: numbers only, at even steps in time.

    Rows that are dated but come when they please, such as transactions, are a table.
    """
    source, reading = open_table(spec, reading)
    name = reading.time_column
    if name is None or name not in source.columns:
        return False
    head = next(iter(chunks_of(source))).head(PROBED)
    apart = {name, reading.label_column, *reading.ignore}
    rest = [head[column] for column in head.columns if column not in apart]
    if head.height < FEWEST or not rest or not all(cells.dtype.is_numeric() for cells in rest):
        return False
    try:
        moments, _ = moments_of(head[name], form_of_times(head[name], name))
    except OutlearnError:
        return False
    steps = np.diff(moments.drop_nulls().to_physical().to_numpy())
    usual = int(np.median(steps)) if len(steps) else 0
    return usual > 0 and bool((steps >= 0).all()) and not uneven(steps, usual)


@dataclass(frozen=True, slots=True)
class SeriesMonitor:
    """A detector fitted to the series of a table, which finds odd ranges in those of others.

    detector : the fitted estimator. learnt_from : what it was fitted to, with its points.

    >>> import polars as pl
    >>> values = np.sin(np.arange(600) / 5)
    >>> values[400:420] += 4.0
    >>> monitor = SeriesMonitor.of(FitRequest(pl.DataFrame({"v": values})))
    >>> first = monitor.detect(pl.DataFrame({"v": values})).segments[0]
    >>> 380 <= first.peak <= 420
    True
    """

    detector: SeriesDetector
    learnt_from: Origin

    @classmethod
    def of(cls, request: FitRequest, *, progress: Progress | None = None) -> SeriesMonitor:
        """Fit a detector by a request.

        Raises
        ------
        InputError
            When the user can mend it: unreadable rows, no such column, nothing to learn from, …
        """
        stages = Stages(progress)
        made = _unfitted(request)
        with stages.stage("reading"):
            table = SeriesTable.open(request.source, request.reading)
            labels = labels_of(table.frame, request.table.label_column, required=True)
        fitted: SeriesDetector = made.set_params(ignore=table.ignored)
        with stages.stage("learning"):
            fitted.fit(table.frame, np.maximum(labels, 0) if request.known_normal else labels)
        fitted.notes_ = tuple(dict.fromkeys((*table.notes, *fitted.notes_)))
        return cls(fitted, Origin(table.name, table.frame.height))

    @classmethod
    def load(cls, path: str | Path) -> SeriesMonitor:
        """Read a model written by `save`."""
        fitted = SeriesDetector.load(path)
        points = sum(len(each.series) for each in fitted.known_)
        return cls(fitted, Origin(f"what {Path(path).name} learnt from", points))

    def save(self, path: str | Path) -> None:
        """Write the detector to one file, without pickle; the file holds the series that it learnt from."""
        self.detector.save(path)

    def update(self, spec: Spec, label_column: str, *, options: ReadOptions | None = None) -> SeriesMonitor:
        """Return a monitor that has also learnt from the labelled points of a table; without any, itself."""
        table = SeriesTable.open(spec, self.reading(options, label_column))
        labels = labels_of(table.frame, label_column, required=True)
        return self._taught(table, labels)

    def _taught(self, table: SeriesTable, labels: NDArray[np.int8]) -> SeriesMonitor:
        if not (labels >= 0).any():
            return self
        return replace(self, detector=self.detector.update(table.frame, labels))

    def detect(
        self,
        source: Spec,
        *,
        outputs: Outputs | None = None,
        options: ReadOptions | None = None,
        progress: Progress | None = None,
    ) -> SeriesFindings:
        """Find the odd ranges of the series in a table.

        outputs : its rows are ranges here; there are no alerts of series.
        """
        outputs = outputs or Outputs()
        check_request(outputs, source)
        run = _Run.begin(progress)
        with run.stages.stage("reading"):
            table = SeriesTable.open(source, self.reading(options))
        return self._judge(table, outputs, self.learnt_from, run)

    def reading(self, options: ReadOptions | None, label_column: str | None = None) -> Reading:
        """Return how a table is read that the monitor judges."""
        fitted = self.detector
        options = replace(options or ReadOptions(), kind="table")
        return Reading(label_column, fitted.time_column, tuple(fitted.ignore), None, options)

    def _judge(
        self, table: SeriesTable, outputs: Outputs, reference: Origin | None, run: _Run
    ) -> SeriesFindings:
        fitted, frame, notes = self.detector, table.frame, table.notes
        with run.stages.stage("scoring"):
            scores, segments, panels = _scored(fitted, frame)
        with run.stages.stage("explaining"):
            reasons = [each.sentence for each in fitted.explain(frame, segments[: outputs.top])]
        if outputs.out is not None:
            notes = (*notes, *_write(Path(outputs.out), frame, scores, fitted.threshold_))
        return SeriesFindings(
            source=Origin(table.name, frame.height),
            reference=reference,
            points=frame.height,
            series=1 if fitted.series_column is None else frame[fitted.series_column].n_unique(),
            flagged=int((scores >= fitted.threshold_).sum()),
            threshold=float(fitted.threshold_),
            segments=tuple(segments),
            reasons=tuple(reasons),
            panels=tuple(panels),
            promise=fitted.promise_,
            notes=tuple(dict.fromkeys((*notes, *fitted.notes_))),
            seconds=time.perf_counter() - run.begun,
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """Stages of a run, and when it began."""

    stages: Stages
    begun: float

    @classmethod
    def begin(cls, progress: Progress | None) -> _Run:
        return cls(Stages(progress), time.perf_counter())


def detect_series(request: DetectRequest, *, progress: Progress | None = None) -> SeriesFindings:
    """Find the odd ranges of the series in a table.

    They are compared with the reference, with the rows before `reference_until`, or with themselves.

    Raises
    ------
    InputError
        When the user can mend it: unreadable rows, no such column, an output that cannot be written, …
    """
    outputs, label = request.outputs, request.table.label_column
    check_request(outputs, request.source)
    if request.reference is not None and request.reference_until is not None:
        raise ParameterError("reference and reference_until came; give one of them")
    run = _Run.begin(progress)
    made = _unfitted(request)
    with run.stages.stage("reading"):
        table = SeriesTable.open(request.source, request.reading)
        basis = _basis(request, table)
        needed = request.reference is None or label not in basis.frame.columns
        labels = labels_of(table.frame, label, required=needed)
    fitted: SeriesDetector = made.set_params(ignore=table.ignored)
    with run.stages.stage("learning"):
        fitted.fit(basis.frame, labels if basis.labels is None else basis.labels)
        monitor = SeriesMonitor(fitted, basis.origin or Origin(table.name, table.frame.height))
        if basis.origin is not None:
            monitor = monitor._taught(table, labels)
    table = replace(table, notes=(*table.notes, *basis.notes))
    return monitor._judge(table, outputs, basis.origin, run)


@dataclass(frozen=True, slots=True)
class _Basis:
    """What is learnt from. labels : (n,) of known normal points; None: those of the table that is judged.
    origin : None where that table is compared with itself."""

    frame: pl.DataFrame
    labels: NDArray[np.int8] | None = None
    origin: Origin | None = None
    notes: tuple[str, ...] = ()


def _basis(request: DetectRequest, table: SeriesTable) -> _Basis:
    label = request.table.label_column
    if request.reference is not None:
        other = SeriesTable.open(request.reference, request.reading)
        known = np.maximum(labels_of(other.frame, label, required=False), 0)
        return _Basis(other.frame, known, Origin(other.name, other.frame.height), other.notes)
    if request.reference_until is not None:
        past = _before(table.frame, request.table.time_column, request.reference_until)
        basis = table.frame.filter(past)
        known = np.maximum(labels_of(basis, label, required=True), 0)
        return _Basis(basis, known, Origin(f"its rows before {request.reference_until}", basis.height))
    return _Basis(table.frame)


def _unfitted(request: DetectRequest | FitRequest) -> SeriesDetector:
    """Return the detector of series that was asked for; the plain one where none was."""
    table, detector, rule = request.table, request.detector, request.rule
    return SeriesDetector(
        DISTANCES if detector.name == AUTO else detector.name,
        time_column=table.time_column,
        series_column=table.series_column,
        ignore=table.ignore,
        contamination="auto" if rule.contamination is None else rule.contamination,
        false_alarms=rule.false_alarms,
        weights=detector.weights,
        random_state=detector.seed,
    )


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """All rows of a table of series, its name, notes, and the columns that are no channels."""

    frame: pl.DataFrame
    name: str
    notes: tuple[str, ...]
    ignored: list[str]

    @classmethod
    def open(cls, spec: Spec, reading: Reading) -> SeriesTable:
        """Read a table; `reading` is of a plain table, whose numbers are taken as they are."""
        plain = replace(reading.options or ReadOptions(), kind="table")
        source, settled = open_table(spec, replace(reading, options=plain))
        frame = pl.concat(list(chunks_of(source)), how="vertical_relaxed")
        label = settled.label_column
        return cls(frame, source.name, source.notes, [*settled.ignore, *([] if label is None else [label])])


def labels_of(frame: pl.DataFrame, name: str | None, *, required: bool) -> NDArray[np.int8]:
    """Return (n,) labels of rows, -1 where there are none; without the column all, unless it is required."""
    if name is None or (name not in frame.columns and not required):
        return np.full(frame.height, -1, dtype=np.int8)
    if name not in frame.columns:
        raise unknown_column(name, frame.columns, what="the label column")
    return parse_labels(frame[name], name=name)


def _before(frame: pl.DataFrame, time_column: str | None, until: str) -> NDArray[np.bool_]:
    """Return (n,) whether each row lies before a moment."""
    if time_column is None:
        raise ParameterError("reference_until needs a time column; name it")
    if time_column not in frame.columns:
        raise unknown_column(time_column, frame.columns, what="the time column")
    cells = frame[time_column]
    moments, _ = moments_of(cells, form_of_times(cells, time_column))
    text = pl.Series([until])
    try:
        limit = moments_of(text, form_of_times(text, "reference_until"))[0][0]
    except OutlearnError as error:
        raise ParameterError(f"reference_until is {until!r}; wanted a date such as 2026-01-31") from error
    past = (moments < limit).fill_null(False).to_numpy()
    if not past.any():
        raise InputError(
            f"no row lies before {until}; the first is of {moments.drop_nulls().sort()[0]}: give a later one"
        )
    return np.asarray(past)


def _scored(
    detector: SeriesDetector, frame: pl.DataFrame
) -> tuple[NDArray[np.float64], list[Segment], list[Panel]]:
    """Return scores of rows, segments, and what the page shows of the series with the oddest of them."""
    scores = np.zeros(frame.height)
    segments: list[Segment] = []
    panels: list[tuple[float, Panel]] = []
    for found in detector.score_series(frame):
        series = found.series
        scores[series.rows] = found.scores[series.places]
        segments += found.segments
        rows = np.zeros(len(series), dtype=np.int64)
        rows[series.places] = series.rows
        first = [series.names.index(each.channels[0][0]) for each in found.segments]
        panels.append(
            (
                max((each.score for each in found.segments), default=0.0),
                panel_of(
                    series.key,
                    series.names,
                    series.values,
                    found.scores,
                    np.maximum.accumulate(rows),
                    series.times,
                    alarms(found.scores >= detector.threshold_, series.stretches, MERGED),
                    first,
                ),
            )
        )
    panels.sort(key=lambda pair: -pair[0])
    return scores, sorted(segments, key=lambda each: -each.score), [panel for _, panel in panels[:PANELS]]


def _write(path: Path, frame: pl.DataFrame, scores: NDArray[np.float64], threshold: float) -> tuple[str, ...]:
    """Write all rows with their score and flag; returns a note if our columns had to be renamed."""
    names, note = scored_columns(frame.columns)
    with scored_file(path) as write:
        write(
            frame.with_columns(
                pl.Series(names["anomaly_score"], scores),
                pl.Series(names["flagged"], scores >= threshold),
            )
        )
    return (note,) if note else ()
