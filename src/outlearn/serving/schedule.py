"""Jobs whose time has come get their runs, once, however many servers look."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sqlalchemy import Connection, Row, or_, select, update

from outlearn.serving.runs import RunQueue
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import jobs

__all__ = ["Schedule"]

_WHO = "the schedule"
_KINDS = {"fit": jobs.c.next_fit, "score": jobs.c.next_score}  # a fit first: rows wait for a model


@dataclass(slots=True)
class Schedule:
    """Queues runs of jobs that are due; each worker has one and looks often.

    A job that was due several times while no worker was there runs once: it takes whatever is new.
    """

    database: Database
    runs: RunQueue
    _every: dict[tuple[int, int], dict[str, float | None]] = field(default_factory=dict)

    def look(self, *, job_id: int | None = None) -> list[int]:
        """Queue what is due, of all jobs or of one, and return the ids of the runs."""
        with self.database.reading() as connection:
            if not self._due(connection, job_id):
                return []
        # What is due is read again by the one that may write, so two that look do not both queue it.
        with self.database.writing() as connection:
            return [self._queue(connection, job, kind) for job, kind in self._due(connection, job_id)]

    def _due(self, connection: Connection, job_id: int | None) -> list[tuple[Row[tuple[object, ...]], str]]:
        scheduled = or_(*(column.is_not(None) for column in _KINDS.values()))
        query = select(jobs).where(jobs.c.state == "active", scheduled)
        if job_id is not None:
            query = query.where(jobs.c.id == job_id)
        now = self.database.now(connection)
        rows = list(connection.execute(query))
        known = {(row.id, row.revision) for row in rows}
        self._every = {key: every for key, every in self._every.items() if key in known}
        return [(row, kind) for row in rows for kind in _KINDS if self._is_due(row, kind, now)]

    def _is_due(self, row: Row[tuple[object, ...]], kind: str, now: float) -> bool:
        due = row._mapping[_KINDS[kind].name]
        if due is None or due <= now:
            return due is not None
        every = self._spans(row)[kind]
        # Further off than a whole turn: the clock was set back.
        return every is not None and due > now + every + 1.0

    def _queue(self, connection: Connection, row: Row[tuple[object, ...]], kind: str) -> int:
        column, every = _KINDS[kind], self._spans(row)[kind]
        now, due = self.database.now(connection), row._mapping[column.name]
        following = None if every is None else due + every
        if following is not None and every is not None and not now < following <= now + every:
            following = now + every
        connection.execute(update(jobs).where(jobs.c.id == row.id).values({column.name: following}))
        return self.runs.enqueue(connection, job_id=row.id, kind=kind, who=_WHO)

    def _spans(self, row: Row[tuple[object, ...]]) -> dict[str, float | None]:
        key = (row.id, row.revision)
        if key not in self._every:
            from outlearn.serving.definition import JobSpec  # which takes seconds to import

            schedule = JobSpec.from_document(json.loads(row.document)).schedule
            self._every[key] = {"fit": schedule.fit_seconds, "score": schedule.score_seconds}
        return self._every[key]
