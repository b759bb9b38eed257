"""A job with a model and a queue of incidents, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import insert

from outlearn.data.readers import open_source
from outlearn.pipeline.request import FitRequest
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.fitting import fit
from outlearn.serving.found import Found, Grouping, judge
from outlearn.serving.learn import keep_lesson, study
from outlearn.serving.models import ModelDraft, Models, Version
from outlearn.serving.runs import RunQueue
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import jobs
from outlearn.serving.triage import Triage
from outlearn.serving.triage.keep import keep_found
from outlearn.serving.triage.suppress import patterns_of

ANA = Actor("ana", UserRole.ANALYST, Via.API)
BEN = Actor("ben", UserRole.ANALYST, Via.PAGE)
OTTO = Actor("otto", UserRole.OPERATOR, Via.CLI)
VERA = Actor("vera", UserRole.VIEWER, Via.API)


def payments(rows: int, seed: int, odd: int = 0) -> pl.DataFrame:
    """Return made-up payments, the first `odd` of which are forty times as large as usual."""
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(3, 0.5, rows)
    amount[:odd] *= 40
    return pl.DataFrame(
        {
            "amount": amount,
            "items": rng.integers(1, 7, rows),
            "country": rng.choice(["DE", "FR", "IT"], rows),
            "card": [f"c{number}" for number in rng.integers(0, 40, rows)],
        }
    )


@cache
def fitted(detector: str = "profiles") -> ModelDraft:
    """A model of the payments; one fit serves all tests."""
    request = FitRequest.of(None, detector=detector, known_normal=True, ignore=["card"])
    return fit(request, open_source(payments(600, 0)), {"name": "payments"})


@dataclass
class Watched:
    """A job in a store, with all that works on it."""

    database: Database
    job_id: int
    models: Models
    runs: RunQueue
    triage: Triage

    @classmethod
    def of(cls, database: Database, name: str = "payments", detector: str = "profiles") -> Watched:
        row = {"name": name, "document": "{}", "state": "active", "created": 0.0, "changed": 0.0}
        models, runs = Models(database), RunQueue(database)
        with database.writing() as connection:
            job = connection.execute(insert(jobs).values(**row).returning(jobs.c.id)).scalar_one()
            models.add(connection, int(job), fitted(detector), OTTO)
        return cls(database, int(job), models, runs, Triage(database, runs))

    @property
    def live(self) -> Version:
        version = self.models.live(self.job_id)
        assert version is not None
        return version

    def score(self, frame: pl.DataFrame, *, entity: str | None = None) -> tuple[Found, list[int]]:
        """Judge rows and keep what is found; return it with the ids of the incidents."""
        with self.database.reading() as connection:
            patterns = patterns_of(connection, self.job_id, self.database.now(connection))
        found = judge(self.models.load(self.live), open_source(frame), Grouping(entity), patterns)
        with self.database.writing() as connection:
            run = self.runs.enqueue(connection, job_id=self.job_id, kind="score", who="otto")
            ids = keep_found(
                self.database, connection, found, job_id=self.job_id, run_id=run, model_id=self.live.id
            )
        return found, ids

    def learn(self, *, live: bool = True, entity: str | None = None) -> dict[str, Any] | None:
        """Learn from the verdicts that hold, as a worker does; None where there is nothing new."""
        lesson = study(self.database, self.models, self.job_id, grouping=Grouping(entity), definition={})
        if lesson is None:
            return None
        with self.database.writing() as connection:
            run = self.runs.enqueue(connection, job_id=self.job_id, kind="learn", who="otto")
            return keep_lesson(
                self.database,
                connection,
                self.models,
                lesson,
                OTTO,
                job_id=self.job_id,
                run_id=run,
                live=live,
            )
