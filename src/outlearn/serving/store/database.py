"""The database behind the service: SQLite in a file, or PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from outlearn.errors import StoreError
from outlearn.masked import masked, secrets_of

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

__all__ = ["DEFAULT", "Database", "before_commit"]

DEFAULT = "sqlite:///outlearn.db"
BUSY = 30.0  # seconds that one writer waits for another
_POSTGRESQL = "postgresql+psycopg"
_WRITERS = 0x6F75746C  # number of the lock of writers in PostgreSQL
_BEFORE_COMMIT: ContextVar[Callable[[Connection], None] | None] = ContextVar("before_commit", default=None)


@dataclass(frozen=True, slots=True)
class Database:
    """Connections to the store; any number of threads may take some.

    Every change is in a `writing` block: a transaction that holds the one lock of writers, so that nothing
    that it reads changes before it ends, and that does all of its work or none. Such blocks are short: work
    that takes long is done before. `reading` blocks see the store as it was at one moment, and never wait.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> database = Database.open(f"sqlite:///{folder.name}/a.db")
    >>> database.upgrade()
    >>> with database.writing() as connection:
    ...     _ = connection.exec_driver_sql("INSERT INTO blobs VALUES ('00', x'01')")
    >>> with database.reading() as connection:
    ...     connection.exec_driver_sql("SELECT count(*) FROM blobs").scalar_one()
    1
    >>> database.close()
    >>> folder.cleanup()
    """

    engine: Engine = field(repr=False)  # whose URL may hold a password

    @classmethod
    def open(cls, url: str = DEFAULT) -> Database:
        """Return the database of a URL; nothing is read or made yet.

        Parameters
        ----------
        url : ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST/NAME``.

        Raises
        ------
        StoreError
            When it is neither, or the driver is not installed.
        """
        parsed = _parsed(url)
        if parsed.get_backend_name() == "sqlite":
            return cls(_sqlite(parsed))
        return cls(
            create_engine(
                parsed.set(drivername=_POSTGRESQL),
                isolation_level="REPEATABLE READ",
                pool_pre_ping=True,
                pool_size=10,
                max_overflow=20,
                connect_args={"connect_timeout": 10},
            )
        )

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def name(self) -> str:
        """The URL without its password, and without the driver that was chosen for it."""
        url = self.engine.url.set(drivername=self.engine.url.get_backend_name())
        return masked(url.render_as_string(hide_password=True))

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self.engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction for changes: all of them are kept when the block ends, none when it raises.

        Raises
        ------
        StoreError
            When the database cannot be reached or written to, or holds no store.
        """
        with self._translated(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.info["writes"] = True  # which the listener below reads
            else:
                connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                if not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITERS})
                yield connection
                if (last := _BEFORE_COMMIT.get()) is not None:
                    last(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees the store as it is now.

        Raises
        ------
        StoreError
            When the database cannot be reached, or holds no store.
        """
        with self._translated(), self.engine.connect() as connection:
            yield connection

    def now(self, connection: Connection) -> float:
        """Return seconds since 1970, by the clock that all users of the database share."""
        if self.is_sqlite:
            return time.time()
        return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())

    def upgrade(self) -> None:
        """Make the tables, or bring those of an earlier version up to this one; several may try at once.

        Raises
        ------
        StoreError
            When the database cannot be reached, or was made by a later version.
        """
        from outlearn.serving.store.migrations import upgrade

        with self._translated():
            upgrade(self)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn errors of the driver into those of ours, without passwords."""
        try:
            yield
        except DBAPIError as error:
            trouble = _trouble(error)
            if trouble is None:
                raise
            secrets = secrets_of(self.engine.url.render_as_string(hide_password=False))
            reason = masked(" ".join(str(error.orig).split()), secrets)
            raise StoreError(f"{self.name}: {trouble} ({reason})") from error


@contextmanager
def before_commit(last: Callable[[Connection], None]) -> Iterator[None]:
    """Have something done last in each `writing` block of this context, in its transaction.

    So who calls for a change can keep, with the change or not at all, that it was made.
    """
    token = _BEFORE_COMMIT.set(last)
    try:
        yield
    finally:
        _BEFORE_COMMIT.reset(token)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"{masked(url)} is no URL of a database; {_WANTED}") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(f"the store cannot be in {parsed.get_backend_name()}; {_WANTED}")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError(f"a store in memory would be lost, and is not shared; {_WANTED}")
    if parsed.get_backend_name() == "postgresql":
        try:
            import psycopg  # noqa: F401
        except ImportError as error:
            raise StoreError(
                "PostgreSQL wants psycopg, which is not installed: pip install 'outlearn[postgresql]'"
            ) from error
    return parsed


def _trouble(error: DBAPIError) -> str | None:
    """Return what is wrong with the database; None where it is the statement that is wrong."""
    code = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None) or ""
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "XX")):
        return "the database is damaged, or is no database; restore a backup, or name another one"
    if code in _ABSENT or str(error.orig).startswith(("no such table", "no such column")):
        return "it holds no store yet, or one of another version; run `outlearn store upgrade`"
    if error.connection_invalidated or isinstance(error, OperationalError) or code in _REFUSED:
        return "the database does not answer, or not now"
    return None


_ABSENT = ("42P01", "42703", "3F000")  # of PostgreSQL: no table, no column, no schema
_REFUSED = ("25006", "42501")  # of PostgreSQL: it takes no changes, or none from this user
_WANTED = "wanted sqlite:///PATH, or postgresql://USER:PASSWORD@HOST/NAME"


def _sqlite(url: URL) -> Engine:
    path = Path(str(url.database))
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no folder {path.parent} for the store; make it first")
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        poolclass=QueuePool,
        pool_size=10,
        max_overflow=30,
        connect_args={"check_same_thread": False, "timeout": BUSY},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _: Any) -> None:
        assert isinstance(connection, sqlite3.Connection)
        connection.isolation_level = None  # the driver begins no transactions of its own
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.info.pop("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
