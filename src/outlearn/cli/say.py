"""The one way of plain text to a terminal: foreign text in it is cleaned, and passwords do not leave it."""

from __future__ import annotations

import typer

from outlearn.masked import masked
from outlearn.shown import shown, unbroken

__all__ = ["complain", "say", "say_lines"]


def say(text: str = "", *, end: bool = True) -> None:
    """Print text on one line of standard output, whatever breaks are in it; `end` : whether the line ends."""
    typer.echo(unbroken(text), nl=end)


def say_lines(text: str) -> None:
    """Print text on standard output with its lines kept apart: one of ours, whose parts hold no breaks."""
    typer.echo(shown(text))


def complain(text: str) -> None:
    """Print text on standard error, without the passwords of addresses in it."""
    typer.echo(shown(masked(text)), err=True)
