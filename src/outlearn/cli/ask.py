"""outlearn ask: one row after another is shown, and the answers are learnt from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.say import say
from outlearn.cli.verdicts import By, Verdicts, check_written, counted, effect_lines, store_path

if TYPE_CHECKING:
    from outlearn.feedback.verdict import Answer
    from outlearn.pipeline.feedback import Feedback, Question

__all__ = ["ask"]

_SHOWN = 40  # cells of a row
_KEYS = "a(nomaly), n(ormal), s(kip: cannot say), q(uit)"


def ask(
    model: o.RenewedModel,
    table: o.Table,
    rows: Annotated[int, typer.Option(help="How many rows to ask about, at most.", min=1)] = 10,
    out: o.NewModel = None,
    verdicts: Verdicts = None,
    by: By = None,
    separator: o.Separator = None,
    header: o.Header = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    query_timeout: o.QueryTimeout = 600.0,
    session: o.Session = None,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Show rows one after another, ask what they are, and learn from the answers; each is kept at once."""
    from outlearn.cli.suppress import user_name
    from outlearn.cli.terminal import progress_bars
    from outlearn.feedback.store import VerdictFile
    from outlearn.feedback.verdict import Channel
    from outlearn.pipeline import engine
    from outlearn.pipeline.labelled import FeedbackFiles

    target, kept = out or model, store_path(model, verdicts)
    check_written(FeedbackFiles(model, table, target, kept))
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
    with progress_bars(quiet) as progress:
        feedback = engine.ask(
            model,
            table,
            VerdictFile(kept),
            by=by or user_name(),
            channel=Channel.CLI,
            options=reading,
            progress=progress,
        )
    for note in feedback.notes if not quiet else ():
        say(f" - {note}")
    _converse(feedback, rows)
    _finish(feedback, target, kept, quiet=quiet)


def _converse(feedback: Feedback, rows: int) -> None:
    """Ask until enough rows were asked about, none is left, or the user has enough."""
    from outlearn.errors import InputError

    for number in range(1, rows + 1):
        try:
            question = feedback.ask()
        except InputError as error:
            say(str(error))
            return
        for line in _shown(question, number, rows):
            say(line)
        answer = _answer()
        if answer is None:
            return
        feedback.tell(question.row, answer)


def _answer() -> Answer | None:
    """Read an answer from standard input; None for the wish to quit, or its end."""
    from outlearn.feedback.verdict import Answer

    keys = {"a": Answer.ANOMALY, "n": Answer.NORMAL, "s": Answer.UNSURE, "skip": Answer.UNSURE}
    meaning = {**keys, **{answer.value: answer for answer in Answer}}
    while True:
        say(f"{_KEYS}? ", end=False)
        line = sys.stdin.readline()
        word = line.strip().lower()
        if not line or word in ("q", "quit"):
            say()
            return None
        if not sys.stdin.isatty():
            say(word)  # which a terminal has shown already
        if word in meaning:
            return meaning[word]
        say("that is none of the answers; ", end=False)


def _shown(question: Question, number: int, rows: int) -> list[str]:
    from outlearn.report.words import cell, score
    from outlearn.shown import clean

    cells = list(question.cells.items())
    width = max(len(clean(name, 40)) for name, _ in cells[:_SHOWN])
    more = len(cells) - _SHOWN
    return [
        "",
        f"{number} of at most {rows}: row {question.row}, score {score(question.score)}",
        *(f"  {clean(name, 40):<{width}}  {cell(value)}" for name, value in cells[:_SHOWN]),
        *([f"  … and {more:,} more columns"] if more > 0 else []),
        f"  {clean(question.why.sentence, 500)}",
    ]


def _finish(feedback: Feedback, target: Path, kept: Path, *, quiet: bool) -> None:
    """Learn from the answers, write the model, and say what changed."""
    from outlearn.feedback.verdict import Answer

    answers = list(feedback.answers.values())
    updated = feedback.updated()
    learnt = updated is not feedback.monitor
    if learnt:
        updated.save(target)
    if quiet:
        return
    if not learnt:
        say("nothing was learnt: no row is known to be an anomaly or normal")
    else:
        effects = feedback.effects(updated)
        counts = (answers.count(answer) for answer in (Answer.ANOMALY, Answer.NORMAL, Answer.UNSURE))
        before = len(answers) - len(effects)
        say(f"learnt: {counted(*counts)}{f'; {before:,} of them on record before' if before else ''}")
        for line in effect_lines(effects):
            say(line)
    say(f"Verdicts: {kept}")
    if learnt:
        say(f"Model: {target}")
