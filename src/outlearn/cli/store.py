"""Shared by the commands of the service: which store, and in whose name."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outlearn.paths import READ

if TYPE_CHECKING:
    from outlearn.serving.access import Actor
    from outlearn.serving.service import Service
    from outlearn.serving.settings import Settings

__all__ = ["Config", "Store", "acting", "opened", "settings_of"]

Store = Annotated[
    str | None,
    typer.Option(
        help="Where the service keeps everything: sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME; "
        "else as in --config, else outlearn.db here.",
        metavar="URL",
        envvar="OUTLEARN_STORE",
        show_envvar=True,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        help="Settings of the service (TOML): store, roots, databases and limits.",
        metavar="FILE",
        envvar="OUTLEARN_CONFIG",
        show_envvar=True,
    ),
    READ,
]


def settings_of(store: str | None, config: Path | None, **overrides: Any) -> Settings:
    """Return the settings of a file with what the command line says.

    Raises
    ------
    MissingExtraError
        When what the service stands on is not installed.
    """
    from outlearn.extras import require

    for module in ("sqlalchemy", "alembic"):
        require(module, extra="serve")
    from outlearn.serving.settings import Settings

    return Settings.read(config, store=store, **overrides)


@contextmanager
def opened(store: str | None, config: Path | None) -> Iterator[Service]:
    """Open the service of a store, which is made where there is none."""
    settings = settings_of(store, config)
    from outlearn.serving.service import Service

    service = Service.open(settings)
    try:
        yield service
    finally:
        service.close()


def acting() -> Actor:
    """Return who gives the command: whoever can open the store may do all, and the audit has their name."""
    from outlearn.serving.access import Actor, UserRole, Via

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        name = "somebody"
    return Actor(f"{name} (command line)", UserRole.ADMIN, Via.CLI)
