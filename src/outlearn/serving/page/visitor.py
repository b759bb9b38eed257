"""Who sees a page, by the session in a cookie; and the forms that come from them."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from outlearn.errors import AccessError, ParameterError
from outlearn.serving.access import Actor, UserRole
from outlearn.serving.api.auth import COOKIE
from outlearn.serving.service import Service

__all__ = [
    "COOKIE",
    "CSRF",
    "FORM_COOKIE",
    "Below",
    "Id",
    "LogInFirst",
    "PageForm",
    "Serving",
    "Submission",
    "Submitted",
    "Visiting",
    "Visitor",
    "cookie_name",
    "is_fragment",
    "open_form",
    "read_form",
    "set_cookie",
]

FORM_COOKIE = "outlearn_form"  # of forms that come before a session
CSRF = "csrf"  # the field of forms
FRAGMENT = "X-Fragment"  # sent by the script, which takes a part of a page in answer
LIVE = "X-Live"  # sent by the script when it looks by itself, which keeps no session alive
LARGEST = 1 << 18  # bytes of a form
FIELDS = 1_500
LONGEST_TOKEN = 200


class LogInFirst(Exception):
    """Nobody is logged in."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is logged in. csrf : the token that their forms carry."""

    actor: Actor
    csrf: str

    @property
    def name(self) -> str:
        return self.actor.name

    def may(self, role: str) -> bool:
        """Return whether the role is enough for what takes one of that name."""
        return self.actor.role >= UserRole.parse(role)


@dataclass(frozen=True, slots=True)
class PageForm:
    """The fields of a form, in their order."""

    pairs: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str = "") -> str:
        """Return the first field of a name, without blanks around it."""
        return next((value.strip() for key, value in self.pairs if key == name), default)

    def secret(self, name: str) -> str:
        """Return the first field of a name as it came: blanks count in a password."""
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Return the fields of a name, without blanks around them."""
        return [value.strip() for key, value in self.pairs if key == name]

    def ids(self, name: str) -> list[int]:
        """Return the fields of a name as ids.

        Raises
        ------
        ParameterError
            When one is no whole number of a database.
        """
        return [id_of(value) for value in self.all(name)]


@dataclass(frozen=True, slots=True)
class Submission:
    """A form with who sent it, whose token was right."""

    visitor: Visitor
    form: PageForm

    @property
    def actor(self) -> Actor:
        return self.visitor.actor


def id_of(value: str) -> int:
    """Return an id that an address or form has.

    Raises
    ------
    ParameterError
        When it is no whole number of a database.
    """
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise ParameterError(f"an id came as {value[:40]!r}; wanted a whole number")
    return int(value)


def is_fragment(request: Request) -> bool:
    """Return whether the script asks, which takes a part of a page."""
    return FRAGMENT in request.headers


def service_of(request: Request) -> Service:
    """Return the service that the routes were made for."""
    service: Service = request.state.service
    return service


Serving = Annotated[Service, Depends(service_of)]


def visitor(request: Request, service: Serving) -> Visitor:
    """Return who is logged in.

    Raises
    ------
    LogInFirst
        When nobody is.
    """
    token = request.cookies.get(cookie_name(request, COOKIE), "")
    fits, used = 0 < len(token) <= LONGEST_TOKEN, LIVE not in request.headers
    found = service.accounts.by_session(token, used=used) if fits else None
    if found is None:
        raise LogInFirst
    request.state.visitor = known = Visitor(*found)
    return known


Visiting = Annotated[Visitor, Depends(visitor)]


async def submission(request: Request, known: Visiting) -> Submission:
    """Return a form with who sent it.

    Raises
    ------
    AccessError
        When it lacks the token of the session, so that another site may have made it.
    """
    form = await read_form(request)
    _check_token(form, known.csrf)
    return Submission(known, form)


async def open_form(request: Request) -> PageForm:
    """Return a form of a page for everybody, whose token is in a cookie of its own.

    Raises
    ------
    AccessError
        When they differ.
    """
    form = await read_form(request)
    _check_token(form, request.cookies.get(cookie_name(request, FORM_COOKIE), ""))
    return form


LARGEST_ID = 2**63 - 1  # of a database
Id = Annotated[int, Path(ge=0, le=LARGEST_ID)]
Below = Annotated[int | None, Query(ge=0, le=LARGEST_ID)]
Submitted = Annotated[Submission, Depends(submission)]


async def read_form(request: Request) -> PageForm:
    """Return the fields of a body within limits.

    Raises
    ------
    ParameterError
        When it is no form, or too large.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none"):
        raise AccessError("the form came from another site; open the page and send it from there")
    media = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise ParameterError(f"a body of {media[:60] or 'no media type'} came; wanted a form of the page")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise ParameterError(f"the form has over {LARGEST >> 10} KiB; send less at once")
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError as error:
        raise ParameterError(f"the form has over {FIELDS:,} fields; send less at once") from error
    if any("\0" in part for part in _parts(pairs)):
        raise ParameterError("the form has a NUL character, which no text has; remove it")
    return PageForm(tuple(pairs))


def cookie_name(request: Request, name: str) -> str:
    """Return the name of a cookie: behind TLS one that browsers hold to this host and to TLS."""
    return f"__Host-{name}" if _is_secure(request) else name


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: float | None) -> None:
    """Give a cookie that no script reads and no other site sends; seconds : until it goes, 0 for at once."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=None if seconds is None else int(seconds),
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="lax" if name == COOKIE else "strict",
    )


def _is_secure(request: Request) -> bool:
    settings = request.state.service.settings
    return request.url.scheme == "https" or str(settings.address or "").startswith("https:")


def _check_token(form: PageForm, wanted: str) -> None:
    if not wanted or not hmac.compare_digest(form.get(CSRF).encode(), wanted.encode()):
        raise AccessError(
            "the form is not from this page, or the session is another one; open the page again"
        )


def _parts(pairs: list[tuple[str, str]]) -> Iterator[str]:
    for pair in pairs:
        yield from pair
