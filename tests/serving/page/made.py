"""A service with a job on payments that has a model, a few runs and incidents: what the pages show."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import func, insert, select, update

from outlearn.pipeline.request import FitRequest
from outlearn.pipeline.rows import open_rows
from outlearn.serving import fitting, learn
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.accounts import Session
from outlearn.serving.accounts.tokens import digest_of, new_token
from outlearn.serving.found import Grouping, judge
from outlearn.serving.runs import Claim
from outlearn.serving.service import Service
from outlearn.serving.store.tables import audit, keys, sessions, suppressions, users, verdicts
from outlearn.serving.triage.keep import keep_found
from outlearn.serving.triage.suppress import patterns_of

OPERATOR = Actor("olga", UserRole.OPERATOR, Via.CLI)
WORKER = Actor("worker", UserRole.OPERATOR, Via.WORKER)
DEFINITION = {
    "name": "payments",
    "entity": "card",
    "source": {"push": True},
    "table": {"time_column": "paid_at", "ignore": ["card"]},
    "detector": {"name": "knn"},
    "rule": {"false_alarm_rate": 0.01},
}
COUNTRIES = ("DE", "FR", "AT", "CH")


def payments(rows: int, seed: int, *, fraud: int = 0, refunds: int = 0) -> pl.DataFrame:
    """Return payments; the last ones are fraud, and before them are refunds, which are all right."""
    rng = np.random.default_rng(seed)
    items = rng.integers(1, 9, rows)
    amount = items * rng.normal(12, 1.5, rows).clip(4)
    country = rng.choice(COUNTRIES, rows)
    hour = rng.normal(14, 3, rows).clip(6, 22).round(1)
    odd, good = slice(rows - fraud, rows), slice(rows - fraud - refunds, rows - fraud)
    amount[odd], hour[odd] = rng.normal(900, 60, fraud), rng.normal(3, 0.5, fraud).clip(0).round(1)
    amount[good], items[good] = rng.normal(-40, 6, refunds), 1
    paid = np.datetime64("2026-11-30T06:00") + np.sort(rng.integers(0, 9 * 3600, rows)).astype(
        "timedelta64[s]"
    )
    return pl.DataFrame(
        {
            "paid_at": paid.astype("datetime64[ms]"),
            "card": [f"card {number}" for number in rng.integers(1000, 1400, rows)],
            "amount": amount.round(2),
            "items": items,
            "country": country,
            "hour": hour,
        }
    )


@dataclass
class Made:
    """A service, and a worker that is called by hand."""

    service: Service

    def begin(self, name: str) -> Session:
        """Return a session of somebody, without the time that a password takes."""
        database = self.service.database
        token, csrf = new_token(), new_token()
        with database.writing() as connection:
            now = database.now(connection)
            user = connection.execute(select(users.c.id, users.c.role).where(users.c.name == name)).one()
            values = {"user_id": user.id, "csrf": csrf, "created": now, "seen": now, "expires": now + 3600}
            connection.execute(insert(sessions).values(digest=digest_of(token), **values))
        return Session(token, csrf, now + 3600, Actor(name, UserRole.parse(user.role), Via.PAGE, user.id))

    def age_sessions(self, seconds: float) -> None:
        """Let all sessions be idle for so long."""
        with self.service.database.writing() as connection:
            connection.execute(update(sessions).values(seen=sessions.c.seen - seconds))

    def marks(self) -> tuple[int, ...]:
        """Return how many entries the audit has, and rows some tables: no change leaves them as they are."""
        with self.service.database.reading() as connection:
            tables = (audit, verdicts, suppressions, keys, users, sessions)
            return tuple(
                connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables
            )

    def add_job(self, past: pl.DataFrame, **changes: Any) -> Any:
        """Add the job and fit its model to rows that are known to be normal."""
        service = self.service
        job = service.jobs.add(OPERATOR, {**DEFINITION, **changes})
        spec = job.spec
        request = FitRequest(None, True, spec.table, spec.read, spec.detector, spec.rule)
        draft = fitting.fit(request, open_rows(past), spec.to_document())
        self._run(job.id, "fit", lambda connection, _: self._added(connection, job.id, draft))
        return job

    def score(self, job: Any, frame: pl.DataFrame) -> list[int]:
        """Judge rows in a run of their own, and return the ids of the incidents, gravest first."""
        service, ids = self.service, []
        version = service.models.live(job.id)
        with service.database.reading() as connection:
            patterns = patterns_of(connection, job.id, service.database.now(connection))
        source = open_rows(frame)
        found = judge(service.models.load(version), source, Grouping(job.spec.entity, 3600.0), patterns)

        def keep(connection: Any, claim: Claim) -> dict[str, Any]:
            ids.extend(
                keep_found(
                    service.database,
                    connection,
                    found,
                    job_id=job.id,
                    run_id=claim.run.id,
                    model_id=version.id,
                )
            )
            service.runs.advance(
                connection, claim, rows=found.rows, flagged=found.flagged, model_id=version.id
            )
            return {
                "threshold": found.threshold,
                "promise": {"holds": found.promise.holds, "text": found.promise.text},
                "histogram": list(found.histogram),
                "notes": list(found.notes),
            }

        self._run(job.id, "score", keep)
        return ids

    def mark_useful(self, connection: Any, values: dict[int, float]) -> None:
        """Put incidents in order that a verdict would teach most of."""
        fitting.keep_usefulness(connection, self.service.jobs.get("payments").id, values)

    def work(self) -> int:
        """Do what verdicts asked for, and return how many runs that were."""
        service, done = self.service, 0
        while (claim := service.runs.claim("w")) is not None:
            job = service.jobs.by_id(claim.run.job_id)
            lesson = learn.study(service.database, service.models, job.id, definition=job.spec.to_document())
            with service.database.writing() as connection:
                effect = None
                if lesson is not None:
                    effect = learn.keep_lesson(
                        service.database,
                        connection,
                        service.models,
                        lesson,
                        WORKER,
                        job_id=job.id,
                        run_id=claim.run.id,
                        live=job.spec.verdicts.act == "live",
                    )
                service.runs.complete(connection, claim, result=effect)
            done += 1
        return done

    def _added(self, connection: Any, job_id: int, draft: Any) -> dict[str, Any]:
        version = self.service.models.add(connection, job_id, draft, OPERATOR)
        return {"model": version.number, "notes": []}

    def _run(self, job_id: int, kind: Any, step: Callable[[Any, Claim], dict[str, Any]]) -> None:
        service = self.service
        with service.database.writing() as connection:
            service.runs.enqueue(connection, job_id=job_id, kind=kind, who="olga")
        claim = service.runs.claim("w")
        with service.database.writing() as connection:
            service.runs.complete(connection, claim, result=json.loads(json.dumps(step(connection, claim))))
