"""outlearn score: judge new rows by a fitted model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.finding import score_ranges
from outlearn.errors import ParameterError

__all__ = ["score"]


def score(
    model: Annotated[Path, typer.Argument(help="File written by `outlearn fit`.")],
    table: o.Table,
    top: o.Top = 20,
    out: o.Out = None,
    report: o.Report = None,
    contamination: o.Contamination = None,
    false_alarm_rate: o.FalseAlarmRate = None,
    budget: o.Budget = None,
    fdr: o.DiscoveryRate = None,
    separator: o.Separator = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    session: o.Session = None,
    alerts: o.Alerts = None,
    alerts_of: o.AlertsOf = "incidents",
    entity: o.Entity = None,
    gap: o.Gap = 10.0,
    suppress: o.Suppress = None,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Score rows, or ranges of series, by a fitted model, and say why the top ones are odd."""
    from outlearn.cli.terminal import check_report, progress_bars, tell
    from outlearn.detectors.model_file import kind_of

    rule = o.rule_of(contamination, false_alarm_rate, budget, fdr)
    check_report(report)
    options = o.read_options(separator, encoding, decimal, thousands, query, session=session)
    alerting = o.alert_options(alerts, alerts_of, entity, gap, suppress)
    if kind_of(model) == "series":
        if rule is not None:
            raise ParameterError(
                f"{model} is a model of series, whose threshold was set when it was fitted; leave the "
                f"{rule.kind} out, or fit it anew with --contamination or --false-alarms"
            )
        o.refuse_alerts(alerting)
        score_ranges(model, table, options, top=top, out=out, report=report, quiet=quiet)
        return
    with progress_bars(quiet) as progress:
        from outlearn.pipeline.monitor import Monitor

        findings = Monitor.load(model).detect(
            table,
            rule=rule,
            top=top,
            out=out,
            options=options,
            progress=progress,
            alerts=alerting,
        )
    tell(findings, top=top, out=out, report=report, alerts=alerts, quiet=quiet)
