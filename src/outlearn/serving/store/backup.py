"""A store in one file, of one form for all databases, so that it also moves a store to another one.

The file is a zip archive: ``tables/NAME.jsonl`` with a row a line, a list of cells, bytes in base64; and
``manifest.json`` with the version of the tables, and rows and SHA-256 of each member. What holds for a while,
sessions, invitations and attempts to log in, is left out. Hashes of passwords and digests of keys are in it,
so nobody else may read the file.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile
from zlib import error as ZlibError

from cattrs import BaseValidationError, structure
from sqlalchemy import Connection, LargeBinary, Table, exists, func, insert, select, text
from sqlalchemy.exc import DBAPIError, StatementError

from outlearn.errors import ConflictError, OutputError, ReadError
from outlearn.files import whole
from outlearn.serving.access import Actor, UserRole
from outlearn.serving.store import audit
from outlearn.serving.store.database import Database
from outlearn.serving.store.migrations import latest
from outlearn.serving.store.tables import METADATA, attempts, invites, sessions

__all__ = ["Backup", "back_up", "restore"]

FORM, VERSION = "outlearn store", 1
MANIFEST = "manifest.json"
AT_ONCE = 500  # rows in memory; of tables with files, one
_PASSING = (sessions, invites, attempts)
_TABLES = [table for table in METADATA.sorted_tables if table not in _PASSING]


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: rows by table, and the last entry of the audit, see `audit.verify`."""

    rows: dict[str, int]
    head: tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Member:
    rows: int
    sha256: str
    columns: list[str]


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What a backup says of itself. numbers : the highest that each table gave a row."""

    form: str
    version: int
    revision: str
    created: float
    audit: tuple[int, str]
    members: dict[str, _Member]
    numbers: dict[str, int]


def back_up(database: Database, path: Path, actor: Actor) -> Backup:
    """Write a store, as it is at one moment, to a file that appears whole or not at all.

    Others go on reading and writing meanwhile.

    Raises
    ------
    AccessError, OutputError, StoreError
        When the actor may not; when the file cannot be written; when the database does not answer.
    """
    actor.require(UserRole.ADMIN, "back up the store")
    _check_apart(database, path)
    with whole(path) as draft:
        draft.chmod(0o600)
        with database.reading() as connection, ZipFile(draft, "w", ZIP_DEFLATED) as archive:
            head = audit.head(connection)
            members = {table.name: _write(connection, table, archive) for table in _TABLES}
            now, numbers = database.now(connection), _numbers(database, connection)
            manifest = _Manifest(FORM, VERSION, latest(), now, head, members, numbers)
            archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
    with database.writing() as connection:
        detail = {"audit": head[0]}
        audit.record(database, connection, actor, "store.backup", f"file {path.name}", detail)
    return Backup({name: member.rows for name, member in members.items()}, head)


def restore(database: Database, path: Path, actor: Actor) -> Backup:
    """Fill an empty store from a backup: all of it, once all is found to be whole, or nothing.

    Raises
    ------
    AccessError, ConflictError, ReadError, StoreError
        When the actor may not; when the store is not empty; when the file is none, is damaged or of another
        version; when the database does not answer.
    """
    actor.require(UserRole.ADMIN, "restore the store")
    try:
        with ZipFile(path) as archive:
            manifest = _read_manifest(archive, path)
            database.upgrade()
            with database.writing() as connection:
                return _restore(database, connection, archive, manifest, path, actor)
    except (OSError, BadZipFile, ZlibError, EOFError) as error:
        raise ReadError(f"{path} cannot be read as a backup: {error}; take another one") from error


def _restore(
    database: Database,
    connection: Connection,
    archive: ZipFile,
    manifest: _Manifest,
    path: Path,
    actor: Actor,
) -> Backup:
    full = [
        table.name
        for table in METADATA.sorted_tables
        if connection.execute(select(exists(table.select()))).scalar()
    ]
    if full:
        raise ConflictError(
            f"{database.name} is not empty: it has {full[0]}; restore into a new database, and let the "
            "service use that one"
        )
    for table in _TABLES:
        _fill(connection, table, archive, manifest.members[table.name], path)
    _set_numbers(database, connection, manifest.numbers)
    number, digest = manifest.audit
    audit.verify(connection, known=(number, digest) if number else None)
    audit.record(database, connection, actor, "store.restore", f"file {path.name}", {"audit": number})
    return Backup({name: member.rows for name, member in manifest.members.items()}, (number, digest))


def _write(connection: Connection, table: Table, archive: ZipFile) -> _Member:
    """Write the rows of a table in the order of their keys; return how many, and their digest."""
    query = select(table).order_by(*table.primary_key)
    rows, digest = 0, sha256()
    with (
        archive.open(_member(table), "w", force_zip64=True) as stream,
        connection.execute(query, execution_options={"yield_per": _at_once(table)}) as result,
    ):
        for row in result:
            cells = [b64encode(cell).decode() if isinstance(cell, bytes) else cell for cell in row]
            line = json.dumps(cells, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
            stream.write(line)
            digest.update(line)
            rows += 1
    columns = [column.name for column in table.columns]
    return _Member(rows, digest.hexdigest(), columns)


def _fill(connection: Connection, table: Table, archive: ZipFile, member: _Member, path: Path) -> None:
    """Insert the rows of a table.

    Raises
    ------
    ReadError
        When they are not those that were written.
    """
    digest, count = sha256(), 0
    batch: list[dict[str, Any]] = []
    for row in _rows(archive, table, member.columns, digest, path):
        batch.append(row)
        count += 1
        if len(batch) == _at_once(table):
            _insert(connection, table, batch, path)
            batch = []
    if batch:
        _insert(connection, table, batch, path)
    if digest.hexdigest() != member.sha256 or count != member.rows:
        raise ReadError(f"{path} is damaged: {_member(table)} is not what was written; take another backup")


def _rows(
    archive: ZipFile, table: Table, columns: list[str], digest: Any, path: Path
) -> Iterator[dict[str, Any]]:
    files = {column.name for column in table.columns if isinstance(column.type, LargeBinary)}
    with archive.open(_member(table)) as stream:
        for line in stream:
            digest.update(line)
            try:
                row = dict(zip(columns, json.loads(line), strict=True))
                yield row | {name: b64decode(row[name], validate=True) for name in files & row.keys()}
            except (ValueError, TypeError) as error:
                raise ReadError(
                    f"{path} is damaged: a line of {_member(table)} is no row ({error})"
                ) from error


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]], path: Path) -> None:
    try:
        connection.execute(insert(table), rows)
    except StatementError as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        raise ReadError(f"{path}: rows of {table.name} cannot be kept here: {error.orig}") from error


def _read_manifest(archive: ZipFile, path: Path) -> _Manifest:
    """Return what a backup says of itself.

    Raises
    ------
    ReadError
        When it is none, or not one that this version reads.
    """
    try:
        manifest = structure(json.loads(archive.read(MANIFEST)), _Manifest)
    except (KeyError, ValueError, BaseValidationError) as error:
        raise ReadError(f"{path} is no backup of a store, which `outlearn store backup` writes") from error
    if (manifest.form, manifest.version, manifest.revision) != (FORM, VERSION, latest()):
        raise ReadError(
            f"{path} is a {manifest.form} of version {manifest.version} with tables of {manifest.revision}; "
            f"this outlearn reads version {VERSION} with tables of {latest()}: restore by the one that wrote "
            "it, and upgrade that store"
        )
    columns = {name: member.columns for name, member in manifest.members.items()}
    wanted = {table.name: [column.name for column in table.columns] for table in _TABLES}
    if columns != wanted or set(archive.namelist()) != {*map(_member, _TABLES), MANIFEST}:
        raise ReadError(f"{path} is damaged: its tables are not those of its version; take another backup")
    return manifest


def _numbers(database: Database, connection: Connection) -> dict[str, int]:
    """Return the highest number that each table gave a row, for those of removed rows are not given again."""
    numbers = {}
    for table in _counted():
        (key,) = table.primary_key
        highest = connection.execute(select(func.max(key))).scalar_one() or 0
        numbers[table.name] = max(highest, _given(database, connection, table))
    return numbers


def _given(database: Database, connection: Connection, table: Table) -> int:
    if database.is_sqlite:
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        return int(connection.execute(query, {"name": table.name}).scalar() or 0)
    sequence = connection.execute(_SEQUENCE, _key_of(table)).scalar_one()
    found = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {sequence}").one()
    return int(found.last_value) if found.is_called else 0


def _set_numbers(database: Database, connection: Connection, numbers: Mapping[str, int]) -> None:
    for table in _counted():
        number = numbers.get(table.name, 0)
        if number and not database.is_sqlite:
            sequence = connection.execute(_SEQUENCE, _key_of(table)).scalar_one()
            connection.execute(
                text("SELECT setval(:sequence, :number)"), {"sequence": sequence, "number": number}
            )
        elif number and table.dialect_options["sqlite"]["autoincrement"]:
            known = {"name": table.name, "number": number}
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), known)
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"), known)


_SEQUENCE = text("SELECT pg_get_serial_sequence(:table, :key)")


def _key_of(table: Table) -> dict[str, str]:
    (key,) = table.primary_key
    return {"table": table.name, "key": key.name}


def _counted() -> list[Table]:
    """Return the tables whose rows the database numbers."""
    return [table for table in _TABLES if table.autoincrement_column is not None]


def _at_once(table: Table) -> int:
    return 1 if any(isinstance(column.type, LargeBinary) for column in table.columns) else AT_ONCE


def _member(table: Table) -> str:
    return f"tables/{table.name}.jsonl"


def _check_apart(database: Database, path: Path) -> None:
    """Refuse to write a backup over the store itself."""
    if database.is_sqlite:
        store = Path(str(database.engine.url.database)).resolve()
        if path.resolve() in {store, *(store.with_name(store.name + end) for end in ("-wal", "-shm"))}:
            raise OutputError(f"{path} is the store itself; name another file for the backup")
