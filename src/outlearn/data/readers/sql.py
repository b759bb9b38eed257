"""Rows of an SQL query, from any database that SQLAlchemy reaches; nothing in it is changed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from outlearn.data.readers.records import text_frame
from outlearn.data.readers.source import BATCH_ROWS, ReadOptions, Source, one_line, unique_names
from outlearn.data.readers.sql_reading import Guard, QueryClock, guard_of, open_sqlite, prepare
from outlearn.data.readers.sql_statement import check_statement
from outlearn.data.readers.text import from_text
from outlearn.errors import ReadError
from outlearn.extras import require
from outlearn.masked import masked, secrets_of

__all__ = ["RowOrder", "open_query", "rows_in_order"]

_FIRST_ROWS = 256  # that are taken at once before their size is known
_BATCH_BYTES = 64_000_000  # of the rows that are taken at once, about
_BIND = re.compile(r"(?<![:\w\\]):(?=\w)")  # what SQLAlchemy takes for a parameter


@dataclass(frozen=True, slots=True)
class _Query:
    """A query that was checked. name : what is read, in words without secrets. secrets : of the address."""

    name: str
    alchemy: Any
    address: Any
    text: str
    guard: Guard
    seconds: float
    secrets: frozenset[str]

    @property
    def by_sqlite(self) -> bool:
        """Whether it goes to SQLite by the driver of Python itself."""
        address = self.address
        return (address.get_backend_name(), address.get_driver_name()) == ("sqlite", "pysqlite")


def open_query(url: str, options: ReadOptions) -> Source:
    """Open the result of ``options.query`` at an SQLAlchemy URL.

    The query runs once to decide the types and again for each walk over the chunks, so its rows come in
    one order only if it says ``ORDER BY``. It is one statement that reads, the connection is held to reading
    (`sql_reading`), and nothing is committed.

    Raises
    ------
    ReadError
        Without a query, for one that does not only read or takes longer than ``options.query_timeout``, and
        for whatever the database refuses.
    MissingExtraError
        When SQLAlchemy is not installed.
    """
    query = _checked(url, options)
    notes = _notes(query.address.get_backend_name(), query.guard)
    return from_text(query.name, partial(_frames, query), options=options, notes=notes)


@dataclass(frozen=True, slots=True)
class RowOrder:
    """By which column the rows of a query come, and from which value on; None: from the first.

    descending : from the last one back. missing : just the rows that have no value in the column.
    """

    column: str
    since: Any = None
    descending: bool = False
    missing: bool = False


def rows_in_order(
    url: str, options: ReadOptions, order: RowOrder
) -> Iterator[tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    """Yield the names of the columns and rows of a query, as the database has them, some at a time.

    The query is held to reading as in `open_query`. It stands within another one, so an order of its own has
    no say.

    Raises
    ------
    ReadError
        As in `open_query`, and when the query has no such column.
    """
    query = _checked(url, options)
    yield from _rows(query, order)


def _checked(url: str, options: ReadOptions) -> _Query:
    """Return a query that was looked at.

    Raises
    ------
    ReadError
        When it is none that reads.
    """
    alchemy = require("sqlalchemy", extra="sql")
    try:
        address = alchemy.engine.make_url(url)
    except (alchemy.exc.ArgumentError, ValueError) as error:
        raise ReadError(
            "the database URL cannot be understood; wanted DIALECT://USER@HOST/DATABASE"
        ) from error
    name = f"query on {masked(address.render_as_string(hide_password=True))}"
    text = (options.query or "").strip().rstrip("; \t\r\n")
    if not text:
        raise ReadError(f"{name}: no query; give the SQL text as the option query")
    if "\0" in text:
        raise ReadError(f"{name}: the query holds a null character")
    dialect = address.get_backend_name()
    if dialect == "sqlite":
        _refuse_new_file(name, address.database)
    guard = guard_of(dialect)
    try:
        check_statement(text, guard.syntax, trusted=guard.trusted)
    except ReadError as error:
        raise ReadError(f"{name}: {error}") from error
    return _Query(name, alchemy, address, text, guard, options.query_timeout, secrets_of(url))


def _notes(dialect: str, guard: Guard) -> tuple[str, ...]:
    if guard.trusted:
        return ()
    return (
        f"nothing holds a connection to {dialect} to reading: the query was looked at and is rolled back; "
        "use an account that may only read",
    )


def _refuse_new_file(name: str, database: str | None) -> None:
    """Raise where the file is missing: SQLite would make an empty database."""
    if (
        database
        and database != ":memory:"
        and not database.startswith("file:")
        and not Path(database).is_file()
    ):
        raise ReadError(f"{name}: no such database file; check the path")


def _frames(query: _Query) -> Iterator[pl.DataFrame]:
    for columns, rows in _rows(query):
        yield text_frame(dict(zip(columns, zip(*rows, strict=True), strict=True)))


def _rows(
    query: _Query, order: RowOrder | None = None
) -> Iterator[tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    clock = QueryClock(query.seconds)
    with _told(query), _connected(query, clock) as connection:
        driver = connection.connection.dbapi_connection
        stop = getattr(driver, "interrupt", None) or getattr(driver, "cancel", None)
        with clock.running(stop):
            if not query.by_sqlite:  # which was opened for reading
                prepare(connection, query.guard, query.seconds)
            statement = _statement(query, order, connection.dialect)
            result = connection.execution_options(stream_results=True).execute(statement)
        with closing(result):  # a cursor of the server, which lives on where reading ends early
            yield from _fetched(result, partial(clock.running, stop))


def _fetched(
    result: Any, running: Callable[[], AbstractContextManager[None]]
) -> Iterator[tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    """Yield the columns of a result with some of its rows, taken over while the clock of the query runs."""
    columns, _ = unique_names(list(result.keys()))
    size = _FIRST_ROWS
    while True:
        with running():
            rows = [tuple(row) for row in result.fetchmany(size)]
            if not rows:
                return
            weight = sum(sys.getsizeof(cell) for row in rows[:: len(rows) // 64 + 1] for cell in row)
            weight *= len(rows) // 64 + 1
        yield columns, rows
        size = max(1, min(BATCH_ROWS, int(_BATCH_BYTES * len(rows) / max(weight, 1))))


def _statement(query: _Query, order: RowOrder | None, dialect: Any) -> Any:
    """Return the statement that is run; words and values of an order never stand in its text as they came."""
    text = _BIND.sub(r"\\:", query.text)
    if order is None:
        return query.alchemy.text(text)
    column = dialect.identifier_preparer.quote(order.column).replace(":", r"\:")
    inner = f"SELECT * FROM ({text}\n) outlearn_rows"  # the end of a line closes a comment
    if order.missing:
        return query.alchemy.text(f"{inner} WHERE {column} IS NULL")
    way = "DESC" if order.descending else "ASC"
    if order.since is None:
        return query.alchemy.text(f"{inner} ORDER BY {column} {way}")
    whole = f"{inner} WHERE {column} >= :outlearn_since ORDER BY {column} {way}"
    return query.alchemy.text(whole).bindparams(outlearn_since=order.since)


@contextmanager
def _connected(query: _Query, clock: QueryClock) -> Iterator[Any]:
    """Give a connection; whatever is done on it is rolled back when the block ends."""
    alchemy, ways = query.alchemy, {"poolclass": query.alchemy.pool.NullPool}
    if query.by_sqlite:
        ways["creator"] = partial(open_sqlite, query.address, clock)
    elif query.guard.connect:
        ways["connect_args"] = dict(query.guard.connect)
    engine = alchemy.create_engine(query.address, **ways)
    with engine.connect() as connection:
        yield connection


@contextmanager
def _told(query: _Query) -> Iterator[None]:
    """Turn what the database raises into a `ReadError` of one line, without the secrets of its address."""
    alchemy = query.alchemy
    try:
        yield
    except ReadError as error:
        raise ReadError(f"{query.name}: {error}") from error
    except ModuleNotFoundError as error:
        raise ReadError(f"{query.name}: its driver is not installed ({one_line(error)})") from error
    except alchemy.exc.SQLAlchemyError as error:
        words = masked(" ".join(str(getattr(error, "orig", None) or error).split()), query.secrets)
        hint = next((hint for sign, hint in _HINTS.items() if sign in words.lower()), "")
        raise ReadError(f"{query.name}: {one_line(ValueError(words))}{hint}") from None


_HINTS = {
    "database is locked": "; another program is writing to it: try again when it has ended",
    "not authorized": "; a query may only read, and only from this database",
    "prohibited": "; a query may only read, and only from this database",
    "unable to open": "; a database with a write-ahead log needs its files -wal and -shm beside it",
}
"""What a message of a database holds → what to say as well."""
