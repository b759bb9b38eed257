"""outlearn label: verdicts read back from a scored file, recorded and learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.say import say
from outlearn.cli.verdicts import By, Verdicts, check_written, effect_lines, listed, store_path
from outlearn.paths import READ

if TYPE_CHECKING:
    from outlearn.pipeline.label import Labelled

__all__ = ["label"]


def label(
    model: o.RenewedModel,
    scored: Annotated[
        str,
        typer.Argument(
            help="File that --out of detect or score wrote, with a column of verdicts.",
            metavar="SCORED",
        ),
        READ,
    ],
    out: o.NewModel = None,
    verdicts: Verdicts = None,
    label_column: Annotated[
        str,
        typer.Option(help="Column of verdicts: anomaly/normal/unsure/empty, or 1/0/empty.", metavar="NAME"),
    ] = "verdict",
    anomaly_value: o.AnomalyValue = None,
    by: By = None,
    separator: o.Separator = None,
    header: o.Header = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Learn from the verdicts in a scored file; they are kept in a file that is only added to."""
    from outlearn.cli.suppress import user_name
    from outlearn.feedback.store import VerdictFile
    from outlearn.pipeline.label import label_model
    from outlearn.pipeline.labelled import FeedbackFiles

    target, kept = out or model, store_path(model, verdicts)
    check_written(FeedbackFiles(model, scored, target, kept))
    reading = o.read_options(separator, encoding, decimal, thousands, None, header=header, sheet=sheet)
    labelled = label_model(
        model,
        scored,
        target,
        VerdictFile(kept),
        by=by or user_name(),
        label_column=label_column,
        anomaly_values=anomaly_value or (),
        options=reading,
    )
    if not quiet:
        for line in _lines(labelled, scored, target, kept):
            say(line)


def _lines(labelled: Labelled, scored: str, model: Path, kept: Path) -> list[str]:
    from outlearn.cli.verdicts import counted

    known = labelled.anomalies + labelled.normals + labelled.unsure - labelled.added
    return [
        f"learnt from {scored}: {counted(labelled.anomalies, labelled.normals, labelled.unsure)}",
        *effect_lines(labelled.effects),
        *(f" - skipped {line}" for line in listed(labelled.skipped)),
        *(f" - {line}" for line in labelled.notes),
        f"Verdicts: {kept} ({labelled.added:,} added{f', {known:,} already there' if known else ''})",
        f"Model: {model}",
    ]
