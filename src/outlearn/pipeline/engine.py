"""Rows or series: the one choice between the two monitors. Whoever calls it need not know which they get."""

from __future__ import annotations

from pathlib import Path

from outlearn.data.readers import ReadOptions
from outlearn.decisions.rule import Rule
from outlearn.detectors.model_file import kind_of
from outlearn.errors import ParameterError
from outlearn.execute import Executor
from outlearn.feedback.store import VerdictStore
from outlearn.feedback.verdict import Channel
from outlearn.findings.series import SeriesFindings
from outlearn.findings.table import Findings
from outlearn.panics import without_panics
from outlearn.paths import READ, Named, check_apart, named_paths
from outlearn.pipeline.alerting import AlertOptions
from outlearn.pipeline.detection import detect_rows
from outlearn.pipeline.feedback import Feedback
from outlearn.pipeline.labelled import FeedbackFiles
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.request import SERIES, DetectRequest, FitRequest, Outputs, option
from outlearn.pipeline.rows import Spec
from outlearn.pipeline.series_monitor import SeriesMonitor, detect_series
from outlearn.pipeline.series_table import holds_series
from outlearn.progress import Progress

__all__ = ["ask", "detect", "fit", "is_series", "load", "score"]


@without_panics("the rows")
def detect(
    request: DetectRequest, *, progress: Progress | None = None, executor: Executor | None = None
) -> Findings | SeriesFindings:
    """Find the odd rows of a table, or the odd ranges of its series.

    executor : where rows are scored, on threads of this process by default; series are scored in this thread.
    """
    check_apart(named_paths(request))
    if is_series(request):
        _refuse_alerts(request.outputs.alerts)
        return detect_series(request, progress=progress)
    return detect_rows(request, progress=progress, executor=executor)


@without_panics("the rows")
def fit(request: FitRequest, *, progress: Progress | None = None) -> Monitor | SeriesMonitor:
    """Learn from the rows of a table, or from its series."""
    monitor = SeriesMonitor if is_series(request) else Monitor
    return monitor.of(request, progress=progress)


def load(path: str | Path) -> Monitor | SeriesMonitor:
    """Read a model of either kind."""
    return SeriesMonitor.load(path) if kind_of(Path(path)) == SERIES else Monitor.load(path)


@without_panics("the rows")
def score(
    model: str | Path,
    source: Spec,
    outputs: Outputs,
    *,
    rule: Rule | None = None,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Findings | SeriesFindings:
    """Judge the rows of a table, or its series, by a model of either kind.

    Raises
    ------
    ParameterError
        When a rule came for series, whose threshold was set in the fit, or alerts of them.
    """
    check_apart([Named("model", model, READ), *named_paths(DetectRequest(source, outputs=outputs))])
    monitor = load(model)
    if isinstance(monitor, Monitor):
        return monitor.score(
            source, outputs, rule=rule, options=options, progress=progress, executor=executor
        )
    if rule is not None:
        raise ParameterError(
            f"{model} is a model of series, whose threshold was set when it was fitted; leave the "
            f"{rule.kind} out, or fit it anew with --contamination or --false-alarms"
        )
    _refuse_alerts(outputs.alerts)
    return monitor.score(source, outputs, options=options, progress=progress)


@without_panics("the rows")
def ask(
    model: str | Path,
    source: Spec,
    store: VerdictStore,
    *,
    by: str,
    channel: Channel = Channel.API,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Feedback:
    """Ask about the rows of a table by a model: `Feedback.ask` shows one, `Feedback.tell` takes the answer.

    Raises
    ------
    ParameterError
        For a model of series, whose points are not asked about one by one.
    """
    FeedbackFiles.of(model, source, model, store).check()
    monitor = load(model)
    if not isinstance(monitor, Monitor):
        raise ParameterError(
            f"{model} is a model of series, whose points are not asked about one by one; mark them in a "
            "column of a scored file and give that to `outlearn label`"
        )
    name = Path(model).name
    return Feedback(
        monitor,
        source,
        store,
        by=by,
        origin=channel,
        model=name,
        options=options,
        progress=progress,
        executor=executor,
    )


def is_series(request: DetectRequest | FitRequest) -> bool:
    """Tell whether a table is read as series; where nothing says so, its first rows do.

    Raises
    ------
    ParameterError
        When the request contradicts itself.
    """
    ours, theirs = _of_series(request), _of_tables(request)
    kind = request.table.kind or request.read.kind
    if kind not in (None, SERIES) and ours:
        raise ParameterError(f"{', '.join(ours)}: only series have that; leave it out or say --kind series")
    if (kind == SERIES or ours) and theirs:
        raise ParameterError(f"{', '.join(theirs)}: only tables have that; leave it out or say --kind table")
    if kind is not None or ours:
        return kind in (None, SERIES)
    if request.table.time_column is None or theirs:
        return False
    return holds_series(request.source, request.reading)


def _of_series(request: DetectRequest | FitRequest) -> list[str]:
    """Return the options given that only series have."""
    given = {
        "series_column": request.table.series_column,
        "reference_until": request.reference_until if isinstance(request, DetectRequest) else None,
        "false_alarms": request.rule.false_alarms,
        "weights": request.detector.weights,
    }
    return [option(name) for name, value in given.items() if value is not None]


def _of_tables(request: DetectRequest | FitRequest) -> list[str]:
    """Return the options given that only tables have."""
    rule = request.rule.rule
    series = request.table.kind == SERIES or bool(_of_series(request))  # which have detectors of their own
    given = {
        f"a {rule.kind if rule else 'rule'}": rule is not None and rule.kind != "contamination",
        "--detector": request.detector.is_named and not series,
        "--schema": request.table.schema is not None,
    }
    return [name for name, there in given.items() if there]


def _refuse_alerts(alerts: AlertOptions) -> None:
    given = {"--alerts": alerts.file, "--entity": alerts.entity, "--suppress": alerts.suppress}
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise ParameterError(
            f"{', '.join(named)}: ranges of series have no such thing; leave it out, or judge rows by "
            "--kind table"
        )
