"""outlearn score: judge new rows by a fitted model."""

from __future__ import annotations

from outlearn.cli import options as o
from outlearn.cli.finding import tell_findings, write_report_of
from outlearn.files import together

__all__ = ["score"]


def score(
    model: o.Model,
    table: o.Table,
    top: o.Top = 20,
    out: o.Out = None,
    report: o.Report = None,
    contamination: o.Contamination = None,
    false_alarm_rate: o.FalseAlarmRate = None,
    budget: o.Budget = None,
    fdr: o.DiscoveryRate = None,
    separator: o.Separator = None,
    header: o.Header = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    query_timeout: o.QueryTimeout = 600.0,
    session: o.Session = None,
    alerts: o.Alerts = None,
    alerts_of: o.AlertsOf = "incidents",
    entity: o.Entity = None,
    gap: o.Gap = 10.0,
    suppress: o.Suppress = None,
    quiet: o.Quiet = False,
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Score rows, or ranges of series, by a fitted model, and say why the top ones are odd."""
    from outlearn.cli.terminal import check_report, progress_bars
    from outlearn.pipeline import engine
    from outlearn.pipeline.request import Outputs

    rule = o.rule_spec(contamination, false_alarm_rate, budget, fdr)
    check_report(report)
    options = o.read_options(
        separator,
        encoding,
        decimal,
        thousands,
        query,
        session=session,
        header=header,
        sheet=sheet,
        query_timeout=query_timeout,
    )
    outputs = Outputs(top, out, report, o.alert_options(alerts, alerts_of, entity, gap, suppress))
    with progress_bars(quiet) as progress, together():
        findings = engine.score(model, table, outputs, rule=rule.rule, options=options, progress=progress)
        write_report_of(findings, outputs)
    tell_findings(findings, outputs, quiet=quiet, as_json=as_json)
