"""outlearn evaluate: how good a detector is on a labelled table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from outlearn.cli import options as o

if TYPE_CHECKING:
    from outlearn.pipeline.evaluate import EvaluationResult, ZeroDay

__all__ = ["evaluate"]


def evaluate(
    table: o.Table,
    label_column: o.LabelColumn = None,
    anomaly_value: o.AnomalyValue = None,
    detector: o.DetectorName = "profiles",
    protocol: Annotated[
        str,
        typer.Option(
            help="contaminated (no labels shown), inlier-only, few-label, zero-day, or loop: the 1, 5 and 10 "
            "rows on top are labelled, beside as many anomalies drawn at random."
        ),
    ] = "contaminated",
    labels: Annotated[int, typer.Option(help="Labelled anomalies shown by few-label.", min=1)] = 5,
    budget: Annotated[
        int | None,
        typer.Option(help="Rows to look at, for the precision; default: as many as there are anomalies."),
    ] = None,
    splits: Annotated[int, typer.Option(help="How many splits to average over.", min=1)] = 3,
    peers: Annotated[bool, typer.Option(help="Judge iforest and knn beside it.")] = True,
    family_column: Annotated[
        str | None, typer.Option(help="Names the family of each anomaly, which zero-day leaves out in turn.")
    ] = None,
    kind: o.Kind = None,
    ignore: o.Ignore = None,
    missing_value: o.MissingValue = None,
    schema: o.SchemaFile = None,
    separator: o.Separator = None,
    header: o.Header = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    query_timeout: o.QueryTimeout = 600.0,
    seed: o.Seed = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Judge a detector on a labelled table: AUROC, average precision, precision at budget."""
    from outlearn.cli.terminal import progress_bars
    from outlearn.errors import ParameterError
    from outlearn.pipeline.evaluate import ZERO_DAY, evaluate_zero_day
    from outlearn.pipeline.evaluate import evaluate as judge

    names = tuple(dict.fromkeys((detector, *(("iforest", "knn") if peers else ()))))
    options = o.read_options(
        separator,
        encoding,
        decimal,
        thousands,
        query,
        kind,
        header=header,
        sheet=sheet,
        query_timeout=query_timeout,
    )
    if kind == "series":
        raise ParameterError(
            "--kind is 'series'; wanted flows, logs, bus, executables or table: rows are judged here"
        )
    if protocol == ZERO_DAY and family_column is None:
        raise ParameterError(f"the protocol {ZERO_DAY} needs --family-column, which names the families")
    with progress_bars(quiet) as progress:
        common: dict[str, Any] = {
            "label_column": label_column,
            "anomaly_values": anomaly_value or (),
            "family_column": family_column,
            "detectors": names,
            "splits": splits,
            "ignore": ignore or (),
            "missing_values": missing_value or (),
            "schema": schema,
            "options": options,
            "seed": seed,
            "progress": progress,
        }
        if protocol == ZERO_DAY:
            families = evaluate_zero_day(table, **common)
        else:
            trial = judge(table, protocol=protocol, labels=labels, budget=budget, **common)
    if quiet:
        return
    if protocol == ZERO_DAY:
        _print_families(families)
    else:
        _print(trial, splits)


def _print_families(trial: ZeroDay) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from outlearn.report.console import clean_console

    console = clean_console()
    lines = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    titles = ("Family", "Cases", "Detector", "AUROC", "AP at 1 %", "Recall at .1 %", "Recall at 1 %")
    for title in titles:  # a long name is folded, never a figure
        lines.add_column(title, no_wrap=title != "Family", overflow="fold")
    rows = [(name, row) for name, figures in trial.figures.items() for row in figures]
    groups = dict.fromkeys((row.family, row.cases) for _, row in rows)
    means = dict.fromkeys(("mean over families", cases) for _, cases in groups)
    for family, cases in (*groups, *means):
        for name in trial.figures:
            here = [
                (row.auroc, row.precision_1, row.recall_01, row.recall_1)
                for detector, row in rows
                if detector == name and row.cases == cases and (family in (row.family, "mean over families"))
            ]
            if here:
                mean = [sum(column) / len(here) for column in zip(*here, strict=True)]
                lines.add_row(family, str(cases), name, *(f"{value:.3f}" for value in mean))
    console.print(lines)
    legend = (
        "of each family nothing was learnt but its confirmed cases; recall is its share found where .1 % or "
        "1 % of normal rows raise a false alarm; AP (average precision) is as if 1 % of rows were its own"
    )
    for note in (*trial.notes, legend):
        console.print(f" - {note}", markup=False, highlight=False)


def _print(trial: EvaluationResult, splits: int) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from outlearn.report.console import clean_console

    console = clean_console()
    first = next(iter(trial.figures.values()))
    console.print(
        f"{first.protocol}, splits: {splits}; {first.train_rows:,} training rows; "
        f"{first.test_rows:,} test rows with {first.test_anomalies:,} anomalies; "
        f"{first.budget:,} rows are looked at",
        highlight=False,
    )
    lines = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for title in ("Detector", "AUROC", "Average precision", "Precision at budget"):
        lines.add_column(title, no_wrap=title != "Detector", overflow="fold")
    for name, figure in trial.figures.items():
        intervals = (figure.auroc, figure.average_precision, figure.precision_at_budget)
        lines.add_row(name, *(f"{i.value:.3f} ({i.low:.2f} to {i.high:.2f})" for i in intervals))
    lines.add_row("chance", "0.500", f"{first.chance:.3f}", f"{first.chance:.3f}")
    console.print(lines)
    level = f"in brackets: {first.auroc.level:.0%} bootstrap intervals, as wide as those of a single split"
    for note in (*trial.notes, level):
        console.print(f" - {note}", markup=False, highlight=False)
