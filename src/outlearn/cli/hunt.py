"""outlearn hunt: what resembles a few confirmed cases."""

from __future__ import annotations

from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.finding import write_report_of
from outlearn.files import together
from outlearn.paths import READ

__all__ = ["hunt"]


def hunt(
    table: o.Table,
    like: Annotated[
        str, typer.Option(help="The confirmed cases: one to five rows, or more, of the same columns."), READ
    ],
    reference: Annotated[str | None, typer.Option(help="Rows known to be normal."), READ] = None,
    learner: Annotated[
        str,
        typer.Option(help="incontext, profiles, siamese, triplet, protonet or maml; auto is incontext."),
    ] = "auto",
    top: o.Top = 20,
    out: o.Out = None,
    report: o.Report = None,
    ignore: o.Ignore = None,
    missing_value: o.MissingValue = None,
    schema: o.SchemaFile = None,
    kind: o.Kind = None,
    separator: o.Separator = None,
    header: o.Header = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    query_timeout: o.QueryTimeout = 600.0,
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
    """Rank rows by how much they resemble confirmed cases, and say which are alike, or that none is."""
    from outlearn.cli.terminal import check_report, progress_bars, tell
    from outlearn.errors import ParameterError
    from outlearn.pipeline.hunt import hunt as find
    from outlearn.pipeline.request import Outputs

    check_report(report)
    if kind == "series":
        raise ParameterError(
            f"--kind is {kind!r}; wanted flows, logs, bus or table: ranges of series are not hunted for"
        )
    alerting = o.alert_options(alerts, alerts_of, entity, gap, suppress)
    outputs = Outputs(top, out, report, alerting)
    with progress_bars(quiet) as progress, together():
        findings = find(
            table,
            like,
            reference=reference,
            learner=learner,
            ignore=ignore or (),
            missing_values=missing_value or (),
            schema=schema,
            top=top,
            out=out,
            options=o.read_options(
                separator,
                encoding,
                decimal,
                thousands,
                query,
                kind,
                session,
                header=header,
                sheet=sheet,
                query_timeout=query_timeout,
            ),
            random_state=seed,
            progress=progress,
            alerts=alerting,
        )
        write_report_of(findings, outputs)
    tell(findings, outputs, quiet=quiet, as_json=as_json)
