"""People and keys, for admins: a secret is shown once, in the answer that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from outlearn.errors import ParameterError
from outlearn.serving.access import UserRole
from outlearn.serving.page.faults import PageRoute
from outlearn.serving.page.rendering import page
from outlearn.serving.page.visitor import Id, PageForm, Serving, Submitted, Visiting, Visitor

if TYPE_CHECKING:
    from outlearn.serving.service import Service

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, prefix="/people")
HOURS = 24.0  # that an invitation holds


@router.get("")
def show_people(service: Serving, visitor: Visiting) -> Response:
    return _people(service, visitor)


@router.post("")
def add(service: Serving, sent: Submitted) -> Response:
    """Add a person, and show the link by which they choose a password."""
    user = service.accounts.add_user(sent.actor, sent.form.get("name"), UserRole.parse(sent.form.get("role")))
    return _invited(service, sent, user.name)


@router.post("/{name}/invite")
def invite(service: Serving, sent: Submitted, name: str) -> Response:
    return _invited(service, sent, name)


@router.post("/{name}/role")
def set_role(service: Serving, sent: Submitted, name: str) -> Response:
    service.accounts.set_role(sent.actor, name, UserRole.parse(sent.form.get("role")))
    return RedirectResponse("/people", 303)


@router.post("/{name}/disable")
def disable(service: Serving, sent: Submitted, name: str) -> Response:
    service.accounts.disable(sent.actor, name)
    return RedirectResponse("/people", 303)


@router.post("/{name}/enable")
def enable(service: Serving, sent: Submitted, name: str) -> Response:
    service.accounts.enable(sent.actor, name)
    return RedirectResponse("/people", 303)


@router.post("/keys")
def new_key(service: Serving, sent: Submitted) -> Response:
    form = sent.form
    sent.actor.require(UserRole.ADMIN, "make keys for others")
    role = UserRole.parse(form.get("role")) if form.get("role") else None
    user, label = form.get("user"), form.get("label")
    secret = service.accounts.new_key(sent.actor, user, label, role, days=days_of(form))
    return _people(service, sent.visitor, secret=secret, secret_of=f"Key {label} of {user}")


@router.post("/keys/{id}/revoke")
def revoke_key(service: Serving, sent: Submitted, id: Id) -> Response:
    sent.actor.require(UserRole.ADMIN, "revoke keys of others")
    service.accounts.revoke_key(sent.actor, id)
    return RedirectResponse("/people#keys", 303)


def days_of(form: PageForm) -> float | None:
    """Return for how many days a key is to work, None for always.

    Raises
    ------
    ParameterError
        When that is no number.
    """
    text = form.get("days")
    try:
        return float(text) if text else None
    except ValueError as error:
        raise ParameterError(f"the key is to work {text[:40]!r} days; wanted a number, or nothing") from error


def _invited(service: Service, sent: Submitted, name: str) -> Response:
    token = service.accounts.invite(sent.actor, name, HOURS)
    link = f"{service.settings.url}/welcome?token={token}"
    return _people(
        service, sent.visitor, secret=link, secret_of=f"Link for {name}, which holds {HOURS:g} hours"
    )


def _people(service: Service, visitor: Visitor, *, secret: str = "", secret_of: str = "") -> Response:
    visitor.actor.require(UserRole.ADMIN, "see users and keys")
    accounts = service.accounts
    return page(
        "people.html",
        visitor,
        users=accounts.users(),
        keys=accounts.keys(),
        roles=[str(role) for role in UserRole],
        secret=secret,
        secret_of=secret_of,
    )
