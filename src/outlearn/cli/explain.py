"""outlearn explain: why one row is as odd as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outlearn.cli import options as o

__all__ = ["explain"]


def explain(
    model: Annotated[Path, typer.Argument(help="File written by `outlearn fit`.")],
    table: o.Table,
    row: Annotated[int, typer.Option(help="Number of the row, counted from 0.", min=0)],
    columns: Annotated[int, typer.Option(help="How many columns to name, at most.", min=1)] = 5,
    separator: o.Separator = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    session: o.Session = None,
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Say why one row of a table is as odd as it is."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from outlearn.findings.lines import json_line, row_object
    from outlearn.pipeline.monitor import Monitor
    from outlearn.report.summary import effects_sentence
    from outlearn.report.words import cell, clean, score

    reading = o.read_options(separator, encoding, decimal, thousands, query, session=session)
    told = Monitor.load(model).explain(table, row, columns=columns, options=reading)
    if as_json:
        typer.echo(json_line(row_object(told)))
        return
    console = Console()
    console.print(
        Text(f"Row {told.row}, score {score(told.score)}: {clean(told.sentence, 500)}", style="bold")
    )
    lines = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for title in ("Column", "Value", "Usual", "Here it is", "Score falls by"):
        lines.add_column(title, justify="right" if title == "Score falls by" else "left")
    for why in told.contributions:
        words = (
            clean(why.column, 60),
            cell(why.value),
            clean(why.usual, 120),
            why.direction,
            f"{why.drop:.3g}",
        )
        lines.add_row(*map(Text, words))
    console.print(lines)
    if told.labels:
        console.print(Text(effects_sentence(told)))
