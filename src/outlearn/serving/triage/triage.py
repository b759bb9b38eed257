"""The queue and what people do with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from outlearn.errors import AbsentError, ConflictError, ParameterError
from outlearn.feedback.verdict import Answer
from outlearn.serving.access import Actor, UserRole
from outlearn.serving.runs import RunQueue
from outlearn.serving.store import audit
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import (
    comments,
    incidents,
    jobs,
    models,
    runs,
    suppressions,
    users,
    verdicts,
)
from outlearn.serving.triage.detail import Comment, Detail, detail_of
from outlearn.serving.triage.incidents import (
    Filter,
    Queue,
    QueuedIncident,
    any_to_wake,
    beside,
    find,
    find_all,
    queue,
    wake,
)
from outlearn.serving.triage.suppress import Preview, Stored, matching, preview, stored_of
from outlearn.serving.triage.verdicts import add, holding, said_of, withdraw
from outlearn.shown import clean

__all__ = ["Decided", "Triage", "VerdictEffect"]

BULK = 500  # incidents that one verdict may be on
LONGEST = 2_000  # characters of a comment


@dataclass(frozen=True, slots=True)
class Decided:
    """What a verdict set off.

    verdicts : their ids by incident, to take them back by. run_ids : the runs that learn from them, whose
    `Triage.effect` says what they changed; empty where a job learns nothing from such an answer.
    """

    verdicts: dict[int, str]
    run_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VerdictEffect:
    """What learning from verdicts changed.

    state : of the run, "queued", "running", "done", "failed" or "cancelled"; the rest is of one that is done.
    judged : rows that were judged again. fell, rose : how many fell below the threshold, or rose above it.
    quiet, reopened, opened : incidents that went quiet, came back, or are new; at most 200 of each.
    model : number of the version. live : whether it judges; else the changes are what it would change.
    """

    state: str
    judged: int = 0
    fell: int = 0
    rose: int = 0
    quiet: tuple[int, ...] = ()
    reopened: tuple[int, ...] = ()
    opened: tuple[int, ...] = ()
    model: int | None = None
    live: bool = True
    labels: int = 0
    notes: tuple[str, ...] = ()
    error: str | None = None


class Triage:
    """Incidents, verdicts on them, and patterns of what is known to be good.

    Reading is for viewers, whose role the callers check; changes check it here, and go into the audit.
    """

    def __init__(self, database: Database, runs: RunQueue) -> None:
        self._database, self._runs = database, runs

    def queue(
        self,
        filter: Filter | None = None,
        *,
        order: str = "gravest",
        after: tuple[float, int] | None = None,
        limit: int = 50,
    ) -> Queue:
        """Return a page of incidents; see `incidents.queue`."""
        with self._awake() as connection:
            return queue(connection, filter or Filter(), order=order, after=after, limit=limit)

    def beside(
        self, id: int, filter: Filter | None = None, *, order: str = "gravest"
    ) -> tuple[int | None, int | None]:
        """Return the ids before and after an incident in a queue; see `incidents.beside`."""
        with self._awake() as connection:
            return beside(connection, id, filter or Filter(), order=order)

    def get(self, id: int) -> Detail:
        """Return an incident with its rows and all that was said.

        Raises
        ------
        AbsentError
            When there is none of that id.
        """
        with self._awake() as connection:
            return detail_of(connection, id)

    def decide(
        self,
        actor: Actor,
        ids: Sequence[int],
        answer: Answer | str,
        *,
        note: str = "",
        revision: int | None = None,
    ) -> Decided:
        """Give a verdict on incidents: on all of their rows. Learning from it begins within a moment.

        revision : of a single incident, as it was seen; another one refuses the verdict.

        Raises
        ------
        AccessError, AbsentError, ConflictError, ParameterError
            Without the role of an analyst; for an incident that is not there, was changed, or whose
            rows were removed; for no incident, or over 500.
        """
        actor.require(UserRole.ANALYST, "give verdicts")
        answer, ids = Answer.parse(answer), tuple(dict.fromkeys(ids))
        if not 1 <= len(ids) <= BULK:
            raise ParameterError(f"{len(ids)} incidents came; wanted 1 to {BULK}")
        with self._database.writing() as connection:
            found = find_all(connection, ids)
            for incident in found:
                _check(incident, revision)
            now = self._database.now(connection)
            given = add(connection, ids, answer, actor, note=note, now=now, models=_names(connection, found))
            self._answered(connection, found, now)
            detail = {"incidents": list(ids)[:100], "count": len(ids), "answer": answer.value}
            self._record(connection, actor, "verdict.give", _named(found), detail)
            learning = self._learn(connection, found, actor)
        return Decided(given, learning)

    def undo(self, actor: Actor, verdict_id: str) -> Decided:
        """Take a verdict back; it stays on record. One's own, or any as an operator.

        Raises
        ------
        AccessError, AbsentError, ConflictError
            When it is somebody else's; is not there; or holds no more.
        """
        actor.require(UserRole.ANALYST, "take verdicts back")
        with self._database.writing() as connection:
            who = select(verdicts.c.who).where(verdicts.c.id == verdict_id).limit(1)
            if connection.execute(who).scalar_one_or_none() not in (None, actor.name[:300]):
                actor.require(UserRole.OPERATOR, "take back what others said")
            now = self._database.now(connection)
            _, ids = withdraw(connection, verdict_id, now=now, actor=actor)
            found = find_all(connection, ids)
            self._answered(connection, found, now)
            self._record(connection, actor, "verdict.undo", _named(found), {"verdict": verdict_id})
            learning = self._learn(connection, found, actor)
        return Decided({}, learning)

    def snooze(self, actor: Actor, id: int, until: float, *, revision: int | None = None) -> QueuedIncident:
        """Put an incident aside until a moment, seconds since 1970; a moment that is past brings it back."""
        actor.require(UserRole.ANALYST, "snooze incidents")
        with self._database.writing() as connection:
            incident = find(connection, id)
            _check(incident, revision)
            now = self._database.now(connection)
            if incident.state not in ("open", "snoozed"):
                raise ConflictError(f"incident {id} is {incident.state}; only open ones can be snoozed")
            if not now - 86_400 <= until <= now + 366 * 86_400:
                raise ParameterError("a snooze ends within a year; wanted seconds since 1970")
            state = "snoozed" if until > now else "open"
            changed = self._change(connection, [id], now, state=state, snoozed_until=until)[0]
            self._record(connection, actor, "incident.snooze", _named([incident]), {"until": until})
        return changed

    def assign(
        self, actor: Actor, id: int, name: str | None, *, revision: int | None = None
    ) -> QueuedIncident:
        """Give an incident to somebody by their name, or to nobody."""
        actor.require(UserRole.ANALYST, "assign incidents")
        with self._database.writing() as connection:
            incident = find(connection, id)
            _check(incident, revision)
            known = select(users.c.id).where(users.c.name == name, users.c.disabled.is_(False))
            if name is not None and connection.execute(known).first() is None:
                raise AbsentError(f"there is no user {clean(name, 100)!r} to assign to")
            changed = self._change(connection, [id], self._database.now(connection), assigned=name)[0]
            self._record(connection, actor, "incident.assign", _named([incident]), {"to": name})
        return changed

    def comment(self, actor: Actor, id: int, text: str) -> Comment:
        """Write something about an incident."""
        actor.require(UserRole.ANALYST, "comment")
        text = clean(text, LONGEST)
        if not text.strip():
            raise ParameterError("the comment is empty; wanted some words")
        with self._database.writing() as connection:
            incident, now = find(connection, id), self._database.now(connection)
            values = {"incident_id": id, "when": now, "who": actor.name[:300], "text": text}
            new = connection.execute(insert(comments).values(**values).returning(comments.c.id)).scalar_one()
            self._record(connection, actor, "incident.comment", _named([incident]), {"comment": new})
        return Comment(int(new), now, actor.name[:300], text)

    def effect(self, run_id: int) -> VerdictEffect:
        """Return what a run that learns from verdicts changed, as far as it is.

        Raises
        ------
        AbsentError
            When there is no such run, or it is of another kind.
        """
        query = select(runs.c.state, runs.c.result, runs.c.error)
        with self._database.reading() as connection:
            row = connection.execute(query.where(runs.c.id == run_id, runs.c.kind == "learn")).first()
        if row is None:
            raise AbsentError(f"there is no run {run_id} that learns")
        result = json.loads(row.result) if row.result else {}
        values: dict[str, Any] = {
            name: result[name] for name in VerdictEffect.__dataclass_fields__ if name in result
        }
        tuples = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return VerdictEffect(**{**values, **tuples, "state": row.state, "error": row.error})

    def preview(self, job: str, conditions: Sequence[str]) -> Preview:
        """Return what a pattern would have hidden among the rows that are kept."""
        with self._database.reading() as connection:
            return preview(connection, _job_id(connection, job), conditions)

    def suppress(
        self, actor: Actor, job: str, conditions: Sequence[str], why: str, *, until: float | None = None
    ) -> Stored:
        """Hide rows that match a pattern, and the open incidents all of whose rows do.

        conditions : all hold, see `patterns.parse_condition`. until : seconds since 1970; None: for good.
        """
        actor.require(UserRole.ANALYST, "suppress patterns")
        why = clean(why, 300)
        if not why.strip():
            raise ParameterError("a pattern came without a reason; say why it is known to be good")
        with self._database.writing() as connection:
            job_id, now = _job_id(connection, job), self._database.now(connection)
            if until is not None and until <= now:
                raise ParameterError("the pattern would be over already; wanted a later moment")
            counts = matching(connection, job_id, conditions)
            values = {
                "job_id": job_id,
                "conditions": json.dumps(list(conditions)),
                "why": why,
                "who": actor.name[:100],
                "created": now,
                "until": until,
            }
            query = insert(suppressions).values(**values).returning(suppressions.c.id)
            id = connection.execute(query).scalar_one()
            whole = [one for one, (total, hits, state) in counts.items() if total == hits and state == "open"]
            self._change(connection, whole, now, state="suppressed")
            detail = {"conditions": list(conditions), "why": why, "until": until, "incidents": len(whole)}
            self._record(connection, actor, "pattern.add", f"job {job}, pattern {id}", detail)
            return next(one for one in stored_of(connection, job_id) if one.id == id)

    def suppressions(self, job: str) -> list[Stored]:
        """Return the patterns of a job, those that do nothing any more too, latest first."""
        with self._database.reading() as connection:
            return stored_of(connection, _job_id(connection, job))

    def revoke(self, actor: Actor, id: int) -> None:
        """Take a pattern back: it hides nothing from now on, and stays on record."""
        actor.require(UserRole.ANALYST, "revoke patterns")
        with self._database.writing() as connection:
            row = connection.execute(select(suppressions).where(suppressions.c.id == id)).mappings().first()
            if row is None:
                raise AbsentError(f"there is no pattern {id}")
            if row["revoked"] is not None:
                raise ConflictError(f"pattern {id} was revoked before, by {row['revoked_by']}")
            fields = {"revoked": self._database.now(connection), "revoked_by": actor.name[:100]}
            connection.execute(update(suppressions).where(suppressions.c.id == id).values(**fields))
            self._record(connection, actor, "pattern.revoke", f"pattern {id}", {})

    @contextmanager
    def _awake(self) -> Iterator[Connection]:
        """Give a connection to read by, once the incidents whose snooze is over are open.

        They are so in the table and by no condition of a query, which would read all of a long queue.
        """
        with self._database.reading() as connection:
            overdue = any_to_wake(connection, self._database.now(connection))
        if overdue:
            with self._database.writing() as connection:
                wake(connection, self._database.now(connection))
        with self._database.reading() as connection:
            yield connection

    def _answered(self, connection: Connection, found: Sequence[QueuedIncident], now: float) -> None:
        """Bring incidents to the state that the verdicts that hold give them."""
        for incident in found:
            holds = list(holding(said_of(connection, incident.id)).values())
            answer = holds[-1].answer if holds else None
            decided = answer in (Answer.ANOMALY, Answer.NORMAL)
            # Whoever is unsure leaves it to others.
            state = "decided" if decided else "open" if incident.state == "decided" else incident.state
            self._change(connection, [incident.id], now, state=state, answer=answer)

    def _change(
        self, connection: Connection, ids: Sequence[int], now: float, **fields: Any
    ) -> list[QueuedIncident]:
        if not ids:
            return []
        these = incidents.c.id.in_(ids)
        values = {**fields, "changed": now, "revision": incidents.c.revision + 1}
        connection.execute(update(incidents).where(these).values(**values))
        return find_all(connection, ids)

    def _learn(
        self, connection: Connection, found: Sequence[QueuedIncident], actor: Actor
    ) -> tuple[int, ...]:
        of_jobs = dict.fromkeys(incident.job_id for incident in found)
        return tuple(
            self._runs.enqueue(connection, job_id=job_id, kind="learn", who=actor.name, asked={})
            for job_id in of_jobs
        )

    def _record(
        self, connection: Connection, actor: Actor, action: str, object: str, detail: dict[str, Any]
    ) -> None:
        audit.record(self._database, connection, actor, action, object, detail)
        audit.note(self._database, connection, action.split(".")[0], None, object=object, action=action)


def _check(incident: QueuedIncident, revision: int | None) -> None:
    if revision is not None and incident.revision != revision:
        raise ConflictError(
            f"incident {incident.id} was changed meanwhile: revision {revision} was seen, it is "
            f"{incident.revision}; read it again"
        )


def _named(found: Sequence[QueuedIncident]) -> str:
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"incident {found[0].id}{more}"


def _names(connection: Connection, found: Sequence[QueuedIncident]) -> dict[int, str]:
    """Return by incident what judged it, in words."""
    ids = {incident.model_id for incident in found}
    query = select(models.c.id, models.c.number).where(models.c.id.in_(ids))
    numbers = {row.id: row.number for row in connection.execute(query)}
    return {one.id: f"{one.job}, version {numbers[one.model_id]}" for one in found}


def _job_id(connection: Connection, name: str) -> int:
    found = connection.execute(select(jobs.c.id).where(jobs.c.name == name, jobs.c.state != "removed"))
    id = found.scalar_one_or_none()
    if id is None:
        raise AbsentError(f"there is no job {clean(name, 100)!r}")
    return int(id)
