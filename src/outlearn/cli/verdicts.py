"""Shared by `label` and `ask`: where verdicts are kept, who gives them, and how they moved scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.paths import WRITTEN

if TYPE_CHECKING:
    from outlearn.pipeline.labelled import Effect, FeedbackFiles

__all__ = ["By", "Verdicts", "check_written", "counted", "effect_lines", "listed", "store_path"]

_LISTED = 10

Verdicts = Annotated[
    Path | None,
    typer.Option(
        help="File of verdicts (.jsonl), which is only ever added to; else it stands beside MODEL.",
        metavar="FILE",
    ),
    WRITTEN,
]
By = Annotated[str | None, typer.Option(help="Who says so; else the user's name.", metavar="NAME")]


def store_path(model: Path, given: Path | None) -> Path:
    """Return the file of verdicts: the one that was given, or the one beside the model.

    >>> store_path(Path("a/flows.outlearn"), None).name
    'flows.verdicts.jsonl'
    """
    return model.with_suffix(".verdicts.jsonl") if given is None else given


def check_written(files: FeedbackFiles) -> None:
    """Refuse, before any work, a model or a file of verdicts that could not be written, or over something.

    Raises
    ------
    OutputError
        When one of them is the table, or they are one file.
    """
    from outlearn.pipeline.output import check_output

    files.check()
    for path in (files.out, files.verdicts):
        if path is not None:
            check_output(Path(path))


def counted(anomalies: int, normals: int, unsure: int) -> str:
    """Say how many rows had which verdict.

    >>> counted(1, 2, 0)
    '1 anomaly, 2 normal rows'
    """
    words = [
        f"{anomalies:,} {'anomaly' if anomalies == 1 else 'anomalies'}",
        f"{normals:,} normal {'row' if normals == 1 else 'rows'}",
    ]
    return ", ".join([*words, f"{unsure:,} unsure (not learnt from)"] if unsure else words)


def effect_lines(effects: Sequence[Effect]) -> list[str]:
    """Say how learning moved the scores of rows, a line each."""
    from outlearn.report.words import score

    lines = [
        f"row {effect.row} ({effect.answer}): score {score(effect.before)}, now {score(effect.after)}"
        for effect in effects
    ]
    return [f" - {line}" for line in listed(lines)]


def listed(lines: Sequence[str]) -> list[str]:
    """Return the first lines, and how many more there are.

    >>> listed([str(n) for n in range(12)])[-1]
    'and 2 more'
    """
    more = len(lines) - _LISTED
    return [*lines[:_LISTED], *([f"and {more:,} more"] if more > 0 else [])]
