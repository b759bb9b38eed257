"""Who changed what: entries that are only ever added, each with the digest of the one before.

Whoever changes, removes or moves an entry breaks the chain from there on, which `verify` finds. Only the last
entries can be cut off unseen; so a digest that was written down elsewhere (`head`) can be given to `verify`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select

from outlearn.errors import StoreError
from outlearn.serving.access import Actor
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import audit, events
from outlearn.shown import shown

__all__ = ["FIRST", "AuditRecord", "entries", "head", "note", "record", "verify"]

FIRST = "0" * 64  # what the first entry names as the one before it
STEP = 1000  # entries that are checked at once


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A change: its number, when (seconds since 1970), who by which door, what on what, and details."""

    seq: int
    when: float
    who: str
    via: str
    action: str
    object: str
    detail: dict[str, Any]
    digest: str


def record(
    database: Database,
    connection: Connection,
    actor: Actor,
    action: str,
    object: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry in the transaction that makes the change, so that neither is there without the other.

    action : in dotted words, such as "job.add". object : such as "job payments". detail : plain values; never
    a password or key.
    """
    seq, before = _last(connection)
    fields = {
        "seq": seq + 1,
        "when": database.now(connection),
        "who": _line(actor.name)[:100],
        "via": actor.via.value,
        "action": action,
        "object": _line(object)[:300],
        "detail": json.dumps(dict(detail or {}), sort_keys=True, ensure_ascii=True),
    }
    connection.execute(insert(audit).values(**fields, before=before, digest=_digest(fields, before)))


def note(
    database: Database, connection: Connection, kind: str, job_id: int | None = None, **detail: Any
) -> None:
    """Add an event for the pages that follow; it is no record, and goes after a while."""
    when = database.now(connection)
    connection.execute(insert(events).values(when=when, kind=kind, job_id=job_id, detail=json.dumps(detail)))


def head(connection: Connection) -> tuple[int, str]:
    """Return number and digest of the last entry, to be written down elsewhere; 0 without entries."""
    return _last(connection)


def entries(connection: Connection, *, before: int | None = None, limit: int = 100) -> list[AuditRecord]:
    """Return the last entries below a number, latest first."""
    query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.seq < before)
    return [_entry(row) for row in connection.execute(query).mappings()]


def verify(connection: Connection, *, known: tuple[int, str] | None = None) -> int:
    """Check the whole chain and return how many entries it has.

    known : number and digest of an entry, as `head` gave them some day.

    Raises
    ------
    StoreError
        With the first entry that was changed, moved or removed.
    """
    count, digest = 0, FIRST
    for fields in _walk(connection):
        if fields["seq"] != count + 1:
            raise StoreError(f"the audit lacks entry {count + 1}: it goes on with {fields['seq']}")
        if fields["before"] != digest or fields["digest"] != _digest(fields, digest):
            raise StoreError(f"entry {fields['seq']} of the audit was changed, or one before it")
        count, digest = count + 1, fields["digest"]
        if known is not None and known[0] == count and known[1] != digest:
            raise StoreError(f"entry {count} of the audit is not the one that was written down")
    if known is not None and known[0] > count:
        raise StoreError(
            f"the audit ends with entry {count}; entry {known[0]} was written down: some are cut off"
        )
    return count


def _walk(connection: Connection) -> Iterator[RowMapping]:
    query = select(audit).order_by(audit.c.seq).limit(STEP)
    rows = connection.execute(query).mappings().all()
    while rows:
        yield from rows
        rows = connection.execute(query.where(audit.c.seq > rows[-1]["seq"])).mappings().all()


def _last(connection: Connection) -> tuple[int, str]:
    largest = select(func.max(audit.c.seq)).scalar_subquery()
    row = connection.execute(select(audit.c.seq, audit.c.digest).where(audit.c.seq == largest)).first()
    return (0, FIRST) if row is None else (int(row.seq), str(row.digest))


def _line(text: str) -> str:
    """Return text that any database takes, and that cannot pass for two entries in a list."""
    return shown(text.replace("\n", " "))


def _digest(fields: Mapping[str, Any] | RowMapping, before: str) -> str:
    named = [fields[name] for name in ("seq", "when", "who", "via", "action", "object", "detail")]
    return sha256(json.dumps([*named, before], ensure_ascii=True).encode()).hexdigest()


def _entry(row: RowMapping) -> AuditRecord:
    return AuditRecord(
        row["seq"],
        row["when"],
        row["who"],
        row["via"],
        row["action"],
        row["object"],
        json.loads(row["detail"]),
        row["digest"],
    )
