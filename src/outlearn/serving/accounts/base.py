"""What all parts of the accounts rest on: the store, how long sessions last, and people by name."""

from __future__ import annotations

import re
from datetime import timedelta
from difflib import get_close_matches

from sqlalchemy import Connection, RowMapping, select

from outlearn.errors import AbsentError, ParameterError
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import users
from outlearn.shown import shown

__all__ = ["AccountsBase", "checked_name", "checked_text", "find", "folded", "row_of"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")


class AccountsBase:
    """Holds the store.

    Parameters
    ----------
    session_hours : how long a session lasts at most. idle_minutes : how long it lasts without a request.
    """

    def __init__(self, database: Database, *, session_hours: float = 12.0, idle_minutes: float = 30.0):
        self.database = database
        self.session_time = timedelta(hours=session_hours)
        self.idle_time = timedelta(minutes=idle_minutes)


def folded(name: str) -> str:
    """Return the name of a person as it is kept: capitals make no difference."""
    return name.strip().lower()


def checked_name(name: str) -> str:
    """Return a new name as it is kept.

    Raises
    ------
    ParameterError
        When it could be taken for another one, or breaks lines of logs.
    """
    kept = folded(name)
    if not _NAME.fullmatch(kept):
        raise ParameterError(
            f"the name is {shown(name)[:100]!r}; "
            "wanted 1 to 100 of a-z, 0-9 and . _ @ + -, a letter or digit first"
        )
    return kept


def checked_text(text: str, what: str) -> str:
    """Return text of 1 to 100 characters that all show.

    Raises
    ------
    ParameterError
        When it is not.
    """
    kept = text.strip()
    if not 0 < len(kept) <= 100 or shown(kept) != kept or "\n" in kept:
        raise ParameterError(
            f"{what} is {shown(text)[:100]!r}; wanted 1 to 100 characters, none of them hidden"
        )
    return kept


def find(connection: Connection, name: str) -> RowMapping | None:
    """Return a person by name; None where there is none."""
    kept = folded(name)
    if not _NAME.fullmatch(kept):  # text that a database may refuse
        return None
    return connection.execute(select(users).where(users.c.name == kept)).mappings().first()


def row_of(connection: Connection, name: str) -> RowMapping:
    """Return a person by name.

    Raises
    ------
    AbsentError
        When there is none; with names that are close.
    """
    row = find(connection, name)
    if row is None:
        names = connection.execute(select(users.c.name)).scalars().all()
        close = get_close_matches(folded(name)[:100], names)
        hint = f"did you mean {' or '.join(close)}?" if close else "`outlearn user list` names all"
        raise AbsentError(f"there is no user {shown(name)[:100]!r}; {hint}")
    return row
