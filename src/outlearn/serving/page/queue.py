"""The queue of incidents, and verdicts on several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from outlearn.errors import ParameterError
from outlearn.serving.page.faults import PageRoute
from outlearn.serving.page.rendering import page
from outlearn.serving.page.told import Deed, changes_of
from outlearn.serving.page.visitor import (
    PageForm,
    Serving,
    Submission,
    Submitted,
    Visiting,
    is_fragment,
)
from outlearn.serving.page.wanted import Asked, Wanted
from outlearn.serving.triage.incidents import ORDERS, STATES
from outlearn.serving.triage.verdicts import holding, said_of

if TYPE_CHECKING:
    from outlearn.serving.service import Service

__all__ = ["HOURS", "SNOOZE", "moment_in", "revision_of", "router", "told"]

router = APIRouter(route_class=PageRoute)
SHOWN = 30  # incidents of a page
HOURS = (1, 4, 24, 72, 168)  # that a snooze lasts
SNOOZE = 24


@router.get("/queue")
def show_queue(request: Request, service: Serving, visitor: Visiting, wanted: Asked) -> Response:
    found = service.triage.queue(
        wanted.filter(visitor.name), order=wanted.order, after=wanted.after, limit=SHOWN
    )
    deed = Deed.of(request.query_params, wanted)
    return page(
        "queue.html",
        visitor,
        wanted=wanted,
        found=found,
        jobs=[job.name for job in service.jobs.list()],
        states=STATES,
        orders=ORDERS,
        deed=deed,
        changes=[] if deed is None else changes_of(service, deed.runs),
    )


@router.get("/keys")
def show_keys(visitor: Visiting) -> Response:
    return page("keys.html", visitor)


@router.get("/effect")
def show_effect(request: Request, service: Serving, visitor: Visiting, wanted: Asked) -> Response:
    """Show again what was done, as far as what it changed is known by now: a part for the script."""
    deed = Deed.of(request.query_params, wanted)
    if deed is None:
        raise ParameterError("the address names nothing that was done")
    return page("told.html", visitor, deed=deed, changes=changes_of(service, deed.runs), next="")


@router.post("/queue/verdicts")
def decide_many(request: Request, service: Serving, sent: Submitted) -> Response:
    form, ids = sent.form, sent.form.ids("incident")
    if not ids:
        raise ParameterError("no incident was chosen; choose some, then give the verdict")
    decided = service.triage.decide(sent.actor, ids, form.get("answer"), note=form.get("note"))
    deed = Deed(form.get("answer"), tuple(decided.verdicts), decided.run_ids, Wanted.parse(form.get("queue")))
    return told(request, service, sent, deed, "/queue")


@router.post("/undo")
def undo(request: Request, service: Serving, sent: Submitted) -> Response:
    """Take back what the person did to incidents."""
    form, ids = sent.form, sent.form.ids("incident")
    wanted = Wanted.parse(form.get("queue"))
    if form.get("kind") == "snooze":
        for id in ids:
            service.triage.snooze(sent.actor, id, moment_in(service, 0))
        runs: list[int] = []
    else:
        runs = _withdraw(service, sent, ids)
    deed = Deed("undone", tuple(ids), tuple(dict.fromkeys(runs)), wanted)
    path = f"/incidents/{ids[0]}" if len(ids) == 1 and form.get("stay") else "/queue"
    return told(request, service, sent, deed, path)


def told(request: Request, service: Service, sent: Submission, deed: Deed, path: str) -> Response:
    """Answer what was done: a part of a page for the script, else the page of a path, which tells it too."""
    if not is_fragment(request):
        return RedirectResponse(deed.at(path), 303)
    changes = changes_of(service, deed.runs)
    return page("told.html", sent.visitor, deed=deed, changes=changes, next=deed.wanted.at(path))


def revision_of(form: PageForm, id: int) -> int | None:
    """Return the revision of an incident that whoever gave a verdict has seen."""
    ids = form.ids(f"revision-{id}") or form.ids("revision")
    return ids[0] if ids else None


def _withdraw(service: Service, sent: Submission, ids: list[int]) -> list[int]:
    """Take back the verdicts of the person that hold on incidents; return the runs that learn from it."""
    if not ids:
        raise ParameterError("no incident came whose verdict is to be taken back")
    with service.database.reading() as connection:
        held = [holding(said_of(connection, id)).get(sent.actor.name) for id in ids]
    verdicts = dict.fromkeys(said.id for said in held if said is not None)
    if not verdicts:
        raise ParameterError("you have no verdict there that holds; it may be taken back already")
    return [run for id in verdicts for run in service.triage.undo(sent.actor, id).run_ids]


def moment_in(service: Service, seconds: float) -> float:
    """Return the moment in some seconds, by the clock of the store."""
    with service.database.reading() as connection:
        return float(service.database.now(connection)) + seconds
