"""Stores for tests: SQLite in a file, and a PostgreSQL server of the session's own where its programs are."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from outlearn.serving.access import Actor, Role, Via
from outlearn.serving.store.database import Database

PROGRAMS = Path("/usr/lib/postgresql")  # where Debian puts them, a folder a version
# Nothing of a test has to outlast a loss of power.
SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server that listens on a socket in its folder alone."""

    folder: Path
    account: str
    programs: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        return f"postgresql://{self.account}@/{name}?host={self.folder}"

    def new(self, template: str = "template0") -> str:
        """Make a database, as a copy of another one, and return its URL."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Start a server, which ends with the session, however that ends."""
    versions = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not versions or shutil.which("setpriv") is None:
        pytest.skip("no programs of PostgreSQL are installed here (Debian: apt-get install postgresql)")
    account = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    # In memory where that can be: a database has hundreds of files. The path of a socket has to be short.
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
    with tempfile.TemporaryDirectory(prefix="outlearn-pg-", dir=place, ignore_cleanup_errors=True) as name:
        server = Server(Path(name), account, versions[-1].parent)
        with _running(server):
            yield server


@contextmanager
def _running(server: Server) -> Iterator[None]:
    data = server.folder / "data"
    rights = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:  # which the server refuses
        shutil.chown(server.folder, server.account)
        rights += ["--reuid", server.account, "--regid", server.account, "--clear-groups"]
    made = [server.programs / "initdb", "-D", data, "-U", server.account, "-A", "trust", "-E", "UTF8", "-N"]
    subprocess.run([*rights, *made, "--locale=C.UTF-8"], check=True, capture_output=True)
    options = [word for setting in SETTINGS for word in ("-c", setting)]
    command = [server.programs / "postgres", "-D", data, "-k", server.folder, "-h", "", *options]
    with (server.folder / "log").open("wb") as log:
        process = subprocess.Popen([*rights, *command], stdout=log, stderr=log)
    try:
        _wait_until_ready(server, process)
        yield
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: nothing of it is wanted any more
        process.wait(30)


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            return psycopg.connect(server.url("postgres")).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
    pytest.fail(f"PostgreSQL did not start: {(server.folder / 'log').read_text()}")


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: Server) -> str:
    """The name of a database with the tables, to be copied."""
    url = postgresql.new()
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


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Give a function that makes a database and returns its URL; empty : whether it has no tables yet."""
    numbers = itertools.count()
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    made = []

    def make(*, empty: bool = False) -> str:
        if server is not None:
            made.append(server.new("template0" if empty else request.getfixturevalue("migrated_postgresql")))
            return made[-1]
        path = tmp_path / f"store-{next(numbers)}.db"
        if not empty:
            shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        return f"sqlite:///{path}"

    yield make
    for url in made:
        server.drop(url)


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
    return Actor("root (command line)", Role.ADMIN, Via.CLI)


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database.open(url)
    try:
        yield database
    finally:
        database.close()
