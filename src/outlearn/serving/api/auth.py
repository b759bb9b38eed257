"""Who asks: the key of a request, or the session of a page."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from outlearn.serving.access import Actor, UserRole
from outlearn.serving.api.problems import Problem

if TYPE_CHECKING:
    from outlearn.serving.accounts import Accounts

__all__ = ["COOKIE", "CSRF_HEADER", "Admin", "Analyst", "Needs", "Operator", "Viewer", "identify"]

COOKIE = "outlearn_session"
SECURE_COOKIE = f"__Host-{COOKIE}"  # its name behind TLS, where browsers hold it to this host and to TLS
CSRF_HEADER = "X-CSRF-Token"
_SAFE = ("GET", "HEAD", "OPTIONS")
_LONGEST = 200  # characters of a key or token that are looked up at all


def identify(accounts: Accounts, request: Request, *, used: bool = True) -> Actor:
    """Return who asks, by the Bearer key or, without one, by the cookie of a page.

    A change with a cookie must repeat the session's CSRF token in a header, which no other site can.
    used : whether this counts as use of the session, which ends when it was not used for a while.

    Raises
    ------
    Problem
        401 without a key or session that holds, 403 without the CSRF token.
    """
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, secret = header.partition(" ")
        actor = accounts.by_key(secret.strip()) if scheme.lower() == "bearer" and _fits(secret) else None
        if actor is None:
            raise _unknown(
                "the Authorization header holds no key that is valid now (it may be revoked or over)"
            )
        return actor
    token = session_token(request)
    found = accounts.by_session(token, used=used) if token is not None and _fits(token) else None
    if found is None:
        raise _unknown("the request has no key" if token is None else "the session is over; log in again")
    actor, csrf = found
    sent = request.headers.get(CSRF_HEADER, "")
    if request.method not in _SAFE and not hmac.compare_digest(sent.encode(), csrf.encode()):
        raise Problem(403, "csrf", f"a change from a page wants its token in the header {CSRF_HEADER}")
    return actor


def session_token(request: HTTPConnection) -> str | None:
    """Return the token of a page's session, if the request has one."""
    return request.cookies.get(SECURE_COOKIE) or request.cookies.get(COOKIE)


def _fits(secret: str) -> bool:
    return 0 < len(secret.strip()) <= _LONGEST


def _unknown(came: str) -> Problem:
    detail = f"{came}; wanted: Authorization: Bearer KEY, from `outlearn key add`"
    return Problem(401, "unknown", detail, headers={"WWW-Authenticate": 'Bearer realm="outlearn"'})


class Needs:
    """A dependency that gives the actor, and by which the route knows the least role that it takes.

    The route has checked both before it reads a body; see `routing.Guarded`.
    """

    def __init__(self, role: UserRole) -> None:
        self.role = role

    async def __call__(self, request: Request) -> Actor:
        actor: Actor = request.state.actor
        return actor


Viewer = Annotated[Actor, Depends(Needs(UserRole.VIEWER))]
Analyst = Annotated[Actor, Depends(Needs(UserRole.ANALYST))]
Operator = Annotated[Actor, Depends(Needs(UserRole.OPERATOR))]
Admin = Annotated[Actor, Depends(Needs(UserRole.ADMIN))]
