"""What was found goes into the store: incidents, their rows, and rows that came near."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, insert, update

from outlearn.serving.found import Found, FoundIncident, KeptRow
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import incidents, kept, suppressions
from outlearn.shown import clean

__all__ = ["MOST", "keep_found", "keep_incidents", "row_values"]

MOST = 1_000  # incidents of one batch that go into the queue, gravest first


def keep_found(
    database: Database, connection: Connection, found: Found, *, job_id: int, run_id: int, model_id: int
) -> list[int]:
    """Add the incidents of a batch and the rows near them, in a transaction of the caller.

    Returns the ids of the incidents, gravest first.
    """
    ids = keep_incidents(
        database,
        connection,
        found.incidents[:MOST],
        found.source,
        job_id=job_id,
        run_id=run_id,
        model_id=model_id,
    )
    _insert(connection, row_values(found.near, found.source, job_id=job_id, run_id=run_id))
    for pattern, rows in found.hidden.items():
        hidden = suppressions.c.hidden + rows
        connection.execute(update(suppressions).where(suppressions.c.id == pattern).values(hidden=hidden))
    return ids


def keep_incidents(
    database: Database,
    connection: Connection,
    found: Sequence[FoundIncident],
    source: str,
    *,
    job_id: int,
    run_id: int,
    model_id: int,
) -> list[int]:
    """Add incidents with their rows, and return their ids in the same order."""
    if not found:
        return []
    now = database.now(connection)
    values = [
        {
            "job_id": job_id,
            "run_id": run_id,
            "model_id": model_id,
            "state": "open",
            "opened": now,
            "changed": now,
            "entity": clean(one.incident.entity, 300),
            "kind": one.incident.kind,
            "pattern": clean(one.pattern, 300),
            "title": clean(one.title, 2000),
            "rows": one.incident.count,
            "score": one.incident.score,
            "p_value": one.incident.p_value,
            "began": one.incident.start,
            "finished": one.incident.end,
            "finding": json.dumps(one.finding),
        }
        for one in found
    ]
    query = insert(incidents).returning(incidents.c.id, sort_by_parameter_order=True)
    ids = [int(id) for id in connection.execute(query, values).scalars()]
    rows = [
        value
        for one, id in zip(found, ids, strict=True)
        for value in row_values(one.rows, source, job_id=job_id, run_id=run_id, incident_id=id)
    ]
    _insert(connection, rows)
    return ids


def row_values(
    rows: Iterable[KeptRow], source: str, *, job_id: int, run_id: int, incident_id: int | None = None
) -> list[dict[str, Any]]:
    """Return rows as the table of kept rows has them."""
    return [
        {
            "job_id": job_id,
            "incident_id": incident_id,
            "run_id": run_id,
            "identity": row.identity,
            "source": clean(row.source or source, 300),
            "row": row.row,
            "score": row.score,
            "now": row.score,
            "time": row.time,
            "cells": json.dumps(row.cells),
        }
        for row in rows
    ]


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(kept), rows)
