"""Routes of the versions of a model: which one judges, which one scores beside it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path

from outlearn.serving.api.auth import Operator, Viewer
from outlearn.serving.api.documents import ModelOut, Page
from outlearn.serving.api.paging import Cursor, JobName, Limit, page_of
from outlearn.serving.api.routing import Serving, router

__all__ = ["routes"]

routes = router("models")
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="of the version, in its job")]


@routes.get("/jobs/{name}/models", response_model=Page[ModelOut])
def list_models(
    actor: Viewer, service: Serving, name: JobName, cursor: Cursor = None, limit: Limit = 50
) -> Any:
    """List the versions of the model of a job, the latest first."""
    job = service.jobs.get(name)
    return page_of(
        lambda before, most: service.models.list(job.id, before=before, limit=most),
        lambda version: version.number,
        cursor,
        limit,
    )


@routes.get("/jobs/{name}/models/{number}", response_model=ModelOut)
def show_a_model(actor: Viewer, service: Serving, name: JobName, number: Number) -> Any:
    """Show a version with its provenance."""
    return service.models.get(service.jobs.get(name).id, number)


@routes.post("/jobs/{name}/models/{number}/promote", response_model=ModelOut)
def promote_a_model(actor: Operator, service: Serving, name: JobName, number: Number) -> Any:
    """Let a version judge; the one that did is retired."""
    return service.models.promote(actor, service.jobs.get(name).id, number)


@routes.post("/jobs/{name}/models/{number}/shadow", response_model=ModelOut)
def set_a_shadow(actor: Operator, service: Serving, name: JobName, number: Number) -> Any:
    """Let a version score beside the live one, which shows how it would judge."""
    return service.models.set_shadow(actor, service.jobs.get(name).id, number)


@routes.delete("/jobs/{name}/shadow", status_code=204)
def remove_the_shadow(actor: Operator, service: Serving, name: JobName) -> None:
    """Let no version score beside the live one."""
    service.models.set_shadow(actor, service.jobs.get(name).id, None)


@routes.post("/jobs/{name}/rollback", response_model=ModelOut)
def roll_back_a_model(actor: Operator, service: Serving, name: JobName) -> Any:
    """Let the version judge that did before the live one was made."""
    return service.models.roll_back(actor, service.jobs.get(name).id)
