"""outlearn store: the store as a whole, to keep it safe, move it and bring it up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.guard import guarded
from outlearn.cli.say import say
from outlearn.cli.store import Config, Store, acting, settings_of
from outlearn.paths import READ, WRITTEN

if TYPE_CHECKING:
    from outlearn.serving.store.database import Database

__all__ = ["whole_store"]

whole_store = typer.Typer(no_args_is_help=True, help="The store of the service as a whole.")


def backup(
    file: Annotated[Path, typer.Argument(help="File to write (.zip).", metavar="FILE"), WRITTEN],
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """Write all of the store to one file; the service may run meanwhile."""
    with _database(store, config) as database:
        from outlearn.serving.store.backup import back_up

        made = back_up(database, file, acting())
    say(f"{sum(made.rows.values()):,} rows of {database.name} are in {file}.")
    say(f"The last entry of the audit in it is {made.head[0]}:{made.head[1]}")


def restore(
    file: Annotated[Path, typer.Argument(help="File of `outlearn store backup`.", metavar="FILE"), READ],
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """Fill an empty store from a file, whichever database it came from."""
    with _database(store, config) as database:
        from outlearn.serving.store.backup import restore

        made = restore(database, file, acting())
    say(f"{sum(made.rows.values()):,} rows of {file} are in {database.name}.")


def upgrade(store: Store = None, config: Config = None, debug: o.Debug = False) -> None:
    """Make the tables, or bring those of an earlier version up to this one; `outlearn serve` does so too."""
    with _database(store, config) as database:
        database.upgrade()
    say(f"{database.name} has the tables of this version.")


@contextmanager
def _database(store: str | None, config: Path | None) -> Iterator[Database]:
    """Open a store as it is: unlike the service, a backup changes no tables."""
    settings = settings_of(store, config)
    from outlearn.serving.store.database import Database

    database = Database.open(settings.store)
    try:
        yield database
    finally:
        database.close()


_COMMANDS: dict[str, Callable[..., None]] = {"backup": backup, "restore": restore, "upgrade": upgrade}
for title, command in _COMMANDS.items():
    whole_store.command(title)(guarded(command))
