"""The findings as text for the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from outlearn.findings.table import Findings
from outlearn.report.console import clean_console
from outlearn.report.incidents import print_hosts, print_incidents
from outlearn.report.summary import (
    CAUTION,
    DOUBT,
    columns_sentence,
    headline,
    promise_title,
    rule_sentence,
    sentence,
)
from outlearn.report.words import score
from outlearn.shown import clean

__all__ = ["render_text"]

_SENTENCE = 500  # characters


def render_text(findings: Findings, *, console: Console | None = None, top: int = 10) -> None:
    """Print the answer, any doubt and cautions, the promise, the top rows with their reasons, incidents,
    hosts, the notes and the limits.

    Without a terminal the text is plain: no colour, no lines. Foreign text is cleaned of control
    characters and never read as markup.

    Parameters
    ----------
    findings : the outcome of a run.
    console : where to print; standard output by default.
    top : the most rows, and incidents, to list.
    """
    out = console if console is not None else clean_console()
    promise = findings.decision.promise
    reference = f", compared with {findings.reference}" if findings.reference else ""
    _say(out, headline(findings), "bold")
    if findings.doubt:
        _say(out, f"{DOUBT}: {sentence(findings.doubt)}", "yellow")
    for caution in findings.cautions:
        _say(out, f"{CAUTION}: {sentence(caution)}", "yellow")
    _say(out, sentence(rule_sentence(findings)))
    _say(out, f"{promise_title(findings)}: {sentence(promise.text)}", "green" if promise.holds else "yellow")
    _say(out, f"Read: {findings.source}{reference}; {columns_sentence(findings)}.", "dim")
    rows = min(top, len(findings.top))
    if rows > 0:
        out.print()
        out.print(_table(findings, rows, out))
    print_incidents(findings, _empty(out), out, top)
    print_hosts(findings, _empty(out), out)
    _list(out, "Notes", findings.notes)
    _list(out, "What cannot be claimed", findings.limits)


def _table(findings: Findings, rows: int, out: Console) -> Table:
    table = _empty(out)
    table.add_column("Row", justify="right", no_wrap=True)
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Flagged", no_wrap=True)
    table.add_column("Why", overflow="fold", ratio=1)
    for rank in range(rows):
        row = int(findings.top[rank])
        flagged = bool(findings.decision.flagged[row])
        why = findings.explanations[rank].sentence if rank < len(findings.explanations) else ""
        table.add_row(
            Text(str(row)),
            Text(score(float(findings.scores[row])), style="bold" if flagged else ""),
            Text("yes" if flagged else "no", style="red" if flagged else "dim"),
            Text(_fit(why, out)),
        )
    return table


def _empty(out: Console) -> Table:
    return Table(box=SIMPLE_HEAD if out.is_terminal else None, pad_edge=False, padding=(0, 2, 0, 0))


def _list(out: Console, title: str, sentences: tuple[str, ...]) -> None:
    if not sentences:
        return
    out.print()
    _say(out, title, "bold")
    for words in sentences:
        # The bullet hangs, so a long sentence stays readable as one item.
        item = Table.grid(padding=(0, 1))
        item.add_row(Text("-"), Text(_fit(words, out)))
        out.print(Padding(item, (0, 0, 0, 1)))


def _say(out: Console, text: str, style: str = "") -> None:
    out.print(Text(_fit(text, out), style=style))


def _fit(text: str, out: Console) -> str:
    """Return text that this console can show."""
    return clean(text, _SENTENCE).encode(out.encoding, "replace").decode(out.encoding)
