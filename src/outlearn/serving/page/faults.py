"""Errors as pages: what came, what was wanted, what to do; never what is inside."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from outlearn.errors import (
    AbsentError,
    AccessError,
    ConflictError,
    InputError,
    MissingExtraError,
    ParameterError,
    RateError,
    StoreError,
)
from outlearn.serving.page.rendering import page
from outlearn.serving.page.visitor import LogInFirst, is_fragment

__all__ = ["PageRoute", "fault_page", "status_of"]

_LOG = logging.getLogger(__name__)
_TITLES = {
    400: "That could not be done",
    403: "That is not for you",
    404: "There is no such page",
    409: "It was changed meanwhile",
    429: "Too many tries",
    500: "An error of the service",
    503: "The store does not answer",
}


_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (AccessError, 403),
    (AbsentError, 404),
    (ConflictError, 409),
    (RateError, 429),
    (InputError, 400),
    (RequestValidationError, 400),
    (StoreError, 503),
    (MissingExtraError, 501),
)


class PageRoute(APIRoute):
    """A route whose errors are pages, and that sends who is not logged in to the log-in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                _check_address(request)
                return await inner(request)
            except LogInFirst:
                return _to_log_in(request)
            except Exception as error:
                return await run_in_threadpool(fault_page, request, error)

        return handle


def fault_page(request: Request, error: Exception) -> Response:
    """Return the page of an error; what nobody expected is logged, and only its id is told."""
    status, words = status_of(error), _words(request, error)
    headers = {"Retry-After": str(int(error.seconds) + 1)} if isinstance(error, RateError) else {}
    name = "fault_part.html" if is_fragment(request) else "fault.html"
    visitor = getattr(request.state, "visitor", None)
    title = _TITLES.get(status, _TITLES[400])
    return page(name, visitor, status=status, headers=headers, title=title, words=words)


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error; 500 for one that nobody expected."""
    if isinstance(error, HTTPException):
        return error.status_code
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def _words(request: Request, error: Exception) -> str:
    match error:
        case StoreError():
            _LOG.warning("the store: %s", error)
            return "the store does not answer now; try again soon"
        case MissingExtraError():
            return f"{error} (on the machine of the service)"
        case RequestValidationError():
            return "the address has a value that cannot be; open the page from the one before"
        case HTTPException():
            return str(error.detail)
        case InputError():
            return str(error)
    id = secrets.token_hex(8)
    _LOG.error("error %s at %s %s", id, request.method, request.url.path, exc_info=error)
    return f"its log has this as {id}; please report it"


def _check_address(request: Request) -> None:
    values = [*request.path_params.values(), *request.query_params.values()]
    if any(isinstance(value, str) and "\0" in value for value in values):
        raise ParameterError("the address has a NUL character, which no text has; remove it")


def _to_log_in(request: Request) -> Response:
    if is_fragment(request):
        words = "your session is over; log in again, and then once more what you did"
        return page("fault_part.html", status=401, title="Not logged in", words=words)
    wanted = request.url.path
    if request.method != "GET":
        return RedirectResponse("/login?over=1", 303)
    if request.url.query:
        wanted += f"?{request.url.query}"
    return RedirectResponse("/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}", 303)
