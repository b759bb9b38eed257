"""Sessions of pages: begun with name and password, ended by hand, by age, or when nothing is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from outlearn.errors import AccessError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.accounts.attempts import forgive, register
from outlearn.serving.accounts.base import AccountsBase, find, folded, row_of
from outlearn.serving.accounts.passwords import check_password, hashed, is_outdated, matches
from outlearn.serving.accounts.tokens import digest_of, new_token
from outlearn.serving.store.audit import record
from outlearn.serving.store.tables import invites, sessions, users
from outlearn.shown import shown

__all__ = ["Session", "Sessions"]

_NOBODY = Actor("nobody", UserRole.VIEWER, Via.PAGE)  # who tries to come in
_EVERY = 60.0  # seconds between two notes of when a session was seen


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser is given. token : for the cookie. csrf : for forms. expires : seconds since 1970."""

    token: str = field(repr=False)
    csrf: str = field(repr=False)
    expires: float
    actor: Actor


class Sessions(AccountsBase):
    """Lets people in by password, and knows them again."""

    def log_in(self, name: str, password: str, *, address: str = "") -> Session:
        """Begin a session.

        What is wrong is not told, and takes the same time: whether there is such a user is nobody's business.

        Parameters
        ----------
        address : of the network, where the attempt comes from; counted beside the name.

        Raises
        ------
        AccessError
            When name and password do not go together, or the user is disabled or has no password.
        RateError
            When there were too many attempts lately.
        """
        token, csrf = new_token(), new_token()

        def begin(connection: Connection, row: RowMapping) -> Session:
            now = self.database.now(connection)
            expires = now + self.session_time.total_seconds()
            values = {"digest": digest_of(token), "user_id": row["id"], "csrf": csrf, "expires": expires}
            connection.execute(insert(sessions).values(created=now, seen=now, **values))
            actor, detail = _actor(row), {"address": shown(address)[:100]}
            record(self.database, connection, actor, "session.begin", f"user {actor.name}", detail)
            return Session(token, csrf, expires, actor)

        return self._tried(name, password, address, begin)

    def by_session(self, token: str, *, used: bool = True) -> tuple[Actor, str] | None:
        """Return who holds a session, and the token that its forms must bring; None where it is over.

        used : whether this is something that the person does, after which the session may idle anew.
        """
        digest = digest_of(token)
        query = (
            select(*sessions.c, users.c.name, users.c.role, users.c.disabled, users.c.id)
            .join(users, users.c.id == sessions.c.user_id)
            .where(sessions.c.digest == digest)
        )
        with self.database.reading() as connection:
            row = connection.execute(query).mappings().first()
            now = self.database.now(connection)
        idle = self.idle_time.total_seconds()
        if row is None or row["disabled"] or row["expires"] <= now or row["seen"] + idle <= now:
            return None
        if used and abs(now - row["seen"]) > _EVERY:
            with self.database.writing() as connection:
                connection.execute(update(sessions).where(sessions.c.digest == digest).values(seen=now))
        return _actor(row), row["csrf"]

    def log_out(self, token: str) -> None:
        """End a session; nothing happens where it is over."""
        query = (
            select(users)
            .join(sessions, sessions.c.user_id == users.c.id)
            .where(sessions.c.digest == digest_of(token))
        )
        with self.database.writing() as connection:
            row = connection.execute(query).mappings().first()
            if row is not None:
                connection.execute(delete(sessions).where(sessions.c.digest == digest_of(token)))
                record(self.database, connection, _actor(row), "session.end", f"user {row['name']}")

    def set_password(
        self, actor: Actor, name: str, password: str, *, current: str | None = None, keep: str = ""
    ) -> None:
        """Change a password, and end the sessions and invitations of the person.

        Parameters
        ----------
        current : the password from before, which people give for their own; for others, admins need none.
        keep : token of the session that goes on.

        Raises
        ------
        AccessError
            When the actor may not, or the password from before is wrong.
        AbsentError, ParameterError, RateError
            When there is no such user; when the password will not do; after too many wrong ones.
        """
        own = actor.user_id is not None and folded(name) == actor.name
        if not own:
            actor.require(UserRole.ADMIN, "change the passwords of others")
        check_password(password, folded(name))
        secret = hashed(password)

        def change(connection: Connection, row: RowMapping) -> None:
            mine = sessions.c.user_id == row["id"]
            connection.execute(update(users).where(users.c.id == row["id"]).values(password=secret))
            connection.execute(delete(invites).where(invites.c.user_id == row["id"]))
            connection.execute(delete(sessions).where(mine, sessions.c.digest != digest_of(keep)))
            record(self.database, connection, actor, "user.password", f"user {row['name']}")

        if own:
            return self._tried(name, current or "", "", change)
        with self.database.writing() as connection:
            return change(connection, row_of(connection, name))

    def _tried(
        self, name: str, password: str, address: str, then: Callable[[Connection, RowMapping], _T]
    ) -> _T:
        """Count an attempt, and do what it was for where the password is right.

        Raises
        ------
        AccessError, RateError
            When it is not; when there were too many.
        """
        with self.database.writing() as connection:
            attempt = register(self.database, connection, name, address)
            row = find(connection, name)
        secret: str | None = None if row is None or row["disabled"] else row["password"]
        right = matches(password, secret)  # takes long, and so is done between the transactions
        renewed = hashed(password) if right and secret and is_outdated(secret) else secret
        with self.database.writing() as connection:
            now = find(connection, name)
            if right and now is not None and not now["disabled"] and now["password"] == secret:
                forgive(connection, attempt)
                connection.execute(update(users).where(users.c.id == now["id"]).values(password=renewed))
                return then(connection, now)
            known = "an unknown name" if now is None else f"user {now['name']}"
            record(
                self.database, connection, _NOBODY, "session.refuse", known, {"address": shown(address)[:100]}
            )
        raise AccessError("the name or the password is wrong")


def _actor(row: RowMapping) -> Actor:
    return Actor(row["name"], UserRole.parse(row["role"]), Via.PAGE, row["id"])
