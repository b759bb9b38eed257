"""outlearn learners: what is learnt across tables, and which learner suits what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from outlearn.cli import options as o

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["learners"]

ADVICE = (
    (
        "Labels",
        "any, or none: profiles; of the others none: incontext or protonet; one to four: anil, protonet, "
        "siamese; more: metasgd, maml.",
    ),
    (
        "Similar tables",
        "gradient learners gain most where a table resembles those they learnt from; `outlearn metatrain` "
        "trains any learner on tables of your own.",
    ),
    (
        "Compute",
        "protonet is the quickest to train and to use; anil, fomaml and reptile are cheap; maml and metasgd "
        "go through second derivatives; siamese and triplet compare with every row of the support.",
    ),
    (
        "Reasons",
        "`outlearn explain` names columns and neighbours for every learner; siamese and triplet score by "
        "neighbours themselves, anil by a linear model that can be read.",
    ),
    (
        "Use",
        "outlearn detect TABLE --detector maml, and so in fit and evaluate; in Python "
        'Detector(learner="maml").',
    ),
)


def learners(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a list of objects, for other programs.")
    ] = False,
    debug: o.Debug = False,
) -> None:
    """List the learners: what each does, what suits it, what it costs, whether it ships trained."""
    entries = _listed()
    if as_json:
        import json

        typer.echo(json.dumps(entries, indent=2))
        return
    from outlearn.report.console import clean_console

    console = clean_console()
    console.print(_table(entries, console.is_terminal))
    for axis, words in ADVICE:
        console.print(f" - {axis}: {words}", markup=False, highlight=False)


def _table(entries: list[dict[str, Any]], boxed: bool) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    lines = Table(box=SIMPLE_HEAD if boxed else None, pad_edge=False)
    for title in ("Learner", "What it does", "Suits", "Cost", "Explains by", "Weights"):
        lines.add_column(title, no_wrap=title in ("Learner", "Weights"), overflow="fold")
    family = ""
    for entry in entries:
        if entry["family"] != family:
            lines.add_section()
            family = entry["family"]
            lines.add_row(Text(family, style="bold"))
        size = entry["weights_bytes"]
        weights = "none: train it" if size is None else f"{size / 1000:,.0f} kB"
        lines.add_row(
            f" {entry['name']}", *(entry[key] for key in ("idea", "suits", "cost", "explains")), weights
        )
    return lines


def _listed() -> list[dict[str, Any]]:
    """Return each learner as plain values; `weights_bytes` is None where no weights ship."""
    from outlearn.learners.catalogue import CATALOGUE
    from outlearn.weights.checkpoint import shipped

    return [
        {
            "name": name,
            "family": kind.family,
            "idea": kind.idea,
            "suits": kind.suits,
            "cost": kind.cost,
            "explains": kind.explains,
            "weights_bytes": shipped(name).stat().st_size if shipped(name).is_file() else None,
        }
        for name, kind in CATALOGUE.items()
    ]
