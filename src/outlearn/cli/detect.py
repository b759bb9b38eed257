"""outlearn detect: the main job, asked for by options or by a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.finding import tell_findings, write_report_of
from outlearn.errors import ParameterError
from outlearn.files import together
from outlearn.paths import READ, Named, check_apart, named_paths

if TYPE_CHECKING:
    from outlearn.pipeline.request import DetectRequest

__all__ = ["detect"]


BESIDE = ("job", "quiet", "as_json", "debug")  # options that a job file leaves to the command line


def detect(
    context: typer.Context,
    table: o.OptionalTable = None,
    reference: Annotated[
        str | None,
        typer.Option(
            help="Rows known to be normal, to compare with; without it TABLE is compared with itself."
        ),
        READ,
    ] = None,
    top: o.Top = 20,
    out: o.Out = None,
    report: o.Report = None,
    detector: o.DetectorName = o.AUTO,
    label_column: o.LabelColumn = None,
    anomaly_value: o.AnomalyValue = None,
    time_column: o.TimeColumn = None,
    ignore: o.Ignore = None,
    missing_value: o.MissingValue = None,
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
    job: Annotated[
        Path | None,
        typer.Option(help="TOML file that says what to do, in place of TABLE and options; see docs/cli.md."),
        READ,
    ] = None,
    quiet: o.Quiet = False,
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Find the odd rows of a table, or the odd ranges of series, rank them and say why they are odd."""
    from outlearn.cli.terminal import check_report, progress_bars
    from outlearn.pipeline import engine
    from outlearn.pipeline.request import DetectorSpec, DetectRequest, Outputs

    if job is not None:
        request = _from_file(context, job)
        check_apart([Named("--job", job, READ), *named_paths(request)])
    else:
        if table is None:
            raise ParameterError("no table came; wanted TABLE, or --job with a file that names it")
        request = DetectRequest(
            table,
            reference,
            reference_until,
            o.table_spec(
                label_column, time_column, series_column, ignore, schema, kind, anomaly_value, missing_value
            ),
            o.read_options(
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
            DetectorSpec(detector, weights, seed),
            o.rule_spec(contamination, false_alarm_rate, budget, fdr, false_alarms),
            Outputs(top, out, report, o.alert_options(alerts, alerts_of, entity, gap, suppress)),
        )
    check_report(request.outputs.report)
    with progress_bars(quiet) as progress, together():
        findings = engine.detect(request, progress=progress)
        write_report_of(findings, request.outputs)
    tell_findings(findings, request.outputs, quiet=quiet, as_json=as_json)


def _from_file(context: typer.Context, job: Path) -> DetectRequest:
    """Return the request of a job file, beside which nothing else says what to do."""
    from outlearn.pipeline.job_file import read_job
    from outlearn.pipeline.request import option

    given = [name for name in context.params if name not in BESIDE and _given(context, name)]
    if given:
        named = ", ".join("TABLE" if name == "table" else option(name) for name in given)
        raise ParameterError(f"{named} came beside --job; say it in {job}")
    return read_job(job)


def _given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
