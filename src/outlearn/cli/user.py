"""outlearn user: people who may use the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.guard import guarded
from outlearn.cli.say import say
from outlearn.cli.store import Config, Store, acting, opened

__all__ = ["user"]

user = typer.Typer(no_args_is_help=True, help="People who may use the service.")

Name = Annotated[str, typer.Argument(help="Name of the person.", metavar="NAME")]
RoleName = Annotated[str, typer.Argument(help="viewer, analyst, operator or admin.", metavar="ROLE")]
Hours = Annotated[float, typer.Option(help="How long the invitation holds.")]


def add(
    name: Name,
    role: RoleName,
    hours: Hours = 24.0,
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """Add a person, and print the invitation by which they choose a password."""
    from outlearn.serving.access import UserRole

    with opened(store, config) as service:
        added = service.accounts.add_user(acting(), name, UserRole.parse(role))
        token = service.accounts.invite(acting(), added.name, hours)
    say(f"{added.name} is added as {added.role}.")
    _say_invitation(added.name, token, hours)


def list_users(
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects.")] = False,
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """List people: their role, and whether they are disabled."""
    with opened(store, config) as service:
        users = service.accounts.users()
    if as_json:
        return say(json.dumps([{**asdict(user), "role": str(user.role)} for user in users], indent=2))
    if not users:
        return say("There are no users; `outlearn user add NAME ROLE` adds one.")
    width = max(len(user.name) for user in users)
    for user in users:
        state = "disabled" if user.disabled else "" if user.has_password else "no password yet"
        say(f"{user.name:<{width}}  {user.role!s:<8}  {state}".rstrip())
    return None


def disable(name: Name, store: Store = None, config: Config = None, debug: o.Debug = False) -> None:
    """Shut a person out: their sessions end, and their keys do not work any more."""
    with opened(store, config) as service:
        service.accounts.disable(acting(), name)
    say(f"{name} is disabled.")


def enable(name: Name, store: Store = None, config: Config = None, debug: o.Debug = False) -> None:
    """Let a disabled person in again."""
    with opened(store, config) as service:
        service.accounts.enable(acting(), name)
    say(f"{name} is enabled.")


def role(
    name: Name, role: RoleName, store: Store = None, config: Config = None, debug: o.Debug = False
) -> None:
    """Change what a person may do, from their next request on."""
    from outlearn.serving.access import UserRole

    with opened(store, config) as service:
        service.accounts.set_role(acting(), name, UserRole.parse(role))
    say(f"{name} is {role.lower()}.")


def invite(
    name: Name, hours: Hours = 24.0, store: Store = None, config: Config = None, debug: o.Debug = False
) -> None:
    """Print an invitation by which a person chooses a new password; the one before does not hold any more."""
    with opened(store, config) as service:
        token = service.accounts.invite(acting(), name, hours)
    _say_invitation(name, token, hours)


def _say_invitation(name: str, token: str, hours: float) -> None:
    say(f"An invitation for {name}, for {hours:g} hours and one use; it cannot be shown again:")
    say(token)


_COMMANDS: dict[str, Callable[..., None]] = {
    "add": add,
    "list": list_users,
    "disable": disable,
    "enable": enable,
    "role": role,
    "invite": invite,
}
for title, command in _COMMANDS.items():
    user.command(title)(guarded(command))
