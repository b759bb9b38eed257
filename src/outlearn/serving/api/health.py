"""Whether the process lives, and whether the service can do its work: for whoever restarts it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from alembic.runtime.migration import MigrationContext
from fastapi import APIRouter
from sqlalchemy import Connection, exists, or_, select
from starlette.requests import Request
from starlette.responses import JSONResponse

from outlearn.errors import StoreError
from outlearn.serving.store.migrations import latest
from outlearn.serving.store.tables import jobs, runs

if TYPE_CHECKING:
    from outlearn.serving.service import Service

__all__ = ["routes", "standing"]

OVERDUE = 120.0  # seconds that work may wait before nobody seems to be there to do it

routes = APIRouter(tags=["health"])


@routes.get("/healthz")
async def tell_health() -> dict[str, str]:
    """Say that the process answers, whatever its store does."""
    return {"status": "ok"}


@routes.get("/readyz", responses={503: {"description": "not now, and which part is not"}})
def tell_readiness(request: Request) -> JSONResponse:
    """Say whether the store answers, has the tables of this version, and work is done by some worker."""
    found = standing(request.app.state.service)
    ready = all(value == "ok" for value in found.values())
    headers = {} if ready else {"Retry-After": "5"}
    return JSONResponse({"status": "ok" if ready else "not ready", **found}, 200 if ready else 503, headers)


def standing(service: Service) -> dict[str, str]:
    """Return by part "ok", or what is wrong, in words that tell strangers nothing else."""
    found = {"store": "does not answer", "tables": "unknown", "workers": "unknown"}
    try:
        with service.database.reading() as connection:
            found["store"] = "ok"
            if MigrationContext.configure(connection).get_current_revision() != _newest():
                return found | {"tables": "of another version"}
            found["tables"] = "ok"
            idle = _is_overdue(connection, service.database.now(connection))
            return found | {"workers": "work waits and nobody does it" if idle else "ok"}
    except StoreError:
        return found


@cache
def _newest() -> str:
    return latest()


def _is_overdue(connection: Connection, now: float) -> bool:
    """Say whether work waits for long and no worker has any: then there is none that lives."""
    late = now - OVERDUE
    held = exists().where(runs.c.state == "running", runs.c.lease_until > now)
    due = exists().where(jobs.c.state == "active", or_(jobs.c.next_score < late, jobs.c.next_fit < late))
    waits = exists().where(
        runs.c.state == "queued", runs.c.queued < late, runs.c.job_id == jobs.c.id, jobs.c.state == "active"
    )
    return bool(connection.execute(select(or_(due, waits) & ~held)).scalar_one())
