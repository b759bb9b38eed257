"""Jobs: added, changed, paused and removed by operators; run when they ask, or when rows are pushed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from outlearn.errors import AbsentError, ConflictError, ParameterError
from outlearn.pipeline.monitor import Monitor
from outlearn.serving.access import Actor, UserRole
from outlearn.serving.definition import JobSpec
from outlearn.serving.push import Content, Incoming, decoded
from outlearn.serving.runs import Kind, RunQueue
from outlearn.serving.settings import Settings
from outlearn.serving.store import audit
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import jobs, positions, pushed, runs

__all__ = ["Job", "Jobs", "Pushed"]


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the store has it. Times are seconds since 1970; next_score, next_fit : when it is due next."""

    id: int
    name: str
    spec: JobSpec
    state: str
    revision: int
    created: float
    changed: float
    next_score: float | None
    next_fit: float | None


@dataclass(frozen=True, slots=True)
class Pushed:
    """Rows that came in and wait. run_id : that will judge them; None while the job is paused."""

    id: int
    rows: int
    run_id: int | None
    notes: tuple[str, ...] = ()


def _no_model(_: int) -> Monitor | None:
    return None


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of a store.

    live : the model of a job by its id, which rows that are pushed must fit; None while
    there is none.
    """

    database: Database
    settings: Settings
    runs: RunQueue
    live: Callable[[int], Monitor | None] = field(default=_no_model)

    def add(self, actor: Actor, document: Mapping[str, Any]) -> Job:
        """Add a job by its definition; it is due at once.

        Raises
        ------
        ParameterError
            For a definition that cannot be, or of folders and databases that the operator did not name.
        ConflictError
            When there is one of that name.
        """
        actor.require(UserRole.OPERATOR, "add a job")
        spec = JobSpec.from_document(document)
        spec.check(self.settings)
        with self.database.writing() as connection:
            if _row(connection, spec.name) is not None:
                raise ConflictError(f"there is a job {spec.name} already; change it, or take another name")
            now = self.database.now(connection)
            values = {
                "name": spec.name,
                "document": _written(spec),
                "state": "active",
                "created": now,
                "changed": now,
                "next_score": None if spec.schedule.score_seconds is None else now,
                # One that waits for its first rows has nothing to be fitted to yet.
                "next_fit": None if spec.source.push and spec.past.reference is None else now,
            }
            connection.execute(insert(jobs).values(**values))
            self._tell(connection, actor, "job.add", spec.name, definition=spec.to_document())
            return _job(_found(connection, spec.name))

    def change(
        self, actor: Actor, name: str, document: Mapping[str, Any], *, revision: int | None = None
    ) -> Job:
        """Give a job a new definition; how far its source was read stays.

        revision : the job as it was when whoever changes it read it; None: whatever it is.

        Raises
        ------
        ConflictError
            When somebody changed it since.
        """
        actor.require(UserRole.OPERATOR, "change a job")
        spec = JobSpec.from_document(document)
        if spec.name != name:
            raise ParameterError(f"the definition is of {spec.name}, not of {name}; a job keeps its name")
        spec.check(self.settings)
        with self.database.writing() as connection:
            job = _job(_found(connection, name))
            if revision is not None and revision != job.revision:
                raise ConflictError(
                    f"job {name} is at revision {job.revision}, and the change was made to {revision}; read "
                    "it again"
                )
            now = self.database.now(connection)
            score, fit = spec.schedule.score_seconds, spec.schedule.fit_seconds
            values = {
                "document": _written(spec),
                "next_score": _due(job.next_score, score, now),
                "next_fit": _due(job.next_fit, fit, now),
            }
            self._set(connection, job, values)
            self._tell(connection, actor, "job.change", name, definition=spec.to_document())
            return _job(_found(connection, name))

    def pause(self, actor: Actor, name: str) -> Job:
        """Let a job rest: nothing is read or judged, and rows that are pushed wait."""
        return self._turn(actor, name, "pause", "paused")

    def resume(self, actor: Actor, name: str) -> Job:
        """Let a job go on, at once."""
        return self._turn(actor, name, "resume", "active")

    def remove(self, actor: Actor, name: str) -> None:
        """Remove a job with the rows that wait; what it found and the verdicts stay. Its name is free."""
        actor.require(UserRole.OPERATOR, "remove a job")
        with self.database.writing() as connection:
            job = _job(_found(connection, name))
            free = f"{name[:70]} (removed {job.id})"
            self._set(
                connection, job, {"state": "removed", "name": free, "next_score": None, "next_fit": None}
            )
            for table in (positions, pushed):
                connection.execute(delete(table).where(table.c.job_id == job.id))
            waiting = (runs.c.job_id == job.id) & (runs.c.state == "queued")
            ended = {"state": "cancelled", "ended": self.database.now(connection)}
            connection.execute(update(runs).where(waiting).values(**ended, error="the job was removed"))
            self._tell(connection, actor, "job.remove", name)

    def get(self, name: str) -> Job:
        """Return a job by its name.

        Raises
        ------
        AbsentError
            With the names that are close.
        """
        with self.database.reading() as connection:
            return _job(_found(connection, name))

    def by_id(self, job_id: int) -> Job:
        """Return a job by its number, one that was removed too.

        Raises
        ------
        AbsentError
            When there is none.
        """
        with self.database.reading() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
        if row is None:
            raise AbsentError(f"there is no job with number {job_id}")
        return _job(row)

    def list(self) -> tuple[Job, ...]:
        """Return all jobs by name, without those that were removed."""
        there = select(jobs).where(jobs.c.state != "removed").order_by(jobs.c.name)
        with self.database.reading() as connection:
            return tuple(map(_job, connection.execute(there)))

    def push(
        self, actor: Actor, name: str, content: Content, *, media: str = "", filename: str = "rows"
    ) -> Pushed:
        """Take rows in and have them judged.

        Parameters
        ----------
        content : bytes or the path of a file of CSV, JSON, JSON Lines, Parquet or Arrow; or a dataframe.
        media : its media type, such as "text/csv"; "": as the content tells. filename : what it is called.

        Raises
        ------
        ReadError
            When it cannot be read, or has no rows, or too many.
        SchemaError
            When it lacks columns that the live model reads.
        ConflictError
            When too much waits already.
        """
        actor.require(UserRole.OPERATOR, "push rows")
        job = self.get(name)
        if not job.spec.source.push:
            raise ParameterError(
                f"job {name} reads {job.spec.source.of}; rows are pushed to one whose source is push = true"
            )
        incoming = decoded(
            content, job.spec, self.settings, self.live(job.id), media=media, filename=filename
        )
        with self.database.writing() as connection:
            row = _found(connection, name)
            if row.id != job.id:
                raise ConflictError(f"job {name} was removed meanwhile, and there is another one; push again")
            self._check_room(connection, job, incoming)
            values = {
                "job_id": job.id,
                "received": self.database.now(connection),
                "name": incoming.name,
                "rows": incoming.rows,
                "content": incoming.content,
            }
            number = connection.execute(insert(pushed).values(**values)).inserted_primary_key
            assert number is not None
            run_id = None if row.state == "paused" else self._enqueue(connection, job.id, "score", actor)
            return Pushed(int(number[0]), incoming.rows, run_id, incoming.notes)

    def run(self, actor: Actor, name: str, kind: Kind = "score") -> int:
        """Have a job score what is new, or fit a model, now; return the number of the run.

        Raises
        ------
        ParameterError
            For another kind.
        ConflictError
            When the job is paused.
        """
        actor.require(UserRole.OPERATOR, "run a job")
        if kind not in ("score", "fit"):
            raise ParameterError(f"a run of kind {kind!r} was asked for; wanted score or fit")
        return self._ask(actor, name, kind, {})

    def backfill(self, actor: Actor, name: str, start: float, end: float | None = None) -> int:
        """Have the rows from one moment up to another judged, whether or not they were before.

        start, end : seconds since 1970; rows at `end` are left out; None: now.

        Raises
        ------
        ParameterError
            When that is no time, or the job has no rows of the past.
        """
        actor.require(UserRole.OPERATOR, "backfill a job")
        if self.get(name).spec.source.push:
            raise ParameterError(f"job {name} has rows pushed to it, which are not kept; push them again")
        with self.database.reading() as connection:
            end = self.database.now(connection) if end is None else end
        if not start < end:
            raise ParameterError(f"from {start} to {end} is no time; wanted a start before the end")
        return self._ask(actor, name, "backfill", {"start": float(start), "end": float(end)})

    def _ask(self, actor: Actor, name: str, kind: Kind, asked: Mapping[str, Any]) -> int:
        with self.database.writing() as connection:
            job = _job(_found(connection, name))
            if job.state == "paused":
                raise ConflictError(f"job {name} is paused; resume it first")
            run_id = self._enqueue(connection, job.id, kind, actor, asked)
            self._tell(connection, actor, f"job.{kind}", name, run=run_id, **asked)
            return run_id

    def _enqueue(
        self, connection: Connection, job_id: int, kind: Kind, actor: Actor, asked: Mapping[str, Any] = {}
    ) -> int:
        return self.runs.enqueue(connection, job_id=job_id, kind=kind, who=actor.name, asked=asked)

    def _turn(self, actor: Actor, name: str, verb: str, state: str) -> Job:
        actor.require(UserRole.OPERATOR, f"{verb} a job")
        with self.database.writing() as connection:
            job = _job(_found(connection, name))
            if job.state == state:
                return job
            values: dict[str, Any] = {"state": state}
            if state == "active" and (job.spec.source.push or job.spec.schedule.score_seconds is not None):
                values["next_score"] = self.database.now(connection)
            self._set(connection, job, values)
            self._tell(connection, actor, f"job.{verb}", name)
            return _job(_found(connection, name))

    def _set(self, connection: Connection, job: Job, values: Mapping[str, Any]) -> None:
        more = {"revision": job.revision + 1, "changed": self.database.now(connection)}
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(**values, **more))

    def _tell(self, connection: Connection, actor: Actor, action: str, name: str, **detail: Any) -> None:
        audit.record(self.database, connection, actor, action, f"job {name}", detail)
        audit.note(self.database, connection, "job", action=action, name=name)

    def _check_room(self, connection: Connection, job: Job, incoming: Incoming) -> None:
        """Refuse rows while more wait than the job may keep."""
        waits = (pushed.c.job_id == job.id) & pushed.c.judged.is_(None)
        sizes = select(func.sum(func.length(pushed.c.content))).where(waits)
        waiting = int(connection.execute(sizes).scalar() or 0)
        if waiting + len(incoming.content) > job.spec.keep.megabytes << 20:
            raise ConflictError(
                f"{waiting >> 20:,} MB of rows wait for job {job.name}, which keeps "
                f"{job.spec.keep.megabytes:,} MB: push again when some are judged"
            )


def _written(spec: JobSpec) -> str:
    return json.dumps(spec.to_document(), ensure_ascii=True)


def _due(before: float | None, every: float | None, now: float) -> float | None:
    """Return when a job is due by a new schedule: no later than that says, nor later than it was."""
    if every is None:
        return None
    return now + every if before is None else min(before, now + every)


def _row(connection: Connection, name: str) -> Row[Any] | None:
    there = (jobs.c.name == name) & (jobs.c.state != "removed")
    return connection.execute(select(jobs).where(there)).first()


def _found(connection: Connection, name: str) -> Row[Any]:
    row = _row(connection, name)
    if row is not None:
        return row
    names = list(connection.execute(select(jobs.c.name).where(jobs.c.state != "removed")).scalars())
    close = get_close_matches(name, names, 3)
    hint = f"did you mean {' or '.join(close)}?" if close else "`outlearn job list` names those there are"
    raise AbsentError(f"there is no job {name[:100]!r}; {hint}")


def _job(row: Row[Any]) -> Job:
    return Job(
        row.id,
        row.name,
        _spec(row.document),
        row.state,
        row.revision,
        row.created,
        row.changed,
        row.next_score,
        row.next_fit,
    )


@lru_cache(maxsize=1_000)
def _spec(document: str) -> JobSpec:
    return JobSpec.from_document(json.loads(document))
