"""outlearn audit: who changed what in a store, and whether that was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.guard import guarded
from outlearn.cli.say import say
from outlearn.cli.store import Config, Store, opened
from outlearn.errors import ParameterError

__all__ = ["audit"]

audit = typer.Typer(no_args_is_help=True, help="Who changed what in the store.")


def verify(
    known: Annotated[
        str | None,
        typer.Option(help="NUMBER:DIGEST that was printed before, so that a cut end is found too."),
    ] = None,
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """Check the chain of all entries, and print number and digest of the last, to be kept elsewhere."""
    from outlearn.serving.store import audit

    with opened(store, config) as service, service.database.reading() as connection:
        count = audit.verify(connection, known=None if known is None else _known(known))
        number, digest = audit.head(connection)
    say(f"The audit is whole: {count:,} entries. The last is")
    say(f"{number}:{digest}")


def list_entries(
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=10_000)] = 50,
    before: Annotated[int | None, typer.Option(help="Below this number.", metavar="NUMBER")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects.")] = False,
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """List the latest entries: when, who by which door, what on what."""
    from outlearn.serving.store import audit

    with opened(store, config) as service, service.database.reading() as connection:
        entries = audit.entries(connection, before=before, limit=limit)
    if as_json:
        return say(json.dumps([asdict(entry) for entry in entries], indent=2))
    for entry in entries:
        when = f"{datetime.fromtimestamp(entry.when, UTC):%Y-%m-%d %H:%M:%S}"
        detail = f"  {json.dumps(entry.detail)}" if entry.detail else ""
        say(f"{entry.seq}  {when}  {entry.who} ({entry.via})  {entry.action}  {entry.object}{detail}")
    return None


def _known(text: str) -> tuple[int, str]:
    """Return number and digest of an entry.

    >>> _known("7:" + "0" * 64)[0]
    7
    """
    number, _, digest = text.strip().partition(":")
    if not number.isascii() or not number.isdigit() or len(digest) != 64:
        raise ParameterError(
            f"--known is {text!r}; wanted NUMBER:DIGEST as `outlearn audit verify` prints it"
        )
    return int(number), digest


_COMMANDS: dict[str, Callable[..., None]] = {"verify": verify, "list": list_entries}
for title, command in _COMMANDS.items():
    audit.command(title)(guarded(command))
