"""outlearn explain: why one row is as odd as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.say import say

if TYPE_CHECKING:
    from outlearn.detectors.series_reasons import SegmentExplanation
    from outlearn.explain.explanation import Explanation

__all__ = ["explain"]


def explain(
    model: o.Model,
    table: o.Table,
    row: Annotated[int, typer.Option(help="Number of the row, counted from 0.", min=0)],
    columns: Annotated[int, typer.Option(help="How many columns to name, at most.", min=1)] = 5,
    separator: o.Separator = None,
    header: o.Header = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    query_timeout: o.QueryTimeout = 600.0,
    session: o.Session = None,
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Say why one row of a table is as odd as it is, or the range of a series that it lies in."""
    from outlearn.findings.lines import json_line, row_object
    from outlearn.pipeline import engine
    from outlearn.pipeline.monitor import Monitor

    reading = o.read_options(
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
    monitor = engine.load(model)
    if not isinstance(monitor, Monitor):
        _tell_range(monitor.explain(table, row, options=reading), row, as_json=as_json)
        return
    why = monitor.explain(table, row, columns=columns, options=reading)
    if as_json:
        typer.echo(json_line(row_object(why)))
    else:
        _tell_row(why)


def _tell_range(why: SegmentExplanation, row: int, *, as_json: bool) -> None:
    from outlearn.findings.codec import plain
    from outlearn.findings.lines import json_line
    from outlearn.report.words import score
    from outlearn.shown import clean

    segment = why.segment
    if as_json:
        typer.echo(json_line({"type": "range", "row": row, **plain(segment), "reason": why.sentence}))
        return
    where = f"rows {segment.start:,} to {segment.end:,}"
    say(f"Row {row} lies in {where}, score {score(segment.score)}: {clean(why.sentence, 500)}")


def _tell_row(explanation: Explanation) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from outlearn.report.console import clean_console
    from outlearn.report.summary import direction_words, effects_sentence
    from outlearn.report.words import reason_value, score
    from outlearn.shown import clean

    console = clean_console()
    sentence = clean(explanation.sentence, 500)
    console.print(Text(f"Row {explanation.row}, score {score(explanation.score)}: {sentence}", style="bold"))
    lines = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for title in ("Column", "Value", "Usual", "Here it is", "Score falls by"):
        lines.add_column(title, justify="right" if title == "Score falls by" else "left")
    for why in explanation.contributions:
        words = (
            clean(why.column, 60),
            reason_value(why),
            clean(why.usual, 120),
            direction_words(why),
            f"{why.drop:.3g}",
        )
        lines.add_row(*map(Text, words))
    console.print(lines)
    if explanation.labels:
        console.print(Text(effects_sentence(explanation)))
