"""Brings a store up to this version; one file of `versions` a step, never changed once it is released."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from outlearn.errors import StoreError

if TYPE_CHECKING:
    from outlearn.serving.store.database import Database

__all__ = ["latest", "upgrade"]


def upgrade(database: Database, to: str = "head") -> None:
    """Bring a store up to a revision, in one transaction; an empty database becomes a store.

    Raises
    ------
    StoreError
        When it was made by a later version.
    """
    config = _config()
    with database.writing() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, to)
        except CommandError as error:
            raise StoreError(
                f"{database.name}: a later version of outlearn made the store ({error}); upgrade outlearn"
            ) from error


def latest() -> str:
    """Return the revision of this version."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
