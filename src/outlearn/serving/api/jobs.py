"""Routes of jobs: their definitions, and when they rest."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from outlearn.serving.api.auth import Operator, Viewer
from outlearn.serving.api.bodies import Definition
from outlearn.serving.api.documents import JobOut, Page
from outlearn.serving.api.paging import JobName
from outlearn.serving.api.routing import PREFIX, Serving, router
from outlearn.serving.api.tags import Revision, tag
from outlearn.serving.jobs import Job

__all__ = ["routes"]

routes = router("jobs")


@routes.get("/jobs", response_model=Page[JobOut])
def list_jobs(actor: Viewer, service: Serving) -> dict[str, Any]:
    """List all jobs by name."""
    return {"items": [_shown(job) for job in service.jobs.list()], "next": None}


@routes.post("/jobs", status_code=201, response_model=JobOut)
def add_a_job(actor: Operator, service: Serving, document: Definition, response: Response) -> Any:
    """Add a job by its definition, in JSON or TOML; it is due at once."""
    job = service.jobs.add(actor, document)
    response.headers["Location"] = f"{PREFIX}/jobs/{job.name}"
    return _tagged(job, response)


@routes.get("/jobs/{name}", response_model=JobOut)
def show_a_job(actor: Viewer, service: Serving, name: JobName, response: Response) -> Any:
    """Show a job; its ETag is the revision that a change may name."""
    return _tagged(service.jobs.get(name), response)


@routes.put("/jobs/{name}", response_model=JobOut)
def change_a_job(
    actor: Operator,
    service: Serving,
    name: JobName,
    document: Definition,
    revision: Revision,
    response: Response,
) -> Any:
    """Give a job a new definition; how far its source was read stays."""
    return _tagged(service.jobs.change(actor, name, document, revision=revision), response)


@routes.delete("/jobs/{name}", status_code=204)
def remove_a_job(actor: Operator, service: Serving, name: JobName) -> None:
    """Remove a job with the rows that wait; what it found and the verdicts stay."""
    service.jobs.remove(actor, name)


@routes.post("/jobs/{name}/pause", response_model=JobOut)
def pause_a_job(actor: Operator, service: Serving, name: JobName, response: Response) -> Any:
    """Let a job rest: nothing is judged, and rows that are pushed wait."""
    return _tagged(service.jobs.pause(actor, name), response)


@routes.post("/jobs/{name}/resume", response_model=JobOut)
def resume_a_job(actor: Operator, service: Serving, name: JobName, response: Response) -> Any:
    """Let a job go on, at once."""
    return _tagged(service.jobs.resume(actor, name), response)


def _tagged(job: Job, response: Response) -> dict[str, Any]:
    response.headers["ETag"] = tag(job.revision)
    return _shown(job)


def _shown(job: Job) -> dict[str, Any]:
    names = ("name", "state", "revision", "created", "changed", "next_score", "next_fit")
    return {name: getattr(job, name) for name in names} | {"definition": job.spec.to_document()}
