"""outlearn fit: learn once, score many times."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.finding import ROWS, Choice, fit_ranges, fit_rows, is_series

__all__ = ["fit"]


def fit(
    table: o.Table,
    out: Annotated[Path, typer.Option(help="Where to write the model, e.g. model.outlearn.")],
    known_normal: Annotated[
        bool, typer.Option("--known-normal", help="All rows without a label are known to be normal.")
    ] = False,
    detector: o.DetectorName = ROWS,
    label_column: o.LabelColumn = None,
    time_column: o.TimeColumn = None,
    ignore: o.Ignore = None,
    schema: o.SchemaFile = None,
    contamination: o.Contamination = None,
    false_alarm_rate: o.FalseAlarmRate = None,
    kind: o.Kind = None,
    weights: o.Weights = None,
    series_column: o.SeriesColumn = None,
    false_alarms: o.FalseAlarms = None,
    separator: o.Separator = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    session: o.Session = None,
    seed: o.Seed = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Learn from a table or from series, and keep the model in one file, for `score` and `explain`."""
    from outlearn.pipeline.output import check_output

    check_output(out, source=table)
    if weights is not None:
        check_output(out, source=weights)
    choice = Choice(
        table=table,
        kind=kind,
        series_column=series_column,
        reference_until=None,
        false_alarms=false_alarms,
        reference=None,
        label_column=label_column,
        time_column=time_column,
        ignore=tuple(ignore or ()),
        rule=o.rule_of(contamination, false_alarm_rate, None, None),
        detector=detector,
        weights=weights,
        schema=schema,
        options=o.read_options(separator, encoding, decimal, thousands, query, kind, session),
    )
    learn = fit_ranges if is_series(choice) else fit_rows
    learn(choice, out, known_normal=known_normal, seed=seed, quiet=quiet)
