"""The stream of events: what comes, from where, how many may follow, and when it ends."""

import asyncio
import json

import pytest

from outlearn.serving.access import UserRole
from outlearn.serving.api import events
from outlearn.serving.store import audit
from tests.serving.api.conftest import ROOT, refused


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(events, "POLL", 0.02)
    monkeypatch.setattr(events, "HEARTBEAT", 0.1)


class Page:
    """A reader of the stream, which ends when the stream does or it is told to."""

    def __init__(self, world, role=UserRole.VIEWER, headers=None):
        self.text, self.status, self.ended = "", None, asyncio.Event()
        self._gone = asyncio.Event()
        key = {"authorization": f"Bearer {world.keys[role]}"} if role else {}
        headers = [(name.encode(), value.encode()) for name, value in {**key, **(headers or {})}.items()]
        scope = {
            "type": "http", "method": "GET", "path": "/api/v1/events", "raw_path": b"/api/v1/events",
            "query_string": b"", "headers": headers, "scheme": "http", "server": ("test", 80),
            "client": ("127.0.0.1", 1), "http_version": "1.1", "root_path": "", "asgi": {"version": "3.0"},
        }  # fmt: skip
        self.task = asyncio.create_task(world.app(scope, self._receive, self._send))
        self.task.add_done_callback(lambda _: self.ended.set())

    async def _receive(self):
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.text += message.get("body", b"").decode()

    async def until(self, wanted):
        async with asyncio.timeout(10):
            while wanted not in self.text:
                await asyncio.sleep(0.01)

    async def close(self):
        self._gone.set()
        async with asyncio.timeout(10):
            await self.ended.wait()


def happen(world, number):
    with world.service.database.writing() as connection:
        audit.note(world.service.database, connection, "run", None, number=number)


def test_what_happens_comes_to_all_who_follow_and_goes_on_after_the_last_seen(world):
    async def follow():
        pages = [Page(world), Page(world)]
        for page in pages:
            await page.until("retry: 3000")
        await pages[0].until(":\n\n")
        await asyncio.to_thread(happen, world, 1)
        for page in pages:
            await page.until('"number": 1')
        block = next(part for part in pages[0].text.split("\n\n") if "data:" in part)
        id, kind, data = (line.partition(": ")[2] for line in block.splitlines())
        assert (kind, json.loads(data)["number"]) == ("run", 1)
        for page in pages:
            await page.close()
        await asyncio.to_thread(happen, world, 2)
        again = Page(world, headers={"last-event-id": id})
        await again.until('"number": 2')
        assert '"number": 1' not in again.text
        await again.close()
        assert world.app.state.events._reader is None  # nobody follows, so nothing is read

    world.portal.call(follow)


def test_who_missed_too_much_is_told_to_read_anew(world):
    async def follow(last):
        page = Page(world, headers={"last-event-id": last})
        await page.until("event: reset")
        await page.close()

    for number in range(3):
        happen(world, number)
    world.portal.call(follow, "999999")
    with world.service.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM events WHERE seq < (SELECT max(seq) FROM events)")
    world.portal.call(follow, "1")


def test_the_stream_ends_with_the_key_and_with_the_session(world):
    accounts = world.service.accounts
    accounts.set_password(ROOT, "ana", "correct horse battery staple")
    session = accounts.log_in("ana", "correct horse battery staple")

    async def follow():
        by_key = Page(world)
        by_session = Page(world, role=None, headers={"cookie": f"outlearn_session={session.token}"})
        for page in (by_key, by_session):
            await page.until(":\n\n")
        await asyncio.to_thread(accounts.disable, ROOT, "vera")
        await asyncio.to_thread(accounts.log_out, session.token)
        async with asyncio.timeout(10):
            await by_key.ended.wait()
            await by_session.ended.wait()
        assert by_key.status == by_session.status == 200

    world.portal.call(follow)


def test_the_service_ends_all_streams_when_it_stops(world):
    async def follow():
        page = Page(world)
        await page.until("retry")
        world.app.state.events.close()
        async with asyncio.timeout(10):
            await page.ended.wait()

    world.portal.call(follow)


def test_so_many_may_follow_and_no_more(world, monkeypatch):
    monkeypatch.setattr(events, "MOST_OF_ONE", 2)

    async def follow():
        pages = [Page(world), Page(world)]
        for page in pages:
            await page.until("retry")
        return pages

    async def close(pages):
        for page in pages:
            await page.close()

    pages = world.portal.call(follow)
    assert refused(world.ask(UserRole.VIEWER, "GET", "/api/v1/events")) == (429, "too-many")
    world.portal.call(close, pages)
    world.portal.call(close, world.portal.call(follow))


def test_a_page_that_does_not_keep_up_is_ended_and_others_go_on():
    async def fill():
        queue = asyncio.Queue(3)
        for number in range(5):
            events._put(queue, (number, "x"))
        return [queue.get_nowait() for _ in range(queue.qsize())]

    assert events._CLOSED in asyncio.run(fill())


def test_who_has_no_key_does_not_follow(world):
    assert refused(world.ask(None, "GET", "/api/v1/events")) == (401, "unknown")
