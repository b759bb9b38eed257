"""Routes of patterns of what is known to be good, which hide rows."""

from __future__ import annotations

from typing import Any

from outlearn.serving.api.auth import Analyst, Viewer
from outlearn.serving.api.documents import ConditionsIn, Page, PatternIn, PatternOut, PreviewOut
from outlearn.serving.api.paging import Id, JobName
from outlearn.serving.api.routing import Serving, router

__all__ = ["routes"]

routes = router("suppressions")


@routes.get("/jobs/{name}/suppressions", response_model=Page[PatternOut])
def list_suppressions(actor: Viewer, service: Serving, name: JobName) -> Any:
    """List the patterns of a job, those that do nothing any more too."""
    return {"items": service.triage.suppressions(name), "next": None}


@routes.post("/jobs/{name}/suppressions", status_code=201, response_model=PatternOut)
def suppress_a_pattern(actor: Analyst, service: Serving, name: JobName, given: PatternIn) -> Any:
    """Hide rows that match a pattern, and the open incidents all of whose rows do."""
    until = None if given.until is None else given.until.timestamp()
    return service.triage.suppress(actor, name, given.conditions, given.why, until=until)


@routes.post("/jobs/{name}/suppressions/preview", response_model=PreviewOut)
def preview_a_pattern(actor: Viewer, service: Serving, name: JobName, given: ConditionsIn) -> Any:
    """Show what a pattern would have hidden; nothing is changed."""
    return service.triage.preview(name, given.conditions)


@routes.delete("/suppressions/{id}", status_code=204)
def revoke_a_pattern(actor: Analyst, service: Serving, id: Id) -> None:
    """Take a pattern back: it hides nothing from now on, and stays on record."""
    service.triage.revoke(actor, id)
