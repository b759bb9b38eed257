"""Errors as problem documents (RFC 9457): what came, what was wanted, what to do; never what is inside."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outlearn.errors import (
    AbsentError,
    AccessError,
    ConflictError,
    InputError,
    MissingExtraError,
    OutlearnError,
    RateError,
    StoreError,
)

__all__ = ["Problem", "ProblemDocument", "ProblemGuard", "answer", "install"]

MEDIA = "application/problem+json"
RETRY_AFTER = 5  # seconds until a database that did not answer is worth another try
_LOG = logging.getLogger(__name__)
_SHOWN = 80  # characters of a refused value that are repeated to its sender
_SECRET = ("password", "token", "secret", "key")  # fields whose values are not repeated


class Fault(BaseModel):
    """One field that was refused."""

    where: str = Field(examples=["body.answer"])
    problem: str = Field(examples=["it came as 'maybe'; input should be 'anomaly', 'normal' or 'unsure'"])


class ProblemDocument(BaseModel):
    """What went wrong, as RFC 9457 has it; `code` is for programs, `detail` for people."""

    type: str = Field(default="about:blank", examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["there is no job 'paymets'; near to it: payments"])
    code: str = Field(examples=["absent"])
    id: str | None = Field(default=None, description="of an unexpected error, as it stands in the log")
    errors: list[Fault] | None = Field(default=None, description="the fields that were refused")


class Problem(HTTPException):
    """A refusal by the API itself, raised from wherever it is found.

    Parameters
    ----------
    status : of HTTP, 400 or above.
    code : a word for programs.
    detail : what came, what was wanted, what to do.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Fault] = (),
        id: str | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        self.errors = list(errors) or None
        self.id = id

    def response(self) -> JSONResponse:
        document = ProblemDocument(
            title=HTTPStatus(self.status_code).phrase,
            status=self.status_code,
            detail=self.detail,
            code=self.code,
            id=self.id,
            errors=self.errors,
        )
        content = document.model_dump(exclude_none=True)
        return JSONResponse(content, self.status_code, self.headers, media_type=MEDIA)


def install(app: FastAPI) -> None:
    """Have every error of an app answered by a problem document."""

    async def handle(request: Request, error: Exception) -> Response:
        return answer(request, error)

    for kind in (OutlearnError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, handle)


def answer(request: Request, error: Exception) -> Response:
    """Return the problem document of an error; what nobody expected is logged, and only its id is told."""
    if isinstance(error, HTTPException) and not isinstance(error, Problem):
        return _plain(request, error).response()
    if isinstance(error, RequestValidationError):
        return _invalid(error).response()
    problem = error if isinstance(error, Problem) else _of_ours(error, "if-match" in request.headers)
    return (problem or _unexpected(request, error)).response()


def _of_ours(error: Exception, conditional: bool) -> Problem | None:
    """Return the problem of an error that was raised on purpose, None for any other."""
    text = str(error)
    match error:
        case AccessError():
            return Problem(403, "forbidden", text)
        case AbsentError():
            return Problem(404, "absent", text)
        case ConflictError():
            return Problem(412, "stale", text) if conditional else Problem(409, "conflict", text)
        case RateError():
            seconds = str(max(1, round(error.seconds)))
            return Problem(429, "too-often", text, headers={"Retry-After": seconds})
        case InputError():
            return Problem(400, "refused", text)
        case StoreError():
            _LOG.warning("the store: %s", error)
            headers = {"Retry-After": str(RETRY_AFTER)}
            return Problem(503, "store", "the store does not answer now; try again soon", headers=headers)
        case MissingExtraError():
            return Problem(501, "not-installed", f"{text} (on the machine of the service)")
        case _:
            return None


def _unexpected(request: Request, error: Exception) -> Problem:
    id = secrets.token_hex(8)
    _LOG.error("error %s at %s %s", id, request.method, request.url.path, exc_info=error)
    return Problem(
        500, "unexpected", f"an error of the service, which its log has as {id}; please report it", id=id
    )


def _plain(request: Request, error: HTTPException) -> Problem:
    """Return the problem of what the framework refuses."""
    path = request.url.path[:200]
    match error.status_code:
        case 404:
            return Problem(
                404, "no-route", f"there is nothing at {path}; see /openapi.json for what there is"
            )
        case 405:
            allowed = (error.headers or {}).get("Allow", "")
            detail = f"{request.method} is not for {path}; wanted {allowed or 'another method'}"
            return Problem(405, "method", detail, headers=error.headers)
        case status:
            return Problem(status, "refused", str(error.detail), headers=error.headers)


def _invalid(error: RequestValidationError) -> Problem:
    faults = [_fault(each) for each in error.errors()[:20]]
    detail = "; ".join(f"{fault.where}: {fault.problem}" for fault in faults[:3])
    more = len(error.errors()) - 3
    return Problem(
        400, "invalid", detail + (f"; and {more} more (see errors)" if more > 0 else ""), errors=faults
    )


def _fault(found: Mapping[str, Any]) -> Fault:
    where = ".".join(str(part)[:100] for part in found["loc"])
    wanted = str(found["msg"])
    wanted = wanted[:1].lower() + wanted[1:]
    hidden = any(word in where.lower() for word in _SECRET)
    if hidden or found["type"] in ("missing", "json_invalid") or "input" not in found:
        return Fault(where=where, problem=wanted)
    came = repr(found["input"])
    came = came if len(came) <= _SHOWN else came[: _SHOWN - 1] + "…"
    return Fault(where=where, problem=f"it came as {came}; {wanted}")


class ProblemGuard:
    """Answers errors from outside of the routes too, so that no answer shows what is inside (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = False

        async def watched(message: Message) -> None:
            nonlocal began
            began = began or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if began:
                raise
            await answer(Request(scope), error)(scope, receive, send)
