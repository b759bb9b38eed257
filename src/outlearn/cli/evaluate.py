"""outlearn evaluate: how good a detector is on a labelled table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.cli import options as o

if TYPE_CHECKING:
    from outlearn.pipeline.trial import Trial

__all__ = ["evaluate"]


def evaluate(
    table: o.Table,
    label_column: o.LabelColumn = None,
    detector: o.DetectorName = "incontext",
    protocol: Annotated[
        str, typer.Option(help="contaminated (no labels shown), inlier-only, or few-label.")
    ] = "contaminated",
    labels: Annotated[int, typer.Option(help="Labelled anomalies shown by few-label.", min=1)] = 5,
    budget: Annotated[
        int | None,
        typer.Option(help="Rows to look at, for the precision; default: as many as there are anomalies."),
    ] = None,
    splits: Annotated[int, typer.Option(help="How many splits to average over.", min=1)] = 3,
    peers: Annotated[bool, typer.Option(help="Judge iforest and knn beside it.")] = True,
    ignore: o.Ignore = None,
    schema: o.SchemaFile = None,
    separator: o.Separator = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    seed: o.Seed = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Judge a detector on a labelled table: AUROC, average precision, precision at budget."""
    from outlearn.cli.terminal import progress_bars
    from outlearn.pipeline.trial import evaluate as judge

    with progress_bars(quiet) as progress:
        trial = judge(
            table,
            label_column=label_column,
            detectors=tuple(dict.fromkeys((detector, *(("iforest", "knn") if peers else ())))),
            protocol=protocol,
            labels=labels,
            budget=budget,
            splits=splits,
            ignore=ignore or (),
            schema=schema,
            options=o.read_options(separator, encoding, decimal, thousands, query),
            seed=seed,
            progress=progress,
        )
    if not quiet:
        _print(trial, splits)


def _print(trial: Trial, splits: int) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console()
    first = next(iter(trial.figures.values()))
    console.print(
        f"{first.protocol}, splits: {splits}; {first.train_rows:,} training rows; "
        f"{first.test_rows:,} test rows with {first.test_anomalies:,} anomalies; "
        f"{first.budget:,} rows are looked at",
        highlight=False,
    )
    lines = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for title in ("Detector", "AUROC", "Average precision", "Precision at budget"):
        lines.add_column(title, no_wrap=True)
    for name, figure in trial.figures.items():
        intervals = (figure.auroc, figure.average_precision, figure.precision_at_budget)
        lines.add_row(name, *(f"{i.value:.3f} ({i.low:.2f} to {i.high:.2f})" for i in intervals))
    lines.add_row("chance", "0.500", f"{first.chance:.3f}", f"{first.chance:.3f}")
    console.print(lines)
    level = f"in brackets: {first.auroc.level:.0%} bootstrap intervals, as wide as those of a single split"
    for note in (*trial.notes, level):
        console.print(f" - {note}", markup=False, highlight=False)
