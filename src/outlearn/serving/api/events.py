"""Events for pages that follow: server-sent events, from one reader of the store for all streams."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Header
from sqlalchemy import func, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from outlearn.errors import OutlearnError
from outlearn.serving.api.auth import Viewer, identify
from outlearn.serving.api.problems import Problem
from outlearn.serving.api.routing import Serving, router
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import events

if TYPE_CHECKING:
    from outlearn.serving.service import Service

__all__ = ["Hub", "routes"]

HEARTBEAT = 15.0  # seconds between two signs of life, each after a look whether the session still holds
POLL = 0.5  # seconds between two looks for events
MOST, MOST_OF_ONE = 200, 20  # streams at once, of all and of one person
BACKLOG = 1_000  # events that a page may have missed and still gets
_LOG = logging.getLogger(__name__)

routes = router("events")
Event = tuple[int, str]  # number and text in the stream


@routes.get(
    "/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}}
)
async def follow_events(
    actor: Viewer,
    service: Serving,
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=20, description="of the last event seen")] = None,
) -> StreamingResponse:
    """Follow what happens, as server-sent events, from now or from the event after `Last-Event-ID` on.

    The stream ends when the session or key does. After `reset` a page has missed too much and reads anew.
    """
    hub: Hub = request.app.state.events
    hub.check_room(actor.name)
    seen = (
        int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else None
    )
    return StreamingResponse(
        _stream(hub, service, request, actor.name, seen),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _stream(
    hub: Hub, service: Service, request: Request, who: str, seen: int | None
) -> AsyncIterator[str]:
    queue = hub.join(who)
    try:
        yield "retry: 3000\n\n"
        if seen is not None:
            for seq, text in await run_in_threadpool(hub.missed, seen):
                seen = seq
                yield text
        checked = time.monotonic()
        while True:
            event = await _next(queue, HEARTBEAT - (time.monotonic() - checked))
            if time.monotonic() - checked >= HEARTBEAT:
                if not await _holds(service, request):
                    return
                checked = time.monotonic()
                yield ":\n\n"
            if event is _CLOSED:
                return
            if event is not None and (seen is None or event[0] > seen):
                yield event[1]
    finally:
        hub.leave(who, queue)


_CLOSED: Event = (-1, "")


async def _next(queue: asyncio.Queue[Event], seconds: float) -> Event | None:
    try:
        return await asyncio.wait_for(queue.get(), max(seconds, 0.0))
    except TimeoutError:
        return None


async def _holds(service: Service, request: Request) -> bool:
    """Say whether who asked may go on; the look counts as no use of the session."""
    try:
        await run_in_threadpool(identify, service.accounts, request, used=False)
    except (Problem, OutlearnError):
        return False
    return True


class Hub:
    """Reads new events for all streams of the process, while there are any."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queues: set[asyncio.Queue[Event]] = set()
        self._people: Counter[str] = Counter()
        self._reader: asyncio.Task[None] | None = None

    def check_room(self, who: str) -> None:
        """Refuse a stream where there are too many.

        Raises
        ------
        Problem
            429.
        """
        if len(self._queues) >= MOST or self._people[who] >= MOST_OF_ONE:
            raise Problem(
                429,
                "too-many",
                "too many streams of events are open; close some pages",
                headers={"Retry-After": "30"},
            )

    def join(self, who: str) -> asyncio.Queue[Event]:
        """Return a queue that gets all events from now on."""
        queue: asyncio.Queue[Event] = asyncio.Queue(BACKLOG)
        self._queues.add(queue)
        self._people[who] += 1
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        return queue

    def leave(self, who: str, queue: asyncio.Queue[Event]) -> None:
        """Forget a queue; without any, nothing is read."""
        self._queues.discard(queue)
        self._people[who] -= 1
        self._people += Counter()  # drops those without any
        if not self._queues and self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def close(self) -> None:
        """End all streams, as when the service stops."""
        for queue in self._queues:
            _put(queue, _CLOSED)

    def missed(self, seen: int) -> list[Event]:
        """Return the events after one, or a reset where they are too many or were removed."""
        query = select(events).where(events.c.seq > seen).order_by(events.c.seq).limit(BACKLOG + 1)
        with self._database.reading() as connection:
            found = [_event(row) for row in connection.execute(query).mappings()]
            first, last = connection.execute(select(func.min(events.c.seq), func.max(events.c.seq))).one()
        if len(found) > BACKLOG or seen > (last or 0) or (first is not None and seen < first - 1):
            return [(last or 0, f"id: {last or 0}\nevent: reset\ndata: {{}}\n\n")]
        return found

    async def _read(self) -> None:
        seen: int | None = None
        while True:
            try:
                found, seen = await run_in_threadpool(self._after, seen)
            except OutlearnError as error:
                _LOG.warning("events are not read: %s", error)
                found = []
            for event in found:
                for queue in list(self._queues):
                    _put(queue, event)
            await asyncio.sleep(POLL)

    def _after(self, seen: int | None) -> tuple[list[Event], int]:
        with self._database.reading() as connection:
            if seen is None:
                last = connection.execute(select(func.max(events.c.seq))).scalar()
                return [], int(last or 0)
            query = select(events).where(events.c.seq > seen).order_by(events.c.seq).limit(BACKLOG)
            found = [_event(row) for row in connection.execute(query).mappings()]
        return found, found[-1][0] if found else seen


def _put(queue: asyncio.Queue[Event], event: Event) -> None:
    """Give an event to a stream; one that does not keep up ends, and comes again by the last event it saw."""
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        event = _CLOSED
    queue.put_nowait(event)


def _event(row: Any) -> Event:
    data = {"when": row["when"], "job_id": row["job_id"], **json.loads(row["detail"])}
    text = json.dumps(data, ensure_ascii=True)
    return row["seq"], f"id: {row['seq']}\nevent: {row['kind']}\ndata: {text}\n\n"
