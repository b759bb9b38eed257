"""A PostgreSQL server of the tests' own: a folder that goes with it, and no port that others could reach."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Postgres", "missing", "running"]

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")
SETTINGS = (
    *(
        "fsync=off",
        "full_page_writes=off",
        "synchronous_commit=off",
    ),  # nothing has to outlast a loss of power
    "listen_addresses=",
)


@dataclass(frozen=True)
class Postgres:
    """A server that listens at a Unix socket in `folder`, and its superuser."""

    folder: Path
    user: str

    def url(self, database: str = "postgres", user: str | None = None) -> str:
        """Return an address of SQLAlchemy."""
        return f"postgresql+psycopg://{user or self.user}@/{database}?host={self.folder}"

    def run(self, *statements: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run statements as the superuser, outside of a transaction; return the rows of the last one."""
        import psycopg

        address = {"host": str(self.folder), "user": self.user, "dbname": database}
        with psycopg.connect(**address, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def missing() -> str:
    """Return why no server can be had here; nothing where one can."""
    if _programs() is None:
        return "the programs of PostgreSQL (initdb, pg_ctl) are not installed"
    if os.name != "posix" or (os.geteuid() == 0 and _other_user() is None):
        return "PostgreSQL does not run as root, and there is no user postgres or nobody"
    return ""


@contextmanager
def running() -> Iterator[Postgres]:
    """Start a server, and stop and remove it in the end."""
    programs, other = _programs(), _other_user() if os.geteuid() == 0 else None
    assert programs is not None
    memory = Path("/dev/shm")  # where a database is made in a tenth of the time
    place = memory if os.access(memory, os.W_OK) else None
    folder = Path(
        tempfile.mkdtemp(prefix="pg-", dir=place)
    )  # none of pytest's: the path of a socket is short
    try:
        if other is not None:
            os.chown(folder, other.pw_uid, other.pw_gid)
        data = str(folder / "data")
        settings = " ".join(f"-c {setting}" for setting in (*SETTINGS, f"unix_socket_directories={folder}"))
        user = other.pw_name if other else getpass.getuser()
        _run(
            other,
            programs / "initdb",
            "-D",
            data,
            "-U",
            user,
            "-A",
            "trust",
            "-N",
            "-E",
            "UTF8",
            "--locale=C",
        )
        log = str(folder / "log")
        _run(other, programs / "pg_ctl", "-D", data, "-w", "-t", "60", "-l", log, "-o", settings, "start")
        try:
            yield Postgres(folder, user)
        finally:
            _run(other, programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    if (found := shutil.which("initdb")) is not None:
        return Path(found).parent
    root = Path("/")
    folders = sorted(folder for place in PLACES for folder in root.glob(place.removeprefix("/")))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


def _other_user() -> pwd.struct_passwd | None:
    """Return a user without rights that a server may run as."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _run(other: pwd.struct_passwd | None, program: Path, *words: str) -> None:
    who = {} if other is None else {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
    subprocess.run([program, *words], check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=120, **who)
