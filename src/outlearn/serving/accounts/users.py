"""People: added and changed by an admin; they choose their password by an invitation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, count

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from outlearn.errors import AccessError, ConflictError, ParameterError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.accounts.base import AccountsBase, checked_name, row_of
from outlearn.serving.accounts.passwords import check_password, hashed
from outlearn.serving.accounts.tokens import digest_of, new_token
from outlearn.serving.store.audit import record
from outlearn.serving.store.tables import invites, sessions, users

__all__ = ["User", "Users"]

_LONGEST = 30 * 24.0  # hours that an invitation may hold


@dataclass(frozen=True, slots=True)
class User:
    """A person. created : seconds since 1970. has_password : whether pages let them in."""

    id: int
    name: str
    role: UserRole
    created: float
    disabled: bool
    has_password: bool


class Users(AccountsBase):
    """Adds, changes and disables people. Nobody is ever removed: verdicts and the audit name them."""

    def add_user(self, actor: Actor, name: str, role: UserRole, password: str | None = None) -> User:
        """Add a person. password : none: by keys alone, or until an invitation is accepted.

        Raises
        ------
        ParameterError, ConflictError
            When the name or password will not do; when the name is taken.
        """
        actor.require(UserRole.ADMIN, "add users")
        kept = checked_name(name)
        if password is not None:
            check_password(password, kept)
        secret = None if password is None else hashed(password)
        with self.database.writing() as connection:
            if connection.execute(select(users.c.id).where(users.c.name == kept)).first():
                raise ConflictError(f"there is a user {kept} already; take another name, or change that one")
            self._insert(connection, actor, kept, role, secret)
            return _user(row_of(connection, kept))

    def users(self) -> list[User]:
        """Return all people by name, the disabled too."""
        with self.database.reading() as connection:
            rows = connection.execute(select(users).order_by(users.c.name)).mappings()
            return [_user(row) for row in rows]

    def set_role(self, actor: Actor, name: str, role: UserRole) -> None:
        """Change what a person may do, from the next request on.

        Raises
        ------
        AbsentError, ConflictError
            When there is none; when no admin would be left.
        """
        actor.require(UserRole.ADMIN, "change roles")
        with self.database.writing() as connection:
            row = row_of(connection, name)
            if role < UserRole.ADMIN:
                _check_admin_left(connection, row)
            connection.execute(update(users).where(users.c.id == row["id"]).values(role=str(role)))
            detail = {"from": row["role"], "to": str(role)}
            record(self.database, connection, actor, "user.role", f"user {row['name']}", detail)

    def disable(self, actor: Actor, name: str) -> None:
        """Shut a person out: sessions and invitations end at once, and keys do not work any more.

        Raises
        ------
        AbsentError, ConflictError
            When there is none; when no admin would be left.
        """
        actor.require(UserRole.ADMIN, "disable users")
        with self.database.writing() as connection:
            row = row_of(connection, name)
            _check_admin_left(connection, row)
            connection.execute(update(users).where(users.c.id == row["id"]).values(disabled=True))
            for table in (sessions, invites):
                connection.execute(delete(table).where(table.c.user_id == row["id"]))
            record(self.database, connection, actor, "user.disable", f"user {row['name']}")

    def enable(self, actor: Actor, name: str) -> None:
        """Let a disabled person in again, with the password and keys from before.

        Raises
        ------
        AbsentError
            When there is none.
        """
        actor.require(UserRole.ADMIN, "enable users")
        with self.database.writing() as connection:
            row = row_of(connection, name)
            connection.execute(update(users).where(users.c.id == row["id"]).values(disabled=False))
            record(self.database, connection, actor, "user.enable", f"user {row['name']}")

    def invite(self, actor: Actor, name: str, hours: float = 24.0) -> str:
        """Return a token by which a person chooses a password, once; those from before end.

        Raises
        ------
        AbsentError, ConflictError, ParameterError
            When there is none; when they are disabled; when the hours are out of range.
        """
        actor.require(UserRole.ADMIN, "invite users")
        if not 0 < hours <= _LONGEST:
            raise ParameterError(
                f"an invitation for {hours:g} hours; wanted more than 0 and at most {_LONGEST:g}"
            )
        with self.database.writing() as connection:
            return self._invite(connection, actor, row_of(connection, name), hours)

    def first_invitation(self, actor: Actor, hours: float = 24.0) -> tuple[str, str] | None:
        """Return name and token of an admin to be invited, who is added where there is none.

        None once an admin has a password: then a start of the service has nothing to print.
        """
        actor.require(UserRole.ADMIN, "invite users")
        admins = (
            select(users).where(users.c.role == str(UserRole.ADMIN), ~users.c.disabled).order_by(users.c.id)
        )
        with self.database.writing() as connection:
            found = connection.execute(admins).mappings().all()
            if any(row["password"] for row in found):
                return None
            if found:
                row = found[0]
            else:
                taken = set(connection.execute(select(users.c.name)).scalars())
                names = chain(["admin"], (f"admin-{number}" for number in count(2)))
                name = next(name for name in names if name not in taken)
                self._insert(connection, actor, name, UserRole.ADMIN, None)
                row = row_of(connection, name)
            return row["name"], self._invite(connection, actor, row, hours)

    def accept(self, token: str, password: str) -> Actor:
        """Set the password of whoever was invited by a token, and end their sessions; they can log in then.

        Raises
        ------
        AccessError
            When the token is none, was used, or is too old.
        ParameterError
            When the password will not do; the token can be used again.
        """
        with self.database.reading() as connection:
            invited = self._invited(connection, token)
        check_password(password, invited["name"])
        secret = hashed(password)  # takes long, and so is done between the transactions
        with self.database.writing() as connection:
            row = self._invited(connection, token)
            connection.execute(delete(invites).where(invites.c.user_id == row["id"]))
            connection.execute(delete(sessions).where(sessions.c.user_id == row["id"]))
            connection.execute(update(users).where(users.c.id == row["id"]).values(password=secret))
            actor = Actor(row["name"], UserRole.parse(row["role"]), Via.PAGE, row["id"])
            record(self.database, connection, actor, "user.accept", f"user {actor.name}")
        return actor

    def _insert(
        self, connection: Connection, actor: Actor, name: str, role: UserRole, secret: str | None
    ) -> None:
        now = self.database.now(connection)
        connection.execute(
            insert(users).values(name=name, role=str(role), password=secret, created=now, disabled=False)
        )
        record(self.database, connection, actor, "user.add", f"user {name}", {"role": str(role)})

    def _invite(self, connection: Connection, actor: Actor, row: RowMapping, hours: float) -> str:
        if row["disabled"]:
            raise ConflictError(f"{row['name']} is disabled; enable them first")
        token, now = new_token(), self.database.now(connection)
        expires = now + hours * 3600
        connection.execute(delete(invites).where(invites.c.user_id == row["id"]))
        connection.execute(
            insert(invites).values(digest=digest_of(token), user_id=row["id"], created=now, expires=expires)
        )
        record(
            self.database,
            connection,
            actor,
            "user.invite",
            f"user {row['name']}",
            {"expires": round(expires)},
        )
        return token

    def _invited(self, connection: Connection, token: str) -> RowMapping:
        query = (
            select(users)
            .join(invites, invites.c.user_id == users.c.id)
            .where(invites.c.digest == digest_of(token), invites.c.expires > self.database.now(connection))
            .where(~users.c.disabled)
        )
        row = connection.execute(query).mappings().first()
        if row is None:
            raise AccessError(
                "the invitation was used, is too old or was never made; ask an admin for a new one"
            )
        return row


def _check_admin_left(connection: Connection, row: RowMapping) -> None:
    """Refuse to take away the last admin."""
    others = select(func.count()).where(
        users.c.role == str(UserRole.ADMIN), ~users.c.disabled, users.c.id != row["id"]
    )
    if (
        row["role"] == str(UserRole.ADMIN)
        and not row["disabled"]
        and not connection.execute(others).scalar_one()
    ):
        raise ConflictError(f"{row['name']} is the last admin; make another one first")


def _user(row: RowMapping) -> User:
    return User(
        row["id"],
        row["name"],
        UserRole.parse(row["role"]),
        row["created"],
        row["disabled"],
        row["password"] is not None,
    )
