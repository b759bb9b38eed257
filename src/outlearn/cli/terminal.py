"""Progress bars while a command works, and its words at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from outlearn.findings.codec import AnyFindings
    from outlearn.findings.table import Findings
    from outlearn.pipeline.request import Outputs
    from outlearn.progress import Progress

__all__ = ["check_report", "print_lines", "progress_bars", "progress_on", "tell"]


@contextmanager
def progress_bars(quiet: bool) -> Iterator[Progress | None]:
    """Give a progress callback that draws bars on standard error; None where nobody would see them."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    from outlearn.report.console import clean_console

    words = TextColumn("{task.description}", markup=False)
    columns = (words, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=clean_console(stderr=True), transient=True) as bars:
        yield progress_on(bars)


def progress_on(bars: Bars) -> Progress:
    """Return a progress callback that draws a bar for each stage, with the loss beside it if there is one."""
    tasks: dict[str, TaskID] = {}

    def progress(stage: str, done: int, total: int | None, loss: float | None = None, /) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
        words = stage if loss is None else f"{stage} (loss {loss:.3f})"
        bars.update(tasks[stage], completed=done, total=total, description=words)

    return progress


def check_report(path: str | Path | None) -> None:
    """Refuse, before any work, a report that could not be written or rendered."""
    if path is None:
        return
    from outlearn.extras import require
    from outlearn.pipeline.output import check_output

    check_output(Path(path))
    require("jinja2", extra="report")


def print_lines(findings: AnyFindings) -> None:
    """Print findings as JSON lines."""
    import typer

    from outlearn.findings.lines import json_lines

    for line in json_lines(findings):
        typer.echo(line)


def tell(findings: Findings, outputs: Outputs, *, quiet: bool, as_json: bool = False) -> None:
    """Print the findings, and unless they are JSON where the files are."""
    if quiet:
        return
    if as_json:
        print_lines(findings)
        return
    from outlearn.report.console import clean_console
    from outlearn.report.text import render_text

    console = clean_console()
    render_text(findings, console=console, top=outputs.top)
    files = (("Scored rows", outputs.out), ("Report", outputs.report), ("Alerts", outputs.alerts.file))
    written = [f"{what}: {path}" for what, path in files if path is not None]
    if written:
        console.print()
    for line in written:
        console.print(line, soft_wrap=True)
