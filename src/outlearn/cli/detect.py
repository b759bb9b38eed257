"""outlearn detect: the main job."""

from __future__ import annotations

from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.finding import ROWS, Choice, detect_ranges, detect_rows, is_series

__all__ = ["detect"]


def detect(
    table: o.Table,
    reference: Annotated[
        str | None,
        typer.Option(
            help="Rows known to be normal, to compare with; without it TABLE is compared with itself."
        ),
    ] = None,
    top: o.Top = 20,
    out: o.Out = None,
    report: o.Report = None,
    detector: o.DetectorName = ROWS,
    label_column: o.LabelColumn = None,
    time_column: o.TimeColumn = None,
    ignore: o.Ignore = None,
    schema: o.SchemaFile = None,
    contamination: o.Contamination = None,
    false_alarm_rate: o.FalseAlarmRate = None,
    budget: o.Budget = None,
    fdr: o.DiscoveryRate = None,
    kind: o.Kind = None,
    weights: o.Weights = None,
    series_column: o.SeriesColumn = None,
    reference_until: o.ReferenceUntil = None,
    false_alarms: o.FalseAlarms = None,
    separator: o.Separator = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    session: o.Session = None,
    seed: o.Seed = 0,
    alerts: o.Alerts = None,
    alerts_of: o.AlertsOf = "incidents",
    entity: o.Entity = None,
    gap: o.Gap = 10.0,
    suppress: o.Suppress = None,
    quiet: o.Quiet = False,
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Find the odd rows of a table, or the odd ranges of series, rank them and say why they are odd."""
    from outlearn.cli.terminal import check_report

    check_report(report)
    choice = Choice(
        table=table,
        kind=kind,
        series_column=series_column,
        reference_until=reference_until,
        false_alarms=false_alarms,
        reference=reference,
        label_column=label_column,
        time_column=time_column,
        ignore=tuple(ignore or ()),
        rule=o.rule_of(contamination, false_alarm_rate, budget, fdr),
        detector=detector,
        weights=weights,
        schema=schema,
        options=o.read_options(separator, encoding, decimal, thousands, query, kind, session),
        alerting=o.alert_options(alerts, alerts_of, entity, gap, suppress),
    )
    find = detect_ranges if is_series(choice) else detect_rows
    find(choice, top=top, out=out, report=report, seed=seed, quiet=quiet, as_json=as_json)
