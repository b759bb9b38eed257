"""Coming in and going out: an invitation is accepted, a session begins and ends, a password is changed."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from outlearn.errors import AccessError, ConflictError, InputError, ParameterError
from outlearn.serving.page.faults import PageRoute, status_of
from outlearn.serving.page.people import days_of
from outlearn.serving.page.rendering import page
from outlearn.serving.page.visitor import (
    COOKIE,
    FORM_COOKIE,
    Id,
    PageForm,
    Serving,
    Submitted,
    Visiting,
    cookie_name,
    open_form,
    set_cookie,
)

if TYPE_CHECKING:
    from outlearn.serving.service import Service

__all__ = ["router"]

router = APIRouter(route_class=PageRoute)
OpenForm = Annotated[PageForm, Depends(open_form)]
OVER = "Your session is over, and what you sent was not done. Log in again."


@router.get("/")
def home() -> Response:
    return RedirectResponse("/queue", 303)


@router.get("/login")
def show_log_in(request: Request, next: str = "", over: str = "") -> Response:
    return _open_page(request, "login.html", next=_inner(next), fault=OVER if over else "", name="")


@router.post("/login")
def log_in(request: Request, service: Serving, form: OpenForm) -> Response:
    name, wanted = form.get("name"), _inner(form.get("next"))
    address = "" if request.client is None else request.client.host
    try:
        session = service.accounts.log_in(name, form.secret("password"), address=address)
    except InputError as error:
        return _open_page(request, "login.html", error, next=wanted, name=name[:100])
    answer = RedirectResponse(wanted or "/queue", 303)
    set_cookie(request, answer, COOKIE, session.token, service.settings.session_hours * 3600)
    set_cookie(request, answer, FORM_COOKIE, "", 0)
    return answer


@router.post("/logout")
def log_out(request: Request, service: Serving, sent: Submitted) -> Response:
    service.accounts.log_out(_token(request))
    answer = RedirectResponse("/login", 303)
    set_cookie(request, answer, COOKIE, "", 0)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@router.get("/welcome")
def show_welcome(request: Request, token: str = "") -> Response:
    """Show where to choose a password; an invitation is used up only by what is sent from there.

    The token is no part of the path, which logs of the service keep.
    """
    return _open_page(request, "welcome.html", token=token[:200])


@router.post("/welcome")
def accept(request: Request, service: Serving, form: OpenForm) -> Response:
    token = form.get("token")[:200]
    try:
        actor = service.accounts.accept(token, _twice(form))
    except InputError as error:
        return _open_page(request, "welcome.html", error, token=token)
    return _open_page(request, "login.html", next="", name=actor.name)


@router.get("/account")
def account(service: Serving, visitor: Visiting, done: str = "") -> Response:
    return _account(service, visitor, done=done)


@router.post("/account/password")
def change_password(request: Request, service: Serving, sent: Submitted) -> Response:
    form = sent.form
    try:
        current, keep = form.secret("current"), _token(request)
        service.accounts.set_password(sent.actor, sent.actor.name, _twice(form), current=current, keep=keep)
    except AccessError:
        return _account(service, sent.visitor, fault="the password from before is wrong", status=403)
    except ParameterError as error:
        return _account(service, sent.visitor, fault=str(error), status=400)
    return RedirectResponse("/account?done=password", 303)


@router.post("/account/keys")
def new_own_key(service: Serving, sent: Submitted) -> Response:
    form = sent.form
    try:
        name, days = sent.actor.name, days_of(form)
        secret = service.accounts.new_key(sent.actor, name, form.get("label"), days=days)
    except (ParameterError, ConflictError) as error:
        return _account(service, sent.visitor, fault=str(error), status=400)
    return _account(service, sent.visitor, secret=secret)


@router.post("/account/keys/{id}/revoke")
def revoke_own_key(service: Serving, sent: Submitted, id: Id) -> Response:
    service.accounts.revoke_key(sent.actor, id)
    return RedirectResponse("/account?done=revoked", 303)


def _account(service: Service, visitor: Visiting, *, status: int = 200, **values: Any) -> Response:
    known: dict[str, Any] = {"done": "", "fault": "", "secret": "", **values}
    keys = service.accounts.keys(visitor.name) if visitor.actor.user_id is not None else []
    return page("account.html", visitor, status=status, keys=keys, **known)


def _open_page(request: Request, template: str, error: Exception | None = None, **values: Any) -> Response:
    """Return a page with a form for everybody, whose token is in a cookie too."""
    csrf = secrets.token_urlsafe(32)
    status, fault = (200, "") if error is None else (status_of(error), str(error))
    answer = page(template, status=status, csrf=csrf, **{"fault": fault, **values})
    set_cookie(request, answer, FORM_COOKIE, csrf, 3600)
    return answer


def _twice(form: PageForm) -> str:
    password = form.secret("password")
    if password != form.secret("again"):
        raise ParameterError("the two passwords differ; type the same one twice")
    return password


def _token(request: Request) -> str:
    return request.cookies.get(cookie_name(request, COOKIE), "")


def _inner(path: str) -> str:
    """Return a path of this service, or nothing for an address that leads elsewhere.

    >>> _inner("/jobs?x=1"), _inner("//elsewhere"), _inner("https://elsewhere"), _inner("/\\\\elsewhere")
    ('/jobs?x=1', '', '', '')
    """
    plain = path.startswith("/") and path.isascii() and path.isprintable() and not set(path) & set("\\ ")
    return path if plain and not path.startswith("//") and len(path) < 2_000 else ""
