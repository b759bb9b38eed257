"""Verdicts in the store: only ever added, also when one is taken back; and which of them hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, RowMapping, insert, select

from outlearn.errors import AbsentError, ConflictError
from outlearn.feedback.verdict import Answer
from outlearn.serving.access import Actor
from outlearn.serving.store.tables import kept, verdicts
from outlearn.shown import clean

__all__ = ["WITHDRAWN", "Opinion", "add", "holding", "labels_of", "said_of", "withdraw"]

WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody said of an incident, once: an answer, or "withdrawn".

    id : 32 hexadecimal digits. when : seconds since 1970. score : of the incident then. model : gave it.
    """

    id: str
    when: float
    who: str
    answer: str
    origin: str
    note: str
    score: float | None
    model: str | None


def add(
    connection: Connection,
    incident_ids: Sequence[int],
    answer: str,
    actor: Actor,
    *,
    note: str,
    now: float,
    models: dict[int, str],
) -> dict[int, str]:
    """Add a verdict on all rows of some incidents; return its id by incident.

    models : by incident, what judged it.
    """
    query = select(kept).where(kept.c.incident_id.in_(incident_ids)).order_by(kept.c.id)
    ids = {incident: uuid4().hex for incident in incident_ids}
    values: dict[tuple[str, str], dict[str, Any]] = {}
    for row in connection.execute(query).mappings():
        id = ids[row["incident_id"]]
        values.setdefault(
            (id, row["identity"]),
            {
                "id": id,
                "job_id": row["job_id"],
                "incident_id": row["incident_id"],
                "when": now,
                "who": actor.name[:300],
                "answer": answer,
                "source": row["source"],
                "row": row["row"],
                "identity": row["identity"],
                "origin": actor.via.value,
                "note": clean(note, 2000),
                "score": row["now"],
                "model": models[row["incident_id"]],
                "cells": row["cells"],
            },
        )
    told = {value["incident_id"] for value in values.values()}
    bare = [id for id in incident_ids if id not in told]
    if bare:
        raise ConflictError(f"the rows of incident {bare[0]} were removed, see the retention of its job")
    connection.execute(insert(verdicts), list(values.values()))
    return ids


def withdraw(connection: Connection, id: str, *, now: float, actor: Actor) -> tuple[int, list[int]]:
    """Take a verdict back: add that who gave it says nothing any more. Return its job and incidents.

    Raises
    ------
    AbsentError, ConflictError
        When there is none of that id; when it holds no more.
    """
    query = select(verdicts).where(verdicts.c.id == id).order_by(verdicts.c.seq)
    given = list(connection.execute(query).mappings())
    if not given or given[0]["answer"] == WITHDRAWN:
        raise AbsentError(f"there is no verdict {clean(id, 40)}")
    who, touched = given[0]["who"], sorted({int(row["incident_id"]) for row in given})
    later = select(verdicts.c.id).where(
        verdicts.c.incident_id.in_(touched), verdicts.c.who == who, verdicts.c.seq > given[-1]["seq"]
    )
    if connection.execute(later).first() is not None:
        raise ConflictError("that verdict holds no more: the same person said something else later")
    new = uuid4().hex
    own = ("seq", "id", "when", "answer", "note", "origin")
    fields = [column.name for column in verdicts.c if column.name not in own]
    note = "" if who == actor.name else f"by {actor.name}"
    connection.execute(
        insert(verdicts),
        [
            {
                **{name: row[name] for name in fields},
                "id": new,
                "when": now,
                "answer": WITHDRAWN,
                "note": note,
                "origin": actor.via.value,
            }
            for row in given
        ],
    )
    return int(given[0]["job_id"]), touched


def said_of(connection: Connection, incident_id: int) -> list[Opinion]:
    """Return all that was said of an incident, in its order."""
    query = select(verdicts).where(verdicts.c.incident_id == incident_id).order_by(verdicts.c.seq)
    acts = {row["id"]: row for row in connection.execute(query).mappings()}
    names = ("id", "when", "who", "answer", "origin", "note", "score", "model")
    return [Opinion(**{name: row[name] for name in names}) for row in acts.values()]


def holding(said: Iterable[Opinion | RowMapping]) -> dict[str, Any]:
    """Return by person the last of what they said that was not taken back, in the order of what came last."""
    last: dict[str, Any] = {}
    for one in said:
        who = one.who if isinstance(one, Opinion) else one["who"]
        answer = one.answer if isinstance(one, Opinion) else one["answer"]
        last.pop(who, None)
        if answer != WITHDRAWN:
            last[who] = one
    return last


def labels_of(connection: Connection, job_id: int) -> dict[str, tuple[Answer, str]]:
    """Return what holds of each row of a job, by its identity: the last answer, and the cells of the row."""
    names = ("identity", "who", "answer", "cells")
    query = select(*(verdicts.c[name] for name in names)).where(verdicts.c.job_id == job_id)
    by_row: dict[str, list[RowMapping]] = {}
    for row in connection.execute(query.order_by(verdicts.c.seq)).mappings():
        by_row.setdefault(row["identity"], []).append(row)
    last = {identity: list(holding(rows).values()) for identity, rows in by_row.items()}
    return {
        identity: (Answer(said[-1]["answer"]), said[-1]["cells"]) for identity, said in last.items() if said
    }
