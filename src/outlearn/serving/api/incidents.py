"""Routes of the queue: incidents, verdicts on them, and what people write."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response

from outlearn.serving.api.auth import Analyst, Viewer
from outlearn.serving.api.documents import (
    AnswerIn,
    AnswerOneIn,
    AssignIn,
    CommentIn,
    CommentOut,
    DecidedOut,
    DetailOut,
    ExplainedOut,
    IncidentOut,
    QueueOut,
    SnoozeIn,
)
from outlearn.serving.api.filters import Filtered
from outlearn.serving.api.paging import Cursor, Id, Limit, parsed, written
from outlearn.serving.api.routing import Serving, router
from outlearn.serving.api.tags import Revision, tag
from outlearn.serving.triage import QueuedIncident

__all__ = ["routes"]

routes = router("incidents")
VerdictId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="as the verdict's answer gave it")]


@routes.get("/incidents", response_model=QueueOut)
def list_incidents(
    actor: Viewer,
    service: Serving,
    filter: Filtered,
    order: Annotated[
        Literal["gravest", "newest", "useful"], Query(description="useful: what a verdict would teach most")
    ] = "gravest",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Any:
    """List incidents in an order, those that are open unless `state` says otherwise."""
    after = None if cursor is None else parsed(cursor, 2)
    queue = service.triage.queue(filter, order=order, after=after, limit=limit)
    next = None if queue.after is None else written(*queue.after)
    return {"items": queue.items, "next": next, "total": queue.total}


@routes.get("/incidents/{id}", response_model=DetailOut)
def show_an_incident(actor: Viewer, service: Serving, id: Id, response: Response) -> Any:
    """Show an incident with its rows, reasons, verdicts, comments, and others like it."""
    detail = service.triage.get(id)
    response.headers["ETag"] = tag(detail.incident.revision)
    names = ("incident", "rows", "said", "holding", "conflict", "comments", "alike", "alike_answers")
    return {name: getattr(detail, name) for name in names} | {"finding": detail.incident.finding}


@routes.get("/incidents/{id}/explain", response_model=ExplainedOut)
def explain_an_incident(actor: Viewer, service: Serving, id: Id) -> Any:
    """Say why an incident is one: the columns that speak for it, and their usual values."""
    return service.triage.get(id).incident


@routes.post("/incidents/{id}/verdicts", response_model=DecidedOut)
def give_a_verdict(actor: Analyst, service: Serving, id: Id, given: AnswerOneIn, revision: Revision) -> Any:
    """Give a verdict on all rows of an incident; learning from it begins within a moment."""
    return service.triage.decide(actor, [id], given.answer, note=given.note, revision=revision)


@routes.post("/verdicts", response_model=DecidedOut)
def give_verdicts(actor: Analyst, service: Serving, given: AnswerIn) -> Any:
    """Give one verdict on up to 500 incidents at once, all or none."""
    return service.triage.decide(actor, given.ids, given.answer, note=given.note)


@routes.post("/verdicts/{verdict_id}/undo", response_model=DecidedOut)
def take_a_verdict_back(actor: Analyst, service: Serving, verdict_id: VerdictId) -> Any:
    """Take a verdict back; it stays on record. One's own, or any as an operator."""
    return service.triage.undo(actor, verdict_id)


@routes.post("/incidents/{id}/snooze", response_model=IncidentOut)
def snooze_an_incident(
    actor: Analyst, service: Serving, id: Id, given: SnoozeIn, revision: Revision, response: Response
) -> Any:
    """Put an incident aside until a moment."""
    until = given.until.timestamp()
    return _tagged(service.triage.snooze(actor, id, until, revision=revision), response)


@routes.post("/incidents/{id}/assign", response_model=IncidentOut)
def assign_an_incident(
    actor: Analyst, service: Serving, id: Id, given: AssignIn, revision: Revision, response: Response
) -> Any:
    """Give an incident to somebody, or to nobody."""
    return _tagged(service.triage.assign(actor, id, given.name, revision=revision), response)


@routes.post("/incidents/{id}/comments", status_code=201, response_model=CommentOut)
def comment_on_an_incident(actor: Analyst, service: Serving, id: Id, given: CommentIn) -> Any:
    """Write something about an incident."""
    return service.triage.comment(actor, id, given.text)


def _tagged(incident: QueuedIncident, response: Response) -> QueuedIncident:
    response.headers["ETag"] = tag(incident.revision)
    return incident
