"""Keys for programs: 256 random bits, shown once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from outlearn.errors import AbsentError, AccessError, ConflictError, ParameterError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.accounts.base import AccountsBase, checked_text, folded, row_of
from outlearn.serving.accounts.tokens import KEY_PREFIX, digest_of, new_token
from outlearn.serving.store.audit import record
from outlearn.serving.store.tables import keys, users

__all__ = ["Key", "Keys"]

_FORM = re.compile(re.escape(KEY_PREFIX) + r"[A-Za-z0-9_-]{43}")
_LONGEST = 3650.0  # days
_EVERY = 60.0  # seconds between two notes of when a key was used: not each request is to write


@dataclass(frozen=True, slots=True)
class Key:
    """A key, without its secret; moments are seconds since 1970."""

    id: int
    user: str
    label: str
    role: UserRole
    created: float
    expires: float | None
    revoked: float | None
    used: float | None


class Keys(AccountsBase):
    """Makes, lists, revokes and recognises keys."""

    def new_key(
        self, actor: Actor, user: str, label: str, role: UserRole | None = None, days: float | None = None
    ) -> str:
        """Return a new key; its secret cannot be shown again.

        People make keys of their own on pages only, so that whoever finds a key makes no more from it.

        Parameters
        ----------
        label : what it is for. role : at most that of the user, which is also taken where none is given.
        days : how long it works; None: until it is revoked.

        Raises
        ------
        AccessError, AbsentError, ConflictError, ParameterError
            When the actor may not; when there is no such user; when they are disabled; for the rest.
        """
        label = checked_text(label, "the label of the key")
        if days is not None and not 0 < days <= _LONGEST:
            raise ParameterError(f"a key for {days:g} days; wanted more than 0 and at most {_LONGEST:g}")
        secret = new_token(KEY_PREFIX)
        with self.database.writing() as connection:
            row = _row_for(connection, actor, user)
            if row["disabled"]:
                raise ConflictError(f"{row['name']} is disabled; enable them first")
            highest = UserRole.parse(row["role"])
            granted = highest if role is None else role
            if granted > highest:
                raise ParameterError(
                    f"{row['name']} is {highest}, and a key of theirs cannot be {granted}; "
                    "change their role first, or take a lower one for the key"
                )
            now = self.database.now(connection)
            values = {
                "user_id": row["id"],
                "label": label,
                "role": str(granted),
                "created": now,
                "expires": None if days is None else now + days * 86400,
            }
            connection.execute(insert(keys).values(digest=digest_of(secret), **values))
            detail = {"label": label, "role": str(granted), "days": days}
            record(self.database, connection, actor, "key.add", f"user {row['name']}", detail)
        return secret

    def revoke_key(self, actor: Actor, key_id: int) -> None:
        """Make a key useless from the next request on. Admins revoke any, others their own.

        Raises
        ------
        AbsentError
            When there is none that the actor may see.
        ConflictError
            When it was revoked before.
        """
        with self.database.writing() as connection:
            row = connection.execute(_named_keys().where(keys.c.id == key_id)).mappings().first()
            if row is None or (actor.role < UserRole.ADMIN and actor.user_id != row["user_id"]):
                raise AbsentError(f"there is no key {key_id} of yours; the list of keys has their numbers")
            if row["revoked"] is not None:
                raise ConflictError(f"key {key_id} was revoked before")
            now = self.database.now(connection)
            connection.execute(update(keys).where(keys.c.id == key_id).values(revoked=now))
            detail = {"key": key_id, "label": row["label"]}
            record(self.database, connection, actor, "key.revoke", f"user {row['name']}", detail)

    def keys(self, user: str | None = None) -> list[Key]:
        """Return the keys of a person, or of all, newest first; the revoked too."""
        with self.database.reading() as connection:
            query = _named_keys().order_by(keys.c.id.desc())
            if user is not None:
                query = query.where(keys.c.user_id == row_of(connection, user)["id"])
            return [_key(row) for row in connection.execute(query).mappings()]

    def by_key(self, secret: str, via: Via = Via.API) -> Actor | None:
        """Return who holds a key; None where it is none, too old or revoked, or its user is disabled."""
        if not _FORM.fullmatch(secret):
            return None
        with self.database.reading() as connection:
            query = _named_keys().where(keys.c.digest == digest_of(secret))
            row = connection.execute(query).mappings().first()
            now = self.database.now(connection)
        if row is None or row["disabled"] or row["revoked"] is not None or _is_over(row["expires"], now):
            return None
        if row["used"] is None or abs(now - row["used"]) > _EVERY:
            with self.database.writing() as connection:
                connection.execute(update(keys).where(keys.c.id == row["id"]).values(used=now))
        role = min(UserRole.parse(row["role"]), UserRole.parse(row["user_role"]))
        return Actor(row["name"], role, via, row["user_id"])


def _row_for(connection: Connection, actor: Actor, user: str) -> RowMapping:
    """Return the person a key is for, where the actor may make one for them."""
    if actor.role < UserRole.ADMIN:
        own = select(users).where(users.c.id == actor.user_id, users.c.name == folded(user))
        row = connection.execute(own).mappings().first()
        if row is None or actor.via is not Via.PAGE:
            raise AccessError(
                f"{actor.name} is {actor.role} and may make keys for {actor.name} alone, on the page; "
                f"all else takes {UserRole.ADMIN}"
            )
        return row
    return row_of(connection, user)


def _named_keys() -> Select[Any]:
    """Select keys with the name, role and state of their users."""
    wanted = [users.c.name, users.c.role.label("user_role"), users.c.disabled]
    return select(*keys.c, *wanted).join(users, users.c.id == keys.c.user_id)


def _is_over(expires: float | None, now: float) -> bool:
    return expires is not None and expires <= now


def _key(row: RowMapping) -> Key:
    return Key(
        row["id"],
        row["name"],
        row["label"],
        UserRole.parse(row["role"]),
        row["created"],
        row["expires"],
        row["revoked"],
        row["used"],
    )
