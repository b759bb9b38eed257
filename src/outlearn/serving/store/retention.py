"""What a store lets go of, by age and size; verdicts and the audit stay for good.

A step removes some thousands of rows in a transaction of its own, so that nobody waits for long, and has an
entry in the audit that counts them: what is gone is never gone without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.sql.dml import Delete

from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.definition import KeepSpec
from outlearn.serving.store import audit
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import (
    attempts,
    blobs,
    comments,
    events,
    idempotency,
    incidents,
    invites,
    jobs,
    kept,
    models,
    runs,
    sessions,
)

__all__ = ["RETIRED", "sweep", "tidy"]

STEP = 2000  # rows of a table that a transaction removes
RETIRED = 20  # retired models of a job whose files stay, to roll back to
RUNS = 50  # finished runs of a job that stay whatever their age
DAY = 86400.0
OVERHEAD = 200  # bytes of a kept row beside its cells, about
_ACTOR = Actor("retention", UserRole.ADMIN, Via.WORKER)
_CLOSED = ("decided", "suppressed", "quiet")
_Step = Callable[[Connection, float], Mapping[str, int]]


def sweep(database: Database, job_id: int, keep: KeepSpec) -> dict[str, int]:
    """Remove what a job need not keep any more, and return how much of what.

    By age: incidents that are decided or were never shown, with their rows and comments; rows that came near
    and rows of such incidents; events; finished runs that nothing names, but the last. By size, where the
    rows of the job are more than it may keep: first those that came near, then those of closed incidents,
    oldest first, and last open incidents with their rows, which are counted apart as "open incidents".
    """

    def step(connection: Connection, now: float) -> Counter[str]:
        gone: Counter[str] = Counter()
        _remove_closed(connection, job_id, now - keep.seconds("incidents"), gone)
        _remove_old_rows(connection, job_id, now - keep.seconds("rows"), gone)
        _remove_excess(connection, job_id, keep.megabytes * 1_000_000, gone)
        old = [events.c.job_id == job_id, events.c.when < now - keep.seconds("events")]
        gone["events"] += _remove(connection, delete(events), select(events.c.seq).where(*old))
        gone["runs"] += _remove(connection, delete(runs), _old_runs(job_id, now - keep.seconds("incidents")))
        return gone

    with database.reading() as connection:
        name = connection.execute(select(jobs.c.name).where(jobs.c.id == job_id)).scalar_one()
    return _steps(database, step, f"job {name}")


def tidy(database: Database) -> dict[str, int]:
    """Remove what is over and belongs to no job, and files of models that nobody goes back to.

    These are sessions, invitations and attempts to log in that are over, keys of idempotency of yesterday,
    events of no job, and files of models but those that are live or shadow, the last retired ones of each
    job, and what these build upon; of removed ones the history stays. Return how much of what is gone.
    """

    def step(connection: Connection, now: float) -> Counter[str]:
        gone: Counter[str] = Counter()
        for what, table, over in (
            ("sessions", sessions, sessions.c.expires <= now),
            ("invitations", invites, invites.c.expires <= now),
            ("attempts", attempts, attempts.c.when < now - DAY),
            ("idempotency keys", idempotency, idempotency.c.created < now - DAY),
            ("events", events, events.c.job_id.is_(None) & (events.c.when < now - 7 * DAY)),
        ):
            gone[what] += connection.execute(delete(table).where(over)).rowcount
        unused = select(blobs.c.digest).where(blobs.c.digest.not_in(_needed())).limit(RETIRED)
        gone["model files"] += _remove(connection, delete(blobs), unused)
        return gone

    return _steps(database, step, "store")


def _steps(database: Database, step: _Step, object: str) -> dict[str, int]:
    """Repeat a step until it finds nothing more."""
    total: Counter[str] = Counter()
    while True:
        with database.writing() as connection:
            gone = {
                what: number for what, number in step(connection, database.now(connection)).items() if number
            }
            if not gone:
                return dict(total)
            audit.record(database, connection, _ACTOR, "retention.sweep", object, gone)
        total.update(gone)


def _remove_closed(connection: Connection, job_id: int, before: float, gone: Counter[str]) -> None:
    old = [incidents.c.job_id == job_id, incidents.c.state.in_(_CLOSED), incidents.c.changed < before]
    ids = connection.execute(select(incidents.c.id).where(*old).order_by(incidents.c.id).limit(STEP // 10))
    _remove_incidents(connection, list(ids.scalars()), "incidents", gone)


def _remove_incidents(connection: Connection, ids: list[int], what: str, gone: Counter[str]) -> None:
    """Remove incidents with what hangs on them."""
    gone["rows"] += connection.execute(delete(kept).where(kept.c.incident_id.in_(ids))).rowcount
    gone["comments"] += connection.execute(delete(comments).where(comments.c.incident_id.in_(ids))).rowcount
    gone[what] += connection.execute(delete(incidents).where(incidents.c.id.in_(ids))).rowcount


def _remove_old_rows(connection: Connection, job_id: int, before: float, gone: Counter[str]) -> None:
    """Remove rows that came before a moment, but those of incidents that are open."""
    came = func.coalesce(runs.c.started, runs.c.queued)
    old = (
        select(kept.c.id)
        .join(runs, runs.c.id == kept.c.run_id)
        .outerjoin(incidents, incidents.c.id == kept.c.incident_id)
        .where(kept.c.job_id == job_id, came < before, _near_or_closed())
        .limit(STEP)
    )
    gone["rows"] += _remove(connection, delete(kept), old)


def _remove_excess(connection: Connection, job_id: int, most: int, gone: Counter[str]) -> None:
    """Remove what is over the size that a job may keep, least missed first; most : bytes."""
    size = func.length(kept.c.cells) + OVERHEAD
    total = connection.execute(select(func.sum(size)).where(kept.c.job_id == job_id)).scalar_one() or 0
    if total <= most:
        return
    rank = case((kept.c.incident_id.is_(None), 0), (incidents.c.state.in_(_CLOSED), 1), else_=2)
    query = (
        select(kept.c.id, kept.c.incident_id, rank, size)
        .outerjoin(incidents, incidents.c.id == kept.c.incident_id)
        .where(kept.c.job_id == job_id)
        .order_by(rank, kept.c.id)
        .limit(STEP)
    )
    rows: list[int] = []
    open_ids: dict[int, None] = {}
    for id, incident_id, closeness, bytes in connection.execute(query):
        if total <= most:
            break
        total -= bytes
        if closeness < 2:
            rows.append(id)
        else:
            open_ids[incident_id] = None
    gone["rows"] += connection.execute(delete(kept).where(kept.c.id.in_(rows))).rowcount
    _remove_incidents(connection, list(open_ids), "open incidents", gone)


def _near_or_closed() -> ColumnElement[bool]:
    return or_(kept.c.incident_id.is_(None), incidents.c.state.in_(_CLOSED))


def _old_runs(job_id: int, before: float) -> Select[tuple[int]]:
    """Select finished runs that nothing names, but the last ones."""
    last = select(runs.c.id).where(runs.c.job_id == job_id).order_by(runs.c.id.desc()).limit(RUNS)
    named = union(
        select(kept.c.run_id).where(kept.c.job_id == job_id),
        select(incidents.c.run_id).where(incidents.c.job_id == job_id),
        last.subquery().select(),
    )
    finished = runs.c.state.in_(("done", "failed", "cancelled"))
    return (
        select(runs.c.id)
        .where(runs.c.job_id == job_id, finished, runs.c.ended < before, runs.c.id.not_in(named))
        .limit(STEP)
    )


def _needed() -> Select[tuple[str]]:
    """Select the digests of models that are used, may be gone back to, or are built upon."""
    newest = func.row_number().over(
        partition_by=[models.c.job_id, models.c.stage], order_by=models.c.number.desc()
    )
    place = select(models.c.id, models.c.stage, newest.label("place")).subquery()
    used = select(place.c.id).where(or_(place.c.stage != "retired", place.c.place <= RETIRED))
    used_models = models.alias()
    base = select(used_models.c.base_id).where(used_models.c.id.in_(used), used_models.c.base_id.is_not(None))
    parent = select(used_models.c.parent_id).where(
        used_models.c.stage != literal("retired"), used_models.c.parent_id.is_not(None)
    )
    return select(models.c.digest).where(
        or_(models.c.id.in_(used), models.c.id.in_(base), models.c.id.in_(parent))
    )


def _remove(connection: Connection, removal: Delete, ids: Select[tuple[int]] | Select[tuple[str]]) -> int:
    """Remove the rows of a table whose keys a query selects; return how many."""
    (key,) = removal.table.primary_key
    found = list(connection.execute(ids).scalars())
    return connection.execute(removal.where(key.in_(found))).rowcount if found else 0
