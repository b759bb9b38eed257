"""A store with rows of all kinds, for tests."""

from sqlalchemy import insert, select

from outlearn.serving.store.audit import entries, verify
from outlearn.serving.store.tables import (
    blobs,
    comments,
    incidents,
    jobs,
    kept,
    models,
    runs,
    verdicts,
)

NOW, DAY = 1_000_000_000.0, 86400.0


class Filled:
    """A store with a job, to which rows of all kinds are added."""

    def __init__(self, database):
        self.database = database
        job = {"document": "{}", "state": "active", "created": 0.0, "changed": 0.0}
        self.job, self.other = (self.add(jobs, name=name, **job) for name in ("payments", "other"))
        self.model = self.version(1, "live")

    def add(self, table, **values):
        with self.database.writing() as connection:
            return connection.execute(insert(table).values(**values)).inserted_primary_key[0]

    def version(self, number, stage, **values):
        self.add(blobs, digest=f"{number:064}", content=b"x")
        return self.add(
            models,
            **{
                "job_id": self.job,
                "number": number,
                "stage": stage,
                "made_by": "fit",
                "who": "ana",
                "created": 0.0,
                "digest": f"{number:064}",
                "provenance": "{}",
                **values,
            },
        )

    def run(self, days, state="done", job=None):
        when = NOW - days * DAY
        return self.add(
            runs,
            job_id=job or self.job,
            kind="score",
            state=state,
            who="x",
            asked="{}",
            queued=when,
            ended=when,
        )

    def incident(self, days, state, *, rows=1, cells="{}"):
        """Add an incident that changed some days ago, with rows and a comment; return its id."""
        when, run = NOW - days * DAY, self.run(days)
        texts = dict.fromkeys(("entity", "kind", "pattern", "title", "finding"), "x")
        known = {"job_id": self.job, "run_id": run, "model_id": self.model, "state": state, "rows": rows}
        id = self.add(incidents, opened=when, changed=when, score=0.9, **known, **texts)
        for _ in range(rows):
            self.row(run, id, cells)
        self.add(comments, incident_id=id, when=when, who="ana", text="seen")
        return id

    def row(self, run, incident=None, cells="{}"):
        numbers = {"row": 0, "score": 0.5, "now": 0.5}
        known = {"job_id": self.job, "run_id": run, "incident_id": incident, "cells": cells}
        return self.add(kept, identity="i", source="s", **numbers, **known)

    def verdict(self, incident):
        told = {"answer": "normal", "source": "s", "row": 0, "identity": f"i{incident}", "origin": "page"}
        act = {"id": "v", "job_id": self.job, "incident_id": incident, "when": 0.0, "who": "ana", "note": ""}
        told.setdefault("cells", "{}")
        return self.add(verdicts, **act, **told)

    def ids(self, table):
        (key,) = table.primary_key
        with self.database.reading() as connection:
            return list(connection.execute(select(key).order_by(key)).scalars())

    def audit(self):
        with self.database.reading() as connection:
            verify(connection)
            return [(entry.object, entry.detail) for entry in reversed(entries(connection))]
