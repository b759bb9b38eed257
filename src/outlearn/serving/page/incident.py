"""One incident: why it is odd, its rows beside usual ones, alike incidents, and what people do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from outlearn.errors import ParameterError
from outlearn.serving.page.faults import PageRoute
from outlearn.serving.page.queue import HOURS, SNOOZE, moment_in, revision_of, told
from outlearn.serving.page.rendering import page
from outlearn.serving.page.sides import beside_usual
from outlearn.serving.page.told import ANSWERS, Deed, changes_of
from outlearn.serving.page.visitor import Id, Serving, Submission, Submitted, Visiting
from outlearn.serving.page.wanted import Asked, Wanted

if TYPE_CHECKING:
    from outlearn.serving.service import Service

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, prefix="/incidents/{id}")


@router.get("")
def show_incident(request: Request, service: Serving, visitor: Visiting, wanted: Asked, id: Id) -> Response:
    detail = service.triage.get(id)
    before, after = service.triage.beside(id, wanted.filter(visitor.name), order=wanted.order)
    deed = Deed.of(request.query_params, wanted)
    return page(
        "incident.html",
        visitor,
        wanted=wanted,
        detail=detail,
        incident=detail.incident,
        version=service.models.by_id(detail.incident.model_id).number,
        sides=beside_usual(detail),
        before=before,
        after=after,
        people=[user.name for user in service.accounts.users() if not user.disabled],
        hours=HOURS,
        snooze=SNOOZE,
        deed=deed,
        changes=[] if deed is None else changes_of(service, deed.runs),
    )


@router.post("/verdict")
def decide(request: Request, service: Serving, sent: Submitted, id: Id) -> Response:
    form, answer = sent.form, sent.form.get("answer")
    if answer not in ANSWERS:
        raise ParameterError(f"the answer is {answer[:40]!r}; wanted one of {', '.join(ANSWERS)}")
    revision = revision_of(form, id)
    decided = service.triage.decide(sent.actor, [id], answer, note=form.get("note"), revision=revision)
    deed = Deed(answer, (id,), decided.run_ids, Wanted.parse(form.get("queue")))
    return told(request, service, sent, deed, _following(service, sent, deed))


@router.post("/snooze")
def snooze(request: Request, service: Serving, sent: Submitted, id: Id) -> Response:
    hours = sent.form.get("hours") or str(SNOOZE)
    if hours not in map(str, HOURS):
        raise ParameterError(f"a snooze of {hours[:40]!r} hours; wanted one of {', '.join(map(str, HOURS))}")
    until, revision = moment_in(service, 3600 * int(hours)), revision_of(sent.form, id)
    service.triage.snooze(sent.actor, id, until, revision=revision)
    deed = Deed("snooze", (id,), (), Wanted.parse(sent.form.get("queue")))
    return told(request, service, sent, deed, _following(service, sent, deed))


@router.post("/assign")
def assign(service: Serving, sent: Submitted, id: Id) -> Response:
    service.triage.assign(sent.actor, id, sent.form.get("name") or None)
    return _back(sent, id, "assigned")


@router.post("/comment")
def comment(service: Serving, sent: Submitted, id: Id) -> Response:
    service.triage.comment(sent.actor, id, sent.form.get("text"))
    return _back(sent, id, "comments")


def _following(service: Service, sent: Submission, deed: Deed) -> str:
    """Return the path that a verdict leads to: of the queue, or from an incident the next one."""
    if sent.form.get("from") == "queue":
        return "/queue"
    wanted = deed.wanted
    _, after = service.triage.beside(deed.ids[0], wanted.filter(sent.actor.name), order=wanted.order)
    return "/queue" if after is None else f"/incidents/{after}"


def _back(sent: Submission, id: Id, part: str) -> Response:
    wanted = Wanted.parse(sent.form.get("queue"))
    return RedirectResponse(f"{wanted.at(f'/incidents/{id}')}#{part}", 303)
