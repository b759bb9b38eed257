"""Patterns of what is known to be good: what one would have hidden is shown before it is added."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from outlearn.errors import InputError, ParameterError
from outlearn.serving.access import UserRole
from outlearn.serving.page.faults import PageRoute
from outlearn.serving.page.queue import moment_in
from outlearn.serving.page.rendering import page
from outlearn.serving.page.sides import MOST
from outlearn.serving.page.visitor import Below, Id, Serving, Submitted, Visiting
from outlearn.serving.page.words import cell
from outlearn.serving.triage import Detail

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, prefix="/jobs/{name}/patterns")
DAYS = (1, 7, 30, 90, 365)
USUAL_DAYS = 30
CONDITIONS = 10  # of a pattern
Conditions = Annotated[list[str] | None, Query()]


@router.get("/new")
def show_pattern(
    service: Serving,
    visitor: Visiting,
    name: str,
    incident: Below = None,
    condition: Conditions = None,
) -> Response:
    """Show what a pattern would hide; it begins with conditions of an incident."""
    visitor.actor.require(UserRole.ANALYST, "suppress patterns")
    job = service.jobs.get(name)
    given = [text.strip()[:500] for text in condition or [] if text.strip()][:CONDITIONS]
    proposed = [] if incident is None else _proposed(service.triage.get(incident), job.spec.entity)
    chosen = given or proposed[:1]
    preview, fault = None, ""
    if chosen:
        try:
            preview = service.triage.preview(name, chosen)
        except InputError as error:
            fault = str(error)
    return page(
        "pattern.html",
        visitor,
        job=job,
        incident=incident,
        chosen=chosen,
        proposed=[text for text in proposed if text not in chosen],
        preview=preview,
        fault=fault,
        days=DAYS,
        usual_days=USUAL_DAYS,
    )


@router.post("")
def add_pattern(service: Serving, sent: Submitted, name: str) -> Response:
    form = sent.form
    conditions = [text for text in form.all("condition") if text][:CONDITIONS]
    days = form.get("days")
    if days and days not in map(str, DAYS):
        raise ParameterError(f"the pattern is to hold {days[:40]!r} days; wanted one of the days of the form")
    if service.triage.preview(name, conditions).confirmed and not form.get("sure"):
        raise ParameterError(
            "the pattern would have hidden incidents that were decided to be anomalies; narrow it, or say "
            "on the form that you want it all the same"
        )
    until = moment_in(service, 86_400 * int(days)) if days else None
    service.triage.suppress(sent.actor, name, conditions, form.get("why"), until=until)
    return RedirectResponse(f"/jobs/{name}#patterns", 303)


@router.post("/{id}/revoke")
def revoke_pattern(service: Serving, sent: Submitted, name: str, id: Id) -> Response:
    service.triage.revoke(sent.actor, id)
    return RedirectResponse(f"/jobs/{name}#patterns", 303)


def _proposed(detail: Detail, entity: str | None) -> list[str]:
    """Return conditions that hold for the row of an incident: whose it is, its reasons, the rest."""
    if not detail.rows:
        return []
    cells: dict[str, Any] = detail.rows[0].cells
    reasons = {reason["column"]: reason["direction"] for reason in detail.incident.finding.get("reasons", [])}
    first = [column for column in (entity, *reasons) if column in cells]
    names = dict.fromkeys([*first, *cells])
    found = (_condition(column, cells[column], reasons.get(column, "")) for column in list(names)[:MOST])
    return [condition for condition in found if condition]


def _condition(column: str, value: Any, direction: str) -> str:
    """Return a condition on a column that a cell fulfils; "" where none can be written."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, str):
        plain = value and cell(value, 200) == value and "*" not in value
        return f"{column}={value}" if plain else ""
    sign = {"high": ">=", "low": "<="}.get(direction, "=")
    return f"{column}{sign}{value}"
