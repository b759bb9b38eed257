"""How a connection to a database is held to reading, and a query to its time, by dialect."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from outlearn.data.readers.sql_statement import Syntax
from outlearn.errors import ReadError

__all__ = ["UNGUARDED", "Guard", "QueryClock", "guard_of", "open_sqlite", "prepare"]

MOST_BYTES = 100_000_000  # of a value or a row of SQLite
BUSY = 30.0  # seconds to wait for another program that writes to an SQLite database
STEPS = 20_000  # of the machine that runs queries of SQLite, between two looks at the clock


@dataclass(frozen=True, slots=True)
class Guard:
    """What holds a dialect to reading.

    statements : run before the query, in its transaction; all of them must succeed. limits : of which the
    first that succeeds bounds the time, with {seconds} or {milliseconds}. connect : arguments for the driver.
    attributes : of a connection that bound the time, with how many of their units are a second.
    """

    syntax: Syntax = field(default_factory=Syntax)
    statements: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    connect: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, int] = field(default_factory=dict)
    trusted: bool = True


_POSTGRES = Guard(
    Syntax(dollars=True, nested=True),
    ("SET TRANSACTION READ ONLY",),
    ("SET LOCAL statement_timeout = {milliseconds}",),
)
_MYSQL = Guard(
    Syntax(hashes=True),
    ("SET SESSION TRANSACTION READ ONLY",),
    ("SET SESSION max_execution_time = {milliseconds}", "SET SESSION max_statement_time = {seconds}"),
)
_DUCKDB = Guard(
    Syntax(dollars=True, nested=True),
    connect={"read_only": True, "config": {"enable_external_access": False, "lock_configuration": True}},
)
GUARDS: Mapping[str, Guard] = MappingProxyType(
    {
        "sqlite": Guard(Syntax(escapes=False, brackets=True), ("PRAGMA query_only = ON",)),
        "postgresql": _POSTGRES,
        "cockroachdb": _POSTGRES,
        "mysql": _MYSQL,
        "mariadb": _MYSQL,
        "oracle": Guard(statements=("SET TRANSACTION READ ONLY",), attributes={"call_timeout": 1000}),
        "duckdb": _DUCKDB,
        "mssql": Guard(Syntax(escapes=False, brackets=True), attributes={"timeout": 1}, trusted=False),
    }
)
UNGUARDED = Guard(attributes={"timeout": 1}, trusted=False)


def guard_of(dialect: str) -> Guard:
    """Return what holds a dialect to reading; `UNGUARDED` where nothing does."""
    return GUARDS.get(dialect, UNGUARDED)


def prepare(connection: Any, guard: Guard, seconds: float) -> None:
    """Hold a connection of SQLAlchemy to reading, and its queries to their time, before the first of them.

    Raises
    ------
    SQLAlchemyError
        When the database refuses to be held to reading.
    """
    import sqlalchemy

    for statement in guard.statements:
        connection.exec_driver_sql(statement)
    values = {"seconds": max(1, round(seconds)), "milliseconds": max(1, round(1000 * seconds))}
    for limit in guard.limits:
        with suppress(sqlalchemy.exc.SQLAlchemyError):  # MySQL and MariaDB have other names for it
            connection.exec_driver_sql(limit.format(**values))
            break
    driver = connection.connection.dbapi_connection
    for name, units in guard.attributes.items():
        if hasattr(driver, name):
            setattr(driver, name, max(1, round(seconds * units)))


class QueryClock:
    """The time that a query may take in the database and while its rows are taken over, in seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self._spent, self._begun = seconds, 0.0, None  # type: float, float, float | None

    @property
    def out(self) -> bool:
        """Whether the time is over."""
        running = 0.0 if self._begun is None else time.monotonic() - self._begun
        return self._spent + running > self.seconds

    @contextmanager
    def running(self, stop: Callable[[], None] | None = None) -> Iterator[None]:
        """Count the time of the block, and call `stop` from another thread where it runs out.

        Raises
        ------
        ReadError
            When it has run out, whatever the block raised for being stopped.
        """
        self._begun = time.monotonic()
        timer = None if stop is None else Timer(max(self.seconds - self._spent, 0.0), stop)
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            yield
        except Exception as error:
            if self.out:
                raise self._late() from error
            raise
        finally:
            if timer is not None:
                timer.cancel()
            late, self._spent = self.out, self._spent + time.monotonic() - self._begun
            self._begun = None
        if late:
            raise self._late()

    def _late(self) -> ReadError:
        return ReadError(
            f"the query took more than {self.seconds:g} seconds and was stopped; narrow it down, or allow "
            "more (--query-timeout SECONDS, ReadOptions.query_timeout)"
        )


def open_sqlite(address: Any, clock: QueryClock) -> sqlite3.Connection:
    """Open an SQLite database at an URL of SQLAlchemy that nothing can be written to.

    The file is opened for reading, an authorizer refuses what is not a part of a SELECT, other files and
    functions that reach out of the database, and queries end when the clock has run out.

    Raises
    ------
    sqlite3.Error
        When it cannot be opened.
    """
    (place, *_), settings = address.get_dialect()().create_connect_args(address)
    settings["timeout"] = min(float(settings.get("timeout", BUSY)), BUSY, clock.seconds)
    if place != ":memory:":
        place, settings["uri"] = _for_reading(place, uri=bool(settings.get("uri"))), True
    connection = _usable(place, settings)
    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    connection.set_progress_handler(lambda: clock.out, STEPS)
    connection.set_authorizer(_authorize)
    return connection


def _usable(place: str, settings: Mapping[str, Any]) -> sqlite3.Connection:
    """Connect, and see that the database can be read at all.

    One with a write-ahead log wants to write beside itself even to be read. Where that is not possible and
    the log is empty, it is read as what nobody changes.
    """
    connection: sqlite3.Connection = sqlite3.connect(place, **settings)
    try:
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        file = Path(place.removeprefix("file:").partition("?")[0])
        if "immutable=" in place or not file.is_file() or _filled(file.with_name(f"{file.name}-wal")):
            raise
        connection = sqlite3.connect(f"{place}&immutable=1", **settings)
    return connection


def _filled(log: Path) -> bool:
    return log.is_file() and log.stat().st_size > 0


def _for_reading(place: str, *, uri: bool) -> str:
    """Return a path, or an address of SQLite, as an address that is opened for reading only."""
    if not uri:
        return f"file:{quote(place)}?mode=ro"
    path, _, settings = place.partition("?")
    kept = dict(parse_qsl(settings, keep_blank_values=True))
    if kept.get("mode") == "memory" or path in ("file::memory:", ":memory:"):
        return place
    return f"{path}?{urlencode({**kept, 'mode': 'ro'})}"


_OF_A_SELECT = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_REACHING_OUT = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "sqlite_log"}
_TELLING = {  # pragmas that tell of the database, whatever their argument
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    "database_list", "collation_list", "function_list", "module_list", "pragma_list", "compile_options",
    "data_version",
}  # fmt: skip
_TOLD = {
    "schema_version",
    "user_version",
    "application_id",
    "encoding",
    "page_size",
    "page_count",
    "read_uncommitted",  # which SQLAlchemy asks for
}


def _authorize(
    action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None
) -> int:
    """Allow what only reads; see sqlite3_set_authorizer."""
    allowed = action in _OF_A_SELECT
    if action == sqlite3.SQLITE_FUNCTION:
        allowed = (second or "").lower() not in _REACHING_OUT
    elif action == sqlite3.SQLITE_PRAGMA:
        name = (first or "").lower()
        allowed = name in _TELLING or (name in _TOLD and second is None)
    elif action == sqlite3.SQLITE_UPDATE:  # so functions such as json_each make themselves known to SQLite
        allowed = first == "sqlite_master"
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
