"""From a table with a time column to what is odd in its series."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import clone

from outlearn.data.columns.dates import moments_of
from outlearn.data.labels import parse_labels
from outlearn.data.readers import ReadOptions
from outlearn.data.schema import unknown_column
from outlearn.data.series.reader import form_of_times
from outlearn.data.series.repair import uneven
from outlearn.decisions.alarms import Segment, alarms
from outlearn.detectors.segments import MERGED
from outlearn.detectors.series import SeriesDetector
from outlearn.errors import InputError, OutlearnError, ParameterError
from outlearn.pipeline.learn import Reading, open_table
from outlearn.pipeline.monitor import check_request
from outlearn.pipeline.output import scored_file
from outlearn.pipeline.rows import Spec, chunks_of
from outlearn.pipeline.stages import Progress, Stages
from outlearn.pipeline.verdict import scored_columns
from outlearn.report.series import Panel, SeriesFindings, panel_of

__all__ = ["detect_series", "fit_series", "holds_series", "labels_of", "score_series", "series_table"]

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


def detect_series(
    spec: Spec,
    detector: SeriesDetector,
    *,
    reference: Spec | None = None,
    reference_until: str | None = None,
    label_column: str | None = None,
    top: int = 20,
    out: str | Path | None = None,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
) -> SeriesFindings:
    """Find the odd ranges of the series in a table.

    Parameters
    ----------
    detector : not fitted, which it stays; it says which columns tell of the time and of the series.
    reference : a table known to be normal. reference_until : a moment before which `spec` is; one of them.
    label_column : ranges that are known, as for `detect`.
    out : file for all rows with what was found beside them.

    Raises
    ------
    InputError
        When the user can mend it: unreadable rows, no such column, an output that cannot be written, …
    """
    check_request(top, out, spec)
    if reference is not None and reference_until is not None:
        raise ParameterError("reference and reference_until came; give one of them")
    begun, stages = time.perf_counter(), Stages(progress)
    reading = _reading(detector, label_column, options)
    with stages.stage("reading"):
        frame, name, notes, ignored = series_table(spec, reading)
        if reference is not None:
            basis, other, more, _ = series_table(reference, reading)
        needed = reference is None or label_column not in basis.columns
        labels = labels_of(frame, label_column, required=needed)
        if reference is not None:
            known, notes = np.maximum(labels_of(basis, label_column, required=False), 0), (*notes, *more)
            compared = f"{other} ({basis.height:,} rows)"
        elif reference_until is not None:
            past = _before(frame, detector.time_column, reference_until)
            basis, known = frame.filter(past), np.maximum(labels[past], 0)
            compared = f"its rows before {reference_until} ({basis.height:,})"
        else:
            basis, known, compared = frame, labels, None
    fitted: SeriesDetector = clone(detector).set_params(ignore=ignored)
    with stages.stage("learning"):
        fitted.fit(basis, known)
        if compared is not None and (labels >= 0).any():
            fitted = fitted.update(frame, labels)
    return _findings(
        fitted,
        frame,
        f"{name} ({frame.height:,} rows)",
        compared,
        notes,
        top=top,
        out=out,
        stages=stages,
        begun=begun,
    )


def fit_series(
    spec: Spec,
    detector: SeriesDetector,
    out: str | Path,
    *,
    known_normal: bool = False,
    label_column: str | None = None,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
) -> SeriesDetector:
    """Learn from the series in a table, and write the fitted detector to a file; see `detect_series`.

    known_normal : whether all points without a label are known to be normal.
    """
    stages = Stages(progress)
    with stages.stage("reading"):
        frame, _, notes, ignored = series_table(spec, _reading(detector, label_column, options))
        labels = labels_of(frame, label_column, required=True)
    fitted: SeriesDetector = clone(detector).set_params(ignore=ignored)
    with stages.stage("learning"):
        fitted.fit(frame, np.maximum(labels, 0) if known_normal else labels)
    fitted.notes_ = tuple(dict.fromkeys((*notes, *fitted.notes_)))
    fitted.save(out)
    return fitted


def score_series(
    model: str | Path,
    spec: Spec,
    *,
    top: int = 20,
    out: str | Path | None = None,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
) -> SeriesFindings:
    """Find the odd ranges of the series in a table by a detector that `fit_series` wrote."""
    check_request(top, out, spec)
    begun, stages = time.perf_counter(), Stages(progress)
    with stages.stage("reading"):
        fitted = SeriesDetector.load(model)
        frame, name, notes, _ = series_table(spec, _reading(fitted, None, options))
    points = sum(len(each.series) for each in fitted.known_)
    return _findings(
        fitted,
        frame,
        f"{name} ({frame.height:,} rows)",
        f"what {Path(model).name} learnt from ({points:,} points)",
        notes,
        top=top,
        out=out,
        stages=stages,
        begun=begun,
    )


def _findings(
    fitted: SeriesDetector,
    frame: pl.DataFrame,
    source: str,
    compared: str | None,
    notes: tuple[str, ...],
    *,
    top: int,
    out: str | Path | None,
    stages: Stages,
    begun: float,
) -> SeriesFindings:
    with stages.stage("scoring"):
        scores, segments, panels = _scored(fitted, frame)
    with stages.stage("explaining"):
        reasons = [each.sentence for each in fitted.explain(frame, segments[:top])]
    if out is not None:
        notes = (*notes, *_write(Path(out), frame, scores, fitted.threshold_))
    flagged = scores >= fitted.threshold_
    return SeriesFindings(
        source=source,
        reference=compared,
        points=frame.height,
        series=1 if fitted.series_column is None else frame[fitted.series_column].n_unique(),
        flagged=int(flagged.sum()),
        threshold=float(fitted.threshold_),
        segments=segments,
        reasons=reasons,
        panels=panels,
        promise=fitted.promise_,
        notes=tuple(dict.fromkeys((*notes, *fitted.notes_))),
        seconds=time.perf_counter() - begun,
    )


def _reading(detector: SeriesDetector, label_column: str | None, options: ReadOptions | None) -> Reading:
    options = replace(options or ReadOptions(), kind="table")
    return Reading(label_column, detector.time_column, tuple(detector.ignore), None, options)


def series_table(spec: Spec, reading: Reading) -> tuple[pl.DataFrame, str, tuple[str, ...], list[str]]:
    """Return all rows, the name, notes, and the columns that are no channels."""
    source, settled = open_table(spec, reading)
    frame = pl.concat(list(chunks_of(source)), how="vertical_relaxed")
    label = settled.label_column
    return frame, source.name, source.notes, [*settled.ignore, *([] if label is None else [label])]


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
