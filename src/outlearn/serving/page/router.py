"""All pages in one router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Depends, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from outlearn.serving.api import problems
from outlearn.serving.page import assets, entrance, incident, job, people, queue, suppress, trail
from outlearn.serving.page.faults import fault_page

if TYPE_CHECKING:
    from outlearn.serving.service import Service

__all__ = ["pages", "with_pages"]

_PARTS = (entrance, queue, incident, suppress, job, people, trail, assets)


def pages(service: Service) -> APIRouter:
    """Return the routes of all pages of a service."""
    router = APIRouter(dependencies=[Depends(_given(service))], include_in_schema=False)
    for part in _PARTS:
        router.include_router(part.router)
    return router


def with_pages(app: FastAPI, service: Service) -> FastAPI:
    """Add all pages to an app, which then answers browsers that lost their way by a page too."""

    async def lost(request: Request, error: Exception) -> Response:
        program = request.url.path.startswith("/api/") or "text/html" not in request.headers.get("Accept", "")
        if program:
            return problems.answer(request, error)
        return await run_in_threadpool(fault_page, request, error)

    app.include_router(pages(service))
    app.add_exception_handler(HTTPException, lost)
    return app


def _given(service: Service) -> Callable[[Request], Awaitable[None]]:
    async def give(request: Request) -> None:
        request.state.service = service

    return give
