"""outlearn fit: learn once, score many times."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.finding import tell_fitted
from outlearn.paths import WRITTEN

__all__ = ["fit"]


def fit(
    table: o.Table,
    out: Annotated[Path, typer.Option(help="Where to write the model, e.g. model.outlearn."), WRITTEN],
    known_normal: Annotated[
        bool, typer.Option("--known-normal", help="All rows without a label are known to be normal.")
    ] = False,
    detector: o.DetectorName = o.AUTO,
    label_column: o.LabelColumn = None,
    anomaly_value: o.AnomalyValue = None,
    time_column: o.TimeColumn = None,
    ignore: o.Ignore = None,
    missing_value: o.MissingValue = None,
    schema: o.SchemaFile = None,
    contamination: o.Contamination = None,
    false_alarm_rate: o.FalseAlarmRate = None,
    kind: o.Kind = None,
    weights: o.Weights = None,
    series_column: o.SeriesColumn = None,
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
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Learn from a table or from series, and keep the model in one file, for `score` and `explain`."""
    from outlearn.cli.terminal import progress_bars
    from outlearn.pipeline import engine
    from outlearn.pipeline.output import check_output
    from outlearn.pipeline.request import DetectorSpec, FitRequest

    check_output(out)
    with progress_bars(quiet) as progress:
        monitor = engine.fit(
            FitRequest(
                table,
                known_normal,
                o.table_spec(
                    label_column,
                    time_column,
                    series_column,
                    ignore,
                    schema,
                    kind,
                    anomaly_value,
                    missing_value,
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
                o.rule_spec(contamination, false_alarm_rate, None, None, false_alarms),
            ),
            progress=progress,
        )
        monitor.save(out)
    if not quiet:
        tell_fitted(monitor, out)
