"""Stores for tests: SQLite in a file, and databases of PostgreSQL where the tests can have a server."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import make_url

from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.store.database import Database
from tests.postgres import Postgres

_NUMBERS = itertools.count()
# Modules whose tests run with PostgreSQL every day, for what they test rests on how a database locks, numbers
# or orders; those of other modules do in the long run. All run with SQLite every day.
_DAILY = (
    *("test_audit", "test_backup", "test_database", "test_idempotency", "test_queries", "test_retention"),
    *("test_runs", "test_schedule", "test_sessions", "test_verdicts"),
)


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is marked
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        spec = getattr(item, "callspec", None)
        of_server = spec is not None and spec.params.get("new_url") == "postgresql"
        if of_server and item.path.stem not in _DAILY:
            item.add_marker(pytest.mark.long)


def _new(server: Postgres, template: str = "template0") -> str:
    """Make a database, as a copy of another one, and return its URL."""
    name = f"store_{next(_NUMBERS)}"
    server.run(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.url(name)


@pytest.fixture(scope="session")
def migrated_postgresql(postgres_server: Postgres) -> str:
    """The name of a database with the tables, to be copied."""
    url = _new(postgres_server)
    with _opened(url) as database:
        database.upgrade()
    return str(database.engine.url.database)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables, to be copied."""
    path = tmp_path_factory.mktemp("store") / "store.db"
    with _opened(f"sqlite:///{path}") as database:
        database.upgrade()
    return path


@pytest.fixture
def url_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Give a function that makes a database of a kind and returns its URL.

    empty : whether it has no tables yet.
    """
    numbers = itertools.count()
    made: list[str] = []

    def make(kind: str, *, empty: bool = False) -> str:
        if kind == "postgresql":
            server = request.getfixturevalue("postgres_server")
            made.append(
                _new(server, "template0" if empty else request.getfixturevalue("migrated_postgresql"))
            )
            return made[-1]
        path = tmp_path / f"store-{next(numbers)}.db"
        if not empty:
            shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        return f"sqlite:///{path}"

    yield make
    for url in made:
        server = request.getfixturevalue("postgres_server")
        server.run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, url_of: Callable[..., str]) -> Callable[..., str]:
    """Return a function that makes a database and returns its URL; empty : whether it has no tables yet."""
    return partial(url_of, request.param)


@pytest.fixture
def url(new_url: Callable[..., str]) -> str:
    """The URL of a fresh store; each test runs with SQLite and with PostgreSQL."""
    return new_url()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A fresh store; each test runs with SQLite and with PostgreSQL."""
    with _opened(url) as database:
        yield database


@pytest.fixture
def admin() -> Actor:
    return Actor("root (command line)", UserRole.ADMIN, Via.CLI)


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database.open(url)
    try:
        yield database
    finally:
        database.close()
