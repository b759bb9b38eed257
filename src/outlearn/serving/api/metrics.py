"""What the service does, for Prometheus: work, incidents, verdicts, and how long answers take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, distinct, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outlearn.serving.api.auth import Viewer
from outlearn.serving.api.routing import router
from outlearn.serving.store.tables import incidents, jobs, runs, verdicts

if TYPE_CHECKING:
    from outlearn.serving.service import Service

__all__ = ["Latencies", "registry_of", "routes"]

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_STATES = ("queued", "running", "done", "failed", "cancelled")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

routes = router("metrics", prefix="")


@routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def show_metrics(actor: Viewer, request: Request) -> Response:
    """Show what Prometheus collects; it holds no secret, and takes a key of a viewer."""
    return Response(generate_latest(request.app.state.metrics), media_type=MEDIA)


def registry_of(service: Service) -> CollectorRegistry:
    """Return the metrics of a service; what is in its store is read when they are collected."""
    registry = CollectorRegistry()
    registry.register(_Store(service))
    return registry


class _Store(Collector):
    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> list[Metric]:
        return []  # so that registering reads nothing

    def collect(self) -> Iterator[Metric]:
        database = self._service.database
        with database.reading() as connection:
            yield from _of_runs(connection, database.now(connection))
            yield from _of_triage(connection)


def _of_runs(connection: Connection, now: float) -> Iterator[Metric]:
    counts = GaugeMetricFamily("outlearn_runs", "Runs by state", labels=["state"])
    found = {
        row[0]: row[1]
        for row in connection.execute(select(runs.c.state, func.count()).group_by(runs.c.state))
    }
    for state in _STATES:
        counts.add_metric([state], found.get(state, 0))
    yield counts
    oldest = connection.execute(select(func.min(runs.c.queued)).where(runs.c.state == "queued")).scalar()
    age = 0.0 if oldest is None else max(0.0, now - oldest)
    yield GaugeMetricFamily("outlearn_oldest_queued_seconds", "Age of the run that waits longest", age)


def _of_triage(connection: Connection) -> Iterator[Metric]:
    opened = GaugeMetricFamily("outlearn_incidents_open", "Open incidents", labels=["job"])
    query = (
        select(jobs.c.name, func.count(incidents.c.id))
        .select_from(jobs)
        .outerjoin(incidents, (incidents.c.job_id == jobs.c.id) & (incidents.c.state == "open"))
        .where(jobs.c.state != "removed")
        .group_by(jobs.c.name)
    )
    for name, count in connection.execute(query):
        opened.add_metric([name], count)
    yield opened
    given = CounterMetricFamily("outlearn_verdicts", "Verdicts, those taken back too", labels=["answer"])
    acts = select(verdicts.c.answer, func.count(distinct(verdicts.c.id))).group_by(verdicts.c.answer)
    for answer, count in connection.execute(acts):
        given.add_metric([answer], count)
    yield given


class Latencies:
    """Measures how long answers take to begin, by route and status (ASGI)."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        self.seconds = Histogram(
            "outlearn_request_seconds",
            "Seconds until an answer begins",
            ["method", "route", "status"],
            registry=registry,
            buckets=_BUCKETS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The pattern of the route, not the address: that has no end of values.
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                labels = (method, route, str(message["status"]))
                self.seconds.labels(*labels).observe(time.perf_counter() - start)
            await send(message)

        await self.app(scope, receive, timed)


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
