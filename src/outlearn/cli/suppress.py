"""outlearn suppress: what is known to be good, in a file that is only ever added to."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.say import say
from outlearn.errors import ParameterError
from outlearn.paths import WRITTEN

__all__ = ["suppress", "user_name"]


def suppress(
    file: Annotated[Path, typer.Argument(help="File of patterns; it is made where there is none."), WRITTEN],
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="COLUMN=VALUE (* for anything, 10.0.0.0/24 for a network), COLUMN>=N or COLUMN<=N; may be "
            "repeated: all must hold.",
            metavar="CONDITION",
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is shown with every use.")] = None,
    by: Annotated[str | None, typer.Option(help="Who says so; else the user's name.")] = None,
    until: Annotated[
        str | None, typer.Option(help="Last day on which it holds; else for good.", metavar="YYYY-MM-DD")
    ] = None,
    revoke: Annotated[int | None, typer.Option(help="Take a pattern back.", metavar="ID")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Print the patterns.")] = False,
    debug: o.Debug = False,
) -> None:
    """Say which rows are known to be good, for --suppress of detect, score and hunt; nothing is deleted."""
    from outlearn.pipeline.suppression import add_pattern, revoke_pattern

    tasks = {"--where": bool(where), "--revoke": revoke is not None, "--list": list_}
    asked = [name for name, wanted in tasks.items() if wanted]
    if len(asked) != 1:
        raise ParameterError(
            f"{' and '.join(asked) or 'nothing'} was given; wanted one of {', '.join(tasks)}"
        )
    if list_:
        for line in _listed(file):
            say(line)
        return
    who = by or user_name()
    if revoke is not None:
        revoke_pattern(file, revoke, why=reason or "", by=who)
        say(f"pattern {revoke} is revoked; it stays in {file}")
        return
    pattern = add_pattern(file, where or (), why=reason or "", by=who, until=until)
    say(f"pattern {pattern.id} ({pattern.words()}) is in {file}; use it by --suppress {file}")


def user_name() -> str:
    """Return the name of whoever runs the command.

    Raises
    ------
    ParameterError
        When the system does not know it.
    """
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise ParameterError("your name is not known here; say who you are by --by") from error


def _listed(file: Path) -> list[str]:
    from datetime import UTC, datetime

    from outlearn.pipeline.suppression import known_patterns
    from outlearn.shown import clean

    today = datetime.now(UTC).date()
    lines = []
    for pattern in known_patterns(file):
        where = " and ".join(clean(condition, 300) for condition in pattern.where)
        state = pattern.idle(today) or "in force"
        lines.append(f"{pattern.id}  {where}: {pattern.words()}, {pattern.when}; {state}")
    return lines
