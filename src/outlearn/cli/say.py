"""The one way of plain text to a terminal: foreign text in it is cleaned, and passwords do not leave it."""

from __future__ import annotations

import typer

from outlearn.masked import masked
from outlearn.shown import shown

__all__ = ["complain", "say"]


def say(text: str = "", *, end: bool = True) -> None:
    """Print text, its lines kept apart, on standard output; `end` : whether the line ends."""
    typer.echo(shown(text), nl=end)


def complain(text: str) -> None:
    """Print text on standard error, without the passwords of addresses in it."""
    typer.echo(shown(masked(text)), err=True)
