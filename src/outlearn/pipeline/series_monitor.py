"""A fitted detector of series, and all stages from a table with a time column to odd ranges."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.readers import ReadOptions
from outlearn.decisions.alarms import Segment, alarms
from outlearn.detectors.inputs import SettledLabels
from outlearn.detectors.model_file import file_notes
from outlearn.detectors.segments import MERGED
from outlearn.detectors.series import SeriesDetector
from outlearn.detectors.series_reasons import SegmentExplanation
from outlearn.detectors.series_scorers import DISTANCES
from outlearn.errors import InputError, ParameterError
from outlearn.findings.series import Panel, SeriesFindings, panel_of
from outlearn.findings.table import Origin
from outlearn.paths import check_saved
from outlearn.pipeline.checks import check_request
from outlearn.pipeline.learn import AUTO, Reading
from outlearn.pipeline.output import scored_file
from outlearn.pipeline.request import DetectRequest, FitRequest, Outputs
from outlearn.pipeline.rows import Spec
from outlearn.pipeline.series_table import SeriesTable, rows_before
from outlearn.pipeline.stages import Stages
from outlearn.pipeline.verdict import scored_columns
from outlearn.progress import Progress

__all__ = ["SeriesMonitor", "detect_series"]

MOST_PANELS = 20  # series that the page shows: those with the oddest ranges
NAMED_RANGES = 5  # that an error names


@dataclass(frozen=True, slots=True)
class SeriesMonitor:
    """A detector fitted to the series of a table, which finds odd ranges in those of others.

    detector : the fitted estimator. learnt_from : what it was fitted to, with its points.
    file_notes : sentences on the file that it was read from, which go into no other.

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
    file_notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: FitRequest, *, progress: Progress | None = None) -> SeriesMonitor:
        """Fit a detector by a request.

        Raises
        ------
        InputError
            When the user can mend it: unreadable rows, no such column, nothing to learn from, …
        """
        if request.table.missing_values:
            raise ParameterError(
                "values for missing came with a table of series, whose model would not keep them; set these "
                "cells to empty in the tables that are learnt from and scored"
            )
        stages = Stages(progress)
        made = _unfitted(request)
        with stages.stage("reading"):
            table = SeriesTable.open(request.source, request.reading)
            _check_columns(request, table)
            labels = table.labels(request.table.label_column, required=True)
        fitted: SeriesDetector = made.set_params(ignore=table.ignored, time_column=table.time_column)
        with stages.stage("learning"):
            y = np.maximum(labels.values, 0) if request.known_normal else labels.values
            fitted.fit(table.frame, SettledLabels(y))
        fitted.notes_ = tuple(dict.fromkeys((*labels.notes, *table.notes, *fitted.notes_)))
        return cls(fitted, Origin(table.name, table.frame.height))

    @classmethod
    def load(cls, path: str | Path) -> SeriesMonitor:
        """Read a model written by `save`."""
        fitted = SeriesDetector.load(path)
        points = sum(len(labelled.series) for labelled in fitted.known_)
        origin = Origin(f"what {Path(path).name} learnt from", points)
        return cls(fitted, origin, file_notes(Path(path)))

    def save(self, path: str | Path) -> None:
        """Write the detector to one file, without pickle; the file holds the series that it learnt from."""
        check_saved(self.learnt_from.name, path)
        self.detector.save(path)

    def update(self, spec: Spec, label_column: str, *, options: ReadOptions | None = None) -> SeriesMonitor:
        """Return a monitor that has also learnt from the labelled points of a table; without any, itself."""
        table = SeriesTable.open(spec, self.reading(options, label_column))
        return self._taught(table, table.labels(label_column, required=True).values)

    def _taught(self, table: SeriesTable, labels: NDArray[np.int8]) -> SeriesMonitor:
        if not (labels >= 0).any():
            return self
        return replace(self, detector=self.detector.update(table.frame, labels))

    def explain(self, source: Spec, row: int, *, options: ReadOptions | None = None) -> SegmentExplanation:
        """Say why the flagged range is odd that a row, counted from 0, lies in.

        Raises
        ------
        InputError
            When the row lies in none.
        """
        frame = SeriesTable.open(source, self.reading(options)).frame
        segments = self.detector.segments(frame)
        inside = [segment for segment in segments if segment.start <= row <= segment.end]
        if not inside:
            ranges = ", ".join(f"{segment.start} to {segment.end}" for segment in segments[:NAMED_RANGES])
            there = f"those flagged are rows {ranges}" if segments else "no range is flagged"
            raise InputError(f"row {row} lies in no flagged range; {there}")
        return self.detector.explain(frame, inside)[0]

    def detect(
        self,
        source: Spec,
        *,
        top: int = 20,
        out: str | Path | None = None,
        options: ReadOptions | None = None,
        progress: Progress | None = None,
    ) -> SeriesFindings:
        """Find the odd ranges of the series in a table.

        top : how many ranges are explained. out : file for all rows with what was found beside them.
        """
        return self.score(source, Outputs(top, out), options=options, progress=progress)

    def score(
        self,
        source: Spec,
        outputs: Outputs,
        *,
        options: ReadOptions | None = None,
        progress: Progress | None = None,
    ) -> SeriesFindings:
        """Score the series of a table as `detect` does, with the outputs as one value, without alerts."""
        check_request(DetectRequest(source, outputs=outputs))
        run = _Run.begin(progress)
        with run.stages.stage("reading"):
            table = SeriesTable.open(source, self.reading(options))
            for name in self.detector.reader_.channels:
                table.check(name, "a column that was learnt from")
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
            reasons = [why.sentence for why in fitted.explain(frame, segments[: outputs.top])]
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
            notes=tuple(dict.fromkeys((*self.file_notes, *notes, *fitted.notes_))),
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
    check_request(request)
    if request.reference is not None and request.reference_until is not None:
        raise ParameterError("reference and reference_until came; give one of them")
    run = _Run.begin(progress)
    made = _unfitted(request)
    with run.stages.stage("reading"):
        table = SeriesTable.open(request.source, request.reading)
        basis = _basis(request, table)
        needed = request.reference is None or label not in basis.frame.columns
        labels = table.labels(label, required=needed)
    fitted: SeriesDetector = made.set_params(ignore=table.ignored, time_column=table.time_column)
    with run.stages.stage("learning"):
        fitted.fit(basis.frame, SettledLabels(labels.values if basis.labels is None else basis.labels))
        monitor = SeriesMonitor(fitted, basis.origin or Origin(table.name, table.frame.height))
        if basis.origin is not None:
            monitor = monitor._taught(table, labels.values)
    table = replace(table, notes=(*labels.notes, *table.notes, *basis.notes))
    return monitor._judge(table, outputs, basis.origin, run)


@dataclass(frozen=True, slots=True)
class _Basis:
    """Points to learn from. labels : (n,) of known normal points; None: those of the table that is judged.
    origin : None where that table is compared with itself."""

    frame: pl.DataFrame
    labels: NDArray[np.int8] | None = None
    origin: Origin | None = None
    notes: tuple[str, ...] = ()


def _basis(request: DetectRequest, table: SeriesTable) -> _Basis:
    label = request.table.label_column
    if request.reference is not None:
        other = SeriesTable.open(request.reference, request.reading)
        _check_columns(request, other, table)
        _check_columns(request, table, other)
        labels = other.labels(label, required=False)
        origin, notes = Origin(other.name, other.frame.height), (*labels.notes, *other.notes)
        return _Basis(other.frame, np.maximum(labels.values, 0), origin, notes)
    if request.reference_until is not None:
        _check_columns(request, table)
        past = rows_before(table.frame, table.time_column, request.reference_until)
        known = np.maximum(table.labels(label, required=True).values[past], 0)
        basis = table.frame.filter(past)
        return _Basis(basis, known, Origin(f"its rows before {request.reference_until}", basis.height))
    _check_columns(request, table)
    return _Basis(table.frame)


def _check_columns(
    request: DetectRequest | FitRequest, table: SeriesTable, other: SeriesTable | None = None
) -> None:
    """Refuse columns of a request that a table does not have; one to ignore may be in the `other` alone."""
    table.check(request.table.time_column, "the time column")
    table.check(request.table.series_column, "the series column")
    for name in request.table.ignore:
        if other is None or name not in other.frame.columns:
            table.check(name, "the columns to ignore")


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


def _scored(
    detector: SeriesDetector, frame: pl.DataFrame
) -> tuple[NDArray[np.float64], list[Segment], list[Panel]]:
    """Return scores of rows, segments, and panels of the series with the oddest segments."""
    scores = np.zeros(frame.height)
    segments: list[Segment] = []
    panels: list[tuple[float, Panel]] = []
    for scored in detector.score_series(frame):
        series = scored.series
        scores[series.rows] = scored.scores[series.places]
        segments += scored.segments
        rows = np.zeros(len(series), dtype=np.int64)
        rows[series.places] = series.rows
        first = [series.names.index(segment.channels[0][0]) for segment in scored.segments]
        panels.append(
            (
                max((segment.score for segment in scored.segments), default=0.0),
                panel_of(
                    series.key,
                    series.names,
                    series.values,
                    scored.scores,
                    np.maximum.accumulate(rows),
                    series.times,
                    alarms(scored.scores >= detector.threshold_, series.stretches, MERGED),
                    first,
                ),
            )
        )
    panels.sort(key=lambda pair: -pair[0])
    return (
        scores,
        sorted(segments, key=lambda segment: -segment.score),
        [panel for _, panel in panels[:MOST_PANELS]],
    )


def _write(path: Path, frame: pl.DataFrame, scores: NDArray[np.float64], threshold: float) -> tuple[str, ...]:
    """Write all rows with their score and flag; return a note if our columns had to be renamed."""
    names, note = scored_columns(frame.columns)
    with scored_file(path) as write:
        write(
            frame.with_columns(
                pl.Series(names["anomaly_score"], scores),
                pl.Series(names["flagged"], scores >= threshold),
            )
        )
    return (note,) if note else ()
