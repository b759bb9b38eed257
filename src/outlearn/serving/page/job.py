"""Jobs: a list of them, and a page a job with its history, promise, models and patterns."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from outlearn.errors import ParameterError
from outlearn.serving.page.faults import PageRoute
from outlearn.serving.page.history import drift_of, standing_of
from outlearn.serving.page.rendering import page
from outlearn.serving.page.visitor import Below, Id, Serving, Submitted, Visiting
from outlearn.serving.page.wanted import Wanted

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, prefix="/jobs")
LOOKED = 200  # latest runs, by which a job is judged
SHOWN = 20  # of them, and of versions, on a page


@router.get("")
def show_jobs(service: Serving, visitor: Visiting) -> Response:
    jobs = []
    for job in service.jobs.list():
        open_ones = service.triage.queue(Wanted({"job": job.name}).filter(""), limit=1).total
        last = next(iter(service.runs.list(job.name, limit=1)), None)
        jobs.append((job, service.models.live(job.id), open_ones, last))
    return page("jobs.html", visitor, jobs=jobs)


@router.get("/{name}")
def show_job(
    service: Serving, visitor: Visiting, name: str, before: Below = None, below: Below = None
) -> Response:
    """Show a job; before : the run, below : the version that the lists begin after."""
    job = service.jobs.get(name)
    latest = service.runs.list(name, limit=LOOKED)
    runs = service.runs.list(name, before=before, limit=SHOWN + 1)
    versions = service.models.list(job.id, before=below, limit=SHOWN + 1)
    live = service.models.live(job.id)
    return page(
        "job.html",
        visitor,
        job=job,
        definition=json.dumps(job.spec.to_document(), indent=2, ensure_ascii=False),
        live=live,
        standing=standing_of(latest, live, job.spec.rule),
        drift=drift_of(latest, live),
        latest=latest,
        open_ones=service.triage.queue(Wanted({"job": name}).filter(""), limit=1).total,
        runs=runs[:SHOWN],
        more_runs=_more({"before": runs[SHOWN - 1].id}) if len(runs) > SHOWN else "",
        versions=versions[:SHOWN],
        more_versions=_more({"below": versions[SHOWN - 1].number}) if len(versions) > SHOWN else "",
        patterns=service.triage.suppressions(name),
    )


@router.post("/{name}/{verb}")
def turn_job(service: Serving, sent: Submitted, name: str, verb: str) -> Response:
    """Pause or resume a job, or have it score or fit now."""
    match verb:
        case "pause":
            service.jobs.pause(sent.actor, name)
        case "resume":
            service.jobs.resume(sent.actor, name)
        case "score" | "fit":
            service.jobs.run(sent.actor, name, verb)
        case _:
            raise ParameterError(
                f"{verb[:40]!r} is nothing that a job does; wanted pause, resume, score or fit"
            )
    return RedirectResponse(f"/jobs/{name}", 303)


@router.post("/{name}/models/rollback")
def roll_back(service: Serving, sent: Submitted, name: str) -> Response:
    service.models.roll_back(sent.actor, service.jobs.get(name).id)
    return _to_models(name)


@router.post("/{name}/models/shadow")
def set_shadow(service: Serving, sent: Submitted, name: str) -> Response:
    """Let a version score beside the live one; none, without a number."""
    number = sent.form.ids("number") if sent.form.get("number") else []
    service.models.set_shadow(sent.actor, service.jobs.get(name).id, number[0] if number else None)
    return _to_models(name)


@router.post("/{name}/models/promote")
def promote(service: Serving, sent: Submitted, name: str) -> Response:
    numbers = sent.form.ids("number")
    if not numbers:
        raise ParameterError("no version came that is to judge; choose one from the list")
    service.models.promote(sent.actor, service.jobs.get(name).id, numbers[0])
    return _to_models(name)


@router.post("/{name}/runs/{id}/cancel")
def cancel(service: Serving, sent: Submitted, name: str, id: Id) -> Response:
    service.runs.cancel(sent.actor, id)
    return RedirectResponse(f"/jobs/{name}#runs", 303)


def _more(parameters: dict[str, Any]) -> str:
    return "?" + urlencode(parameters)


def _to_models(name: str) -> Response:
    return RedirectResponse(f"/jobs/{name}#models", 303)
