"""The application: routes of the API, health, metrics and events, and what stands around each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI

from outlearn import __version__
from outlearn.serving.api import (
    audit,
    events,
    health,
    incidents,
    jobs,
    keys,
    metrics,
    models,
    rows,
    runs,
    suppressions,
    users,
)
from outlearn.serving.api.headers import SecurityHeaders
from outlearn.serving.api.openapi import describe
from outlearn.serving.api.problems import ProblemGuard, install
from outlearn.serving.api.routing import Guarded

if TYPE_CHECKING:
    from outlearn.serving.service import Service

__all__ = ["create_app", "guarded_routes"]

_GROUPS = (jobs, rows, runs, models, incidents, suppressions, users, keys, audit, events, metrics)


def create_app(service: Service, *others: APIRouter) -> FastAPI:
    """Return the application of a service, to be served by one process.

    others : routers of what else is at the same address, such as the pages.
    """
    app = FastAPI(
        title="outlearn", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.service = service
    app.state.events = events.Hub(service.database)
    app.state.metrics = registry = metrics.registry_of(service)
    for group in _GROUPS:
        app.include_router(group.routes)
    app.include_router(health.routes)
    for router in others:
        app.include_router(router)

    def openapi() -> dict[str, Any]:
        return describe(app, guarded_routes())

    app.openapi = openapi  # type: ignore[method-assign]
    install(app)
    app.add_middleware(metrics.Latencies, registry=registry)
    app.add_middleware(ProblemGuard)
    app.add_middleware(SecurityHeaders, secure=service.settings.url.startswith("https:"))
    return app


def guarded_routes() -> Iterator[tuple[str, Guarded]]:
    """Give all routes that want a key, with their paths."""
    for group in _GROUPS:
        for route in group.routes.routes:
            assert isinstance(route, Guarded)
            yield route.path, route
