"""The words of `detect`, `fit` and `score` at the end, on rows or on series."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from outlearn.cli.say import say, say_lines

if TYPE_CHECKING:
    from outlearn.findings.series import SeriesFindings
    from outlearn.findings.table import Findings
    from outlearn.pipeline.monitor import Monitor
    from outlearn.pipeline.request import Outputs
    from outlearn.pipeline.series_monitor import SeriesMonitor

__all__ = ["tell_findings", "tell_fitted", "write_report_of"]


def write_report_of(findings: Findings | SeriesFindings, outputs: Outputs) -> None:
    """Write the report, where one was asked for."""
    from outlearn.findings.table import Findings
    from outlearn.report.page import write_page, write_report

    if outputs.report is None:
        return
    if isinstance(findings, Findings):
        write_report(findings, Path(outputs.report))
        return
    from outlearn.report.series import render_series

    write_page(render_series(findings), Path(outputs.report))


def tell_findings(
    findings: Findings | SeriesFindings, outputs: Outputs, *, quiet: bool, as_json: bool
) -> None:
    """Print the findings and where the files are."""
    from outlearn.cli.terminal import print_lines, tell
    from outlearn.findings.table import Findings

    if isinstance(findings, Findings):
        tell(findings, outputs, quiet=quiet, as_json=as_json)
        return
    from outlearn.report.series import series_text

    if quiet:
        return
    if as_json:
        print_lines(findings)
        return
    say_lines(series_text(findings, outputs.top))
    for what, path in (("Scored rows", outputs.out), ("Report", outputs.report)):
        if path is not None:
            say(f"{what}: {path}")


def tell_fitted(monitor: Monitor | SeriesMonitor, out: Path) -> None:
    """Print the source of the model, notes on it, and where the model is."""
    from outlearn.pipeline.monitor import Monitor

    if isinstance(monitor, Monitor):
        say(f"learnt from {monitor.learnt_from} ({monitor.total:,} rows)")
        notes, promise = (*monitor.cautions, *monitor.notes), monitor.detector.promise_
        held = f"{len(monitor.detector.support_):,} rows of the table"
    else:
        fitted = monitor.detector
        points = sum(len(labelled.series) for labelled in (*fitted.known_, *fitted.calibration_))
        say(f"learnt from {len(fitted.known_)} series of {points:,} points")
        notes, promise, held = fitted.notes_, fitted.promise_, "these series"
    for line in (*notes, *(() if promise is None else (promise.text,))):
        say(f" - {line}")
    say(f"Model: {out} (it holds {held}: treat it with the same care)")
