"""Runs: work on jobs that is to do, being done under a lease, and done.

::

    queued ──claim──▶ running ──complete──▶ done
      ▲                 │ │ └────fail─────▶ failed
      └──give_back──────┘ └────cancel─────▶ cancelled

A worker that is killed leaves a run behind whose lease ends; another takes it, three times at most. Whatever
a worker changes, it changes in one transaction with `advance` or `complete`, which raise when the run is not
its own any more: so what a run did is there once, whoever did it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from outlearn.errors import AbsentError, ConflictError
from outlearn.serving.access import Actor, UserRole
from outlearn.serving.leases import PRIORITY, Candidate, Watch, choose
from outlearn.serving.store import audit
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import jobs, runs

__all__ = ["ATTEMPTS", "Claim", "JobRun", "Kind", "LostError", "RunQueue"]

ATTEMPTS = 3  # that a run may end with its worker before it counts as failed
SLICE = 20.0  # seconds after which a run of many steps lets one of the same rank go first

Kind = Literal["fit", "score", "backfill", "learn"]


@dataclass(frozen=True, slots=True)
class JobRun:
    """A piece of work on a job.

    job : its name. state : queued, running, done, failed or cancelled. who : asked for it. asked : what for,
    as the days of a backfill. attempts : how many workers had it since it last got on. rows, flagged : so
    far. result : what came out, plain values. error : why it failed. Times are seconds since 1970.
    """

    id: int
    job_id: int
    job: str
    kind: Kind
    state: str
    who: str
    asked: dict[str, Any]
    queued: float
    started: float | None
    ended: float | None
    attempts: int
    model_id: int | None
    rows: int
    flagged: int
    result: dict[str, Any] | None
    error: str | None


class LostError(ConflictError):
    """A run is not the worker's any more: another one has it, or it was cancelled."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that a worker has, and the lease by which it has it."""

    run: JobRun
    lease: str


class RunQueue:
    """The runs of all jobs.

    Parameters
    ----------
    lease_seconds : how long a worker has a run unless it renews.
    """

    def __init__(self, database: Database, lease_seconds: float = 60.0) -> None:
        self._database = database
        self._seconds = lease_seconds
        self._watch = Watch(lease_seconds)

    def enqueue(
        self,
        connection: Connection,
        *,
        job_id: int,
        kind: str,
        who: str,
        asked: Mapping[str, Any] | None = None,
    ) -> int:
        """Add a run within a transaction of `Database.writing`, and return its id.

        One that waits already does for both: a score or learn of the same job, whose work is whatever is
        new, and a fit or backfill that asks for the same.
        """
        document = _plain(asked or {})
        same = select(runs.c.id).where(runs.c.job_id == job_id, runs.c.kind == kind, runs.c.state == "queued")
        if kind in ("fit", "backfill"):
            same = same.where(runs.c.asked == document)
        waiting = connection.execute(same.order_by(runs.c.id)).scalar()
        if waiting is not None:
            return int(waiting)
        now = self._database.now(connection)
        values = {"job_id": job_id, "kind": kind, "state": "queued", "who": who[:100], "asked": document}
        added = connection.execute(
            insert(runs).values(**values, queued=now, attempts=0, rows=0, flagged=0).returning(runs.c.id)
        ).scalar_one()
        self._note(connection, job_id, int(added), "queued")
        return int(added)

    def claim(self, worker: str, *, job_id: int | None = None) -> Claim | None:
        """Take the next run, or None when there is none to take.

        It is the one that waits longest, first what verdicts ask for and last what was asked for the past, or
        one whose worker has lost it. No job has two at a time. A run that was lost three times fails.

        worker : its name, at most 15 characters, for `release`. job_id : of the job whose runs alone it does.
        """
        with self._database.reading() as connection:
            if not self._next(connection, job_id=job_id):
                return None
        with self._database.writing() as connection:
            while found := self._next(connection, job_id=job_id):
                if found[0].attempts < ATTEMPTS:
                    return self._taken(connection, found[0], worker)
                last = self._get(connection, found[0].id).error or "it fell silent"
                self._end(connection, found[0].id, "failed", error=_LOST.format(ATTEMPTS, last))
        return None

    def renew(self, claim: Claim) -> None:
        """Put off the end of the lease.

        Raises
        ------
        LostError
            When the run is somebody else's by now, was cancelled, or is at its end.
        """
        with self._database.writing() as connection:
            self._change(connection, claim, lease_until=self._database.now(connection) + self._seconds)

    def advance(
        self,
        connection: Connection,
        claim: Claim,
        *,
        rows: int = 0,
        flagged: int = 0,
        result: Mapping[str, Any] | None = None,
        model_id: int | None = None,
    ) -> None:
        """Count a step of the run in the transaction that keeps what the step did.

        rows, flagged : of this step. result : of all steps so far, which whoever goes on finds in its claim.
        model_id : of the version that did it.

        Raises
        ------
        LostError
            When the run is not the worker's any more: let it pass, so that nothing of the step is kept.
        """
        values: dict[str, Any] = {"rows": runs.c.rows + rows, "flagged": runs.c.flagged + flagged}
        if result is not None:
            values["result"] = _plain(result)
        if model_id is not None:
            values["model_id"] = model_id
        until = self._database.now(connection) + self._seconds
        self._change(connection, claim, lease_until=until, attempts=1, error=None, **values)

    def complete(
        self,
        connection: Connection,
        claim: Claim,
        *,
        rows: int = 0,
        flagged: int = 0,
        result: Mapping[str, Any] | None = None,
        model_id: int | None = None,
    ) -> None:
        """End the run as done, in the transaction that keeps what its last step did.

        The rest is as for `advance`.
        """
        self.advance(connection, claim, rows=rows, flagged=flagged, result=result, model_id=model_id)
        self._end(connection, claim.run.id, "done")
        self._forget_idle(connection, claim.run)

    def _forget_idle(self, connection: Connection, run: JobRun) -> None:
        """Remove earlier looks that found as little: a job that looks each second has no end of them."""
        names = ("job_id", "kind", "who", "state", "rows", "result")
        this = connection.execute(select(*(runs.c[name] for name in names)).where(runs.c.id == run.id)).one()
        if this.kind == "score" and not this.rows:
            same = [runs.c[name] == value for name, value in zip(names, this, strict=True)]
            connection.execute(delete(runs).where(*same, runs.c.id < run.id))

    def fail(self, claim: Claim, error: str) -> bool:
        """End the run as failed, and say whether it was still the worker's."""
        with self._database.writing() as connection:
            if not self._is_ours(connection, claim):
                return False
            self._end(connection, claim.run.id, "failed", error=error)
        return True

    def give_back(self, claim: Claim) -> bool:
        """Queue the run again, as a worker does that is to end; say whether it was still the worker's.

        It waits behind those that were queued before this moment.
        """
        with self._database.writing() as connection:
            if not self._is_ours(connection, claim):
                return False
            now = self._database.now(connection)
            free = {"state": "queued", "queued": now, "attempts": 0, "lease": None, "lease_until": None}
            self._change(connection, claim, **free)
            self._note(connection, claim.run.job_id, claim.run.id, "queued")
        return True

    def release(self, worker: str, why: str) -> int:
        """End the leases of a worker that is known to be dead, and return how many it had.

        why : it is dead, such as "it ended by SIGKILL".
        """
        mine = runs.c.lease.startswith(f"{worker}.", autoescape=True)
        with self._database.writing() as connection:
            left = {"lease_until": 0.0, "error": why}
            return connection.execute(
                update(runs).where(runs.c.state == "running", mine).values(**left)
            ).rowcount

    def should_yield(self, claim: Claim, held: float) -> bool:
        """Say whether a run of several steps should let another go first, having been held for seconds.

        One of a higher rank goes before at once, one of the same rank after a while.
        """
        rank = PRIORITY[claim.run.kind]
        with self._database.reading() as connection:
            ranks = {PRIORITY[run.kind] for run in self._next(connection, without=claim.run.id)}
        return any(other < rank or (other == rank and held > SLICE) for other in ranks)

    def waits(self) -> bool:
        """Say whether a run of any job is queued."""
        with self._database.reading() as connection:
            queued = select(runs.c.id).where(runs.c.state == "queued").limit(1)
            return connection.execute(queued).first() is not None

    def cancel(self, actor: Actor, id: int) -> None:
        """End a run that waits or is being done: what it did is kept, and it does no more. For operators.

        Raises
        ------
        AccessError
            When the actor may not.
        AbsentError
            When there is no such run.
        ConflictError
            When it has ended.
        """
        actor.require(UserRole.OPERATOR, "cancel a run")
        with self._database.writing() as connection:
            run = self._get(connection, id)
            if run.state not in ("queued", "running"):
                raise ConflictError(f"run {id} is {run.state} and cannot be cancelled")
            self._end(connection, id, "cancelled", error=f"cancelled by {actor.name}")
            audit.record(self._database, connection, actor, "run.cancel", f"run {id}", {"job": run.job})

    def cancel_all(self, connection: Connection, job_id: int, why: str) -> int:
        """End what waits or is being done of a job, in the transaction that ends the job; return how many."""
        alive = select(runs.c.id).where(runs.c.job_id == job_id, runs.c.state.in_(("queued", "running")))
        ids = list(connection.execute(alive).scalars())
        for id in ids:
            self._end(connection, id, "cancelled", error=why)
        return len(ids)

    def get(self, id: int) -> JobRun:
        """Return a run.

        Raises
        ------
        AbsentError
            When there is none of that id.
        """
        with self._database.reading() as connection:
            return self._get(connection, id)

    def list(
        self, job: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> Sequence[JobRun]:
        """Return the latest runs below an id, latest first; of one job or of all."""
        query = _RUNS.order_by(runs.c.id.desc()).limit(limit)
        if job is not None:
            query = query.where(jobs.c.name == job)
        if before is not None:
            query = query.where(runs.c.id < before)
        with self._database.reading() as connection:
            return [_run(row) for row in connection.execute(query).mappings()]

    def _next(
        self, connection: Connection, *, without: int | None = None, job_id: int | None = None
    ) -> Sequence[Candidate]:
        columns = (runs.c[name] for name in Candidate._fields)
        # A paused job scores nothing; what somebody asks for by hand, or by a verdict, is done.
        alive = (jobs.c.state == "active") | ((jobs.c.state == "paused") & (runs.c.kind != "score"))
        query = select(*columns).join(jobs).where(runs.c.state.in_(("queued", "running")), alive)
        if job_id is not None:
            query = query.where(runs.c.job_id == job_id)
        found = [run for row in connection.execute(query) if (run := Candidate(*row)).id != without]
        return choose(found, self._watch, self._database.now(connection))

    def _taken(self, connection: Connection, run: Candidate, worker: str) -> Claim:
        lease = f"{worker[:15]}.{secrets.token_hex(8)}"
        now = self._database.now(connection)
        connection.execute(
            update(runs)
            .where(runs.c.id == run.id)
            .values(
                state="running",
                lease=lease,
                lease_until=now + self._seconds,
                attempts=runs.c.attempts + 1,
                started=func.coalesce(runs.c.started, now),
            )
        )
        self._note(connection, run.job_id, run.id, "running")
        return Claim(self._get(connection, run.id), lease)

    def _is_ours(self, connection: Connection, claim: Claim) -> bool:
        found = select(runs.c.id).where(*_ours(claim))
        return connection.execute(found).first() is not None

    def _change(self, connection: Connection, claim: Claim, **values: Any) -> None:
        changed = connection.execute(update(runs).where(*_ours(claim)).values(**values)).rowcount
        if changed != 1:
            state = self._get(connection, claim.run.id).state
            raise LostError(f"run {claim.run.id} is not this worker's any more: it is {state}")

    def _end(self, connection: Connection, id: int, state: str, **values: Any) -> None:
        now = self._database.now(connection)
        ended = {"state": state, "ended": now, "lease": None, "lease_until": None, **values}
        query = update(runs).where(runs.c.id == id).values(**ended).returning(runs.c.job_id)
        self._note(connection, connection.execute(query).scalar_one(), id, state)

    def _note(self, connection: Connection, job_id: int, id: int, state: str) -> None:
        audit.note(self._database, connection, "run", job_id, run=id, state=state)

    def _get(self, connection: Connection, id: int) -> JobRun:
        row = connection.execute(_RUNS.where(runs.c.id == id)).mappings().first()
        if row is None:
            raise AbsentError(f"there is no run {id}")
        return _run(row)


_LOST = (
    "its worker ended {} times before it got on, the last time because {}; one that takes more memory than "
    "it may have ends so: let it do less at a time, or give workers more"
)
_SHOWN = [column for column in runs.c if column.name not in ("lease", "lease_until")]
_RUNS = select(*_SHOWN, jobs.c.name.label("job")).join(jobs)


def _ours(claim: Claim) -> tuple[Any, ...]:
    return runs.c.id == claim.run.id, runs.c.state == "running", runs.c.lease == claim.lease


def _plain(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), sort_keys=True, ensure_ascii=True)


def _run(row: RowMapping) -> JobRun:
    values = {**row, "asked": json.loads(row["asked"])}
    values["result"] = None if row["result"] is None else json.loads(row["result"])
    return JobRun(**values)
