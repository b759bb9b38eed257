"""outlearn key: keys by which programs use the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.guard import guarded
from outlearn.cli.say import say
from outlearn.cli.store import Config, Store, acting, opened

if TYPE_CHECKING:
    from outlearn.serving.accounts import Key

__all__ = ["key"]

key = typer.Typer(no_args_is_help=True, help="Keys by which programs use the service.")


def add(
    user: Annotated[str, typer.Argument(help="Whose key it is.", metavar="USER")],
    label: Annotated[str, typer.Argument(help="What it is for.", metavar="LABEL")],
    role: Annotated[
        str | None, typer.Option(help="At most that of the user, which it is without it.", metavar="ROLE")
    ] = None,
    days: Annotated[float | None, typer.Option(help="How long it works; else until it is revoked.")] = None,
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """Make a key and print it, alone on standard output; it cannot be shown again."""
    from outlearn.serving.access import UserRole

    with opened(store, config) as service:
        wanted = None if role is None else UserRole.parse(role)
        secret = service.accounts.new_key(acting(), user, label, wanted, days)
    say(secret)


def list_keys(
    user: Annotated[str | None, typer.Option(help="Of this person alone.", metavar="NAME")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects.")] = False,
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """List keys, newest first: whose they are, what they are for, and whether they still work."""
    with opened(store, config) as service:
        keys = service.accounts.keys(user)
    if as_json:
        return say(json.dumps([{**asdict(key), "role": str(key.role)} for key in keys], indent=2))
    if not keys:
        return say("There are no keys; `outlearn key add USER LABEL` makes one.")
    for key in keys:
        say(f"{key.id}  {key.user}  {key.role!s}  {key.label}: {_state(key)}")
    return None


def revoke(
    number: Annotated[int, typer.Argument(help="Number of the key, as `list` has it.", metavar="NUMBER")],
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """Make a key useless at once."""
    with opened(store, config) as service:
        service.accounts.revoke_key(acting(), number)
    say(f"Key {number} is revoked.")


def _state(key: Key) -> str:
    if key.revoked is not None:
        return f"revoked {_day(key.revoked)}"
    used = "never used" if key.used is None else f"last used {_day(key.used)}"
    return used if key.expires is None else f"{used}, until {_day(key.expires)}"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


_COMMANDS: dict[str, Callable[..., None]] = {"add": add, "list": list_keys, "revoke": revoke}
for title, command in _COMMANDS.items():
    key.command(title)(guarded(command))
