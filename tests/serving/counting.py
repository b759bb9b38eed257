"""A job that counts, and a worker for it: what is counted twice, or not at all, is seen. For tests."""

from __future__ import annotations

import json
import time
from collections import Counter

from sqlalchemy import delete, insert, select

from outlearn.serving.heartbeat import Heartbeat
from outlearn.serving.runs import Claim
from outlearn.serving.service import Service
from outlearn.serving.settings import Settings
from outlearn.serving.store import audit
from outlearn.serving.store.tables import events, jobs, positions
from outlearn.serving.worker import run

STEP = 5  # numbers that are counted at once


def count(service: Service, claim: Claim, beat: Heartbeat) -> None:
    """Count on from where the job is to what was asked for, a few numbers a transaction."""
    database, end = service.database, int(claim.run.asked["to"])
    while True:
        with database.reading() as connection:
            start = position(connection, claim.run.job_id)
        numbers = range(start, min(start + STEP, end))
        time.sleep(float(claim.run.asked.get("seconds", 0.0)))  # the work, of which nothing is kept yet
        with database.writing() as connection:
            service.runs.advance(connection, claim, rows=len(numbers))
            of_job = positions.c.job_id == claim.run.job_id
            connection.execute(delete(positions).where(of_job))
            values = {"job_id": claim.run.job_id, "part": "numbers", "changed": 0.0}
            connection.execute(insert(positions).values(**values, document=json.dumps(start + len(numbers))))
            for number in numbers:
                audit.note(database, connection, "counted", claim.run.job_id, number=number)
            if start + len(numbers) >= end:
                service.runs.complete(connection, claim)
                return
        beat.step_done()


def position(connection, job_id: int) -> int:
    found = connection.execute(select(positions.c.document).where(positions.c.job_id == job_id)).scalar()
    return 0 if found is None else int(json.loads(found))


def counted(database) -> Counter[tuple[int, int]]:
    """Return how often each number of each job was counted."""
    with database.reading() as connection:
        found = connection.execute(select(events.c.job_id, events.c.detail).where(events.c.kind == "counted"))
        return Counter((row.job_id, json.loads(row.detail)["number"]) for row in found)


def job_of(database, name: str, schedule: dict[str, str] | None = None, **values: object) -> int:
    """Add a job that nothing schedules, unless it says how often."""
    document = {"name": name, "source": {"push": True}, "schedule": schedule or {}}
    fields = {
        "name": name,
        "document": json.dumps(document),
        "state": "active",
        "created": 0.0,
        "changed": 0.0,
    }
    with database.writing() as connection:
        added = connection.execute(insert(jobs).values(**(fields | values)).returning(jobs.c.id))
        return int(added.scalar_one())


def ask(service: Service, job_id: int, kind: str = "score", **asked: object) -> int:
    """Queue a run."""
    with service.database.writing() as connection:
        return service.runs.enqueue(connection, job_id=job_id, kind=kind, who="ana", asked=asked)


def be_worker(settings: Settings, name: str) -> None:
    """Be a worker that counts."""
    run(settings, name, count)
