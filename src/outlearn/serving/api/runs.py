"""Routes of runs: work that is to do, being done, and done."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from outlearn.serving.api.auth import Operator, Viewer
from outlearn.serving.api.documents import BackfillIn, EffectOut, Page, RunIn, RunOut, Started
from outlearn.serving.api.paging import Cursor, Id, JobName, Limit, page_of
from outlearn.serving.api.routing import Serving, router

__all__ = ["routes"]

routes = router("runs")


@routes.post("/jobs/{name}/runs", status_code=202, response_model=Started)
def run_a_job(actor: Operator, service: Serving, name: JobName, wanted: RunIn) -> Any:
    """Have a job score what is new, or fit a model, now."""
    return {"run_id": service.jobs.run(actor, name, wanted.kind)}


@routes.post("/jobs/{name}/backfill", status_code=202, response_model=Started)
def backfill_a_job(actor: Operator, service: Serving, name: JobName, wanted: BackfillIn) -> Any:
    """Have the rows from one moment up to another judged, whether or not they were before."""
    end = None if wanted.end is None else wanted.end.timestamp()
    return {"run_id": service.jobs.backfill(actor, name, wanted.start.timestamp(), end)}


@routes.get("/runs", response_model=Page[RunOut])
def list_runs(
    actor: Viewer,
    service: Serving,
    job: Annotated[str | None, Query(max_length=100, description="of this job alone")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Any:
    """List runs, the latest first."""
    return page_of(
        lambda before, most: service.runs.list(job, before=before, limit=most),
        lambda run: run.id,
        cursor,
        limit,
    )


@routes.get("/runs/{id}", response_model=RunOut)
def show_a_run(actor: Viewer, service: Serving, id: Id) -> Any:
    """Show a run, with what came of it so far."""
    return service.runs.get(id)


@routes.post("/runs/{id}/cancel", response_model=RunOut)
def cancel_a_run(actor: Operator, service: Serving, id: Id) -> Any:
    """End a run that waits or is being done: what it did is kept, and it does no more."""
    service.runs.cancel(actor, id)
    return service.runs.get(id)


@routes.get("/runs/{id}/effect", response_model=EffectOut)
def show_an_effect(actor: Viewer, service: Serving, id: Id) -> Any:
    """Show what a run that learns from verdicts changed."""
    return service.triage.effect(id)
