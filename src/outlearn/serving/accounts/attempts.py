"""How often a password was tried, in the store, so that all servers of it count together."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select

from outlearn.errors import RateError
from outlearn.serving.accounts.base import folded
from outlearn.serving.accounts.tokens import digest_of
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import attempts
from outlearn.shown import shown

__all__ = ["forgive", "register"]

WINDOW = 15 * 60.0  # seconds
PER_NAME = 10  # in a window; 40 an hour, of which no good password falls
PER_ADDRESS = 50  # an office may share one


def register(database: Database, connection: Connection, name: str, address: str) -> int:
    """Count an attempt before it is known how it ends, so that many at once count too; return its number.

    Raises
    ------
    RateError
        When there were too many under the name, or from the address; with the seconds to wait.
    """
    now = database.now(connection)
    old = or_(attempts.c.when < now - WINDOW, attempts.c.when > now + WINDOW)  # the clock was set back
    connection.execute(delete(attempts).where(old))
    tried = digest_of(folded(name))  # people type passwords into the field of the name
    place = shown(address)[:100]
    wait = _wait(connection, attempts.c.name == tried, PER_NAME, now)
    if place:
        wait = max(wait, _wait(connection, attempts.c.address == place, PER_ADDRESS, now))
    if wait > 0:
        raise RateError(
            f"too many attempts to log in; wait {wait / 60:.0f} minutes and try again", seconds=wait
        )
    added = connection.execute(insert(attempts).values(name=tried, address=place, when=now))
    key: Any = added.inserted_primary_key
    return int(key[0])


def forgive(connection: Connection, attempt: int) -> None:
    """Take an attempt back that succeeded; those before it still count."""
    connection.execute(delete(attempts).where(attempts.c.id == attempt))


def _wait(connection: Connection, which: ColumnElement[bool], most: int, now: float) -> float:
    """Return how many seconds are left until there is room for one more."""
    query = select(func.count(), func.min(attempts.c.when)).where(which)
    count, first = connection.execute(query).one()
    return float(first) + WINDOW - now if count >= most else 0.0
