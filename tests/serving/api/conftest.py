"""A service with a job, its model and incidents, asked over HTTP without a port."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from outlearn.client import Client
from outlearn.data.readers import open_source
from outlearn.pipeline.monitor import Monitor
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.api.app import create_app
from outlearn.serving.found import Found, judge
from outlearn.serving.service import Service
from outlearn.serving.settings import Settings
from outlearn.serving.store.database import Database
from outlearn.serving.triage.keep import keep_found
from tests.serving.watched import OTTO, fitted, payments

ROOT = Actor("root", UserRole.ADMIN, Via.CLI)
PEOPLE = {UserRole.VIEWER: "vera", UserRole.ANALYST: "ana", UserRole.OPERATOR: "otto", UserRole.ADMIN: "ada"}
JOB = {"name": "payments", "source": {"push": True}, "rule": {"false_alarm_rate": 0.01}}
LIMITS = {
    "largest_upload": 200_000,
    "largest_push_rows": 2_000,
    "databases": {"shop": "sqlite:///shop.db"},
}


class Asgi(httpx.BaseTransport):
    """Carries requests to an application within the process."""

    def __init__(self, app: Any, portal: BlockingPortal) -> None:
        self._inner = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._portal.call(self._answer, request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


@dataclass
class World:
    """A service, the keys of its people by role, and ways to ask it."""

    service: Service
    keys: dict[UserRole, str]
    portal: BlockingPortal
    stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.app = create_app(self.service)
        self.transport = Asgi(self.app, self.portal)
        self.http = self.stack.enter_context(httpx.Client(base_url="http://test", transport=self.transport))

    def client(self, role: UserRole) -> Client:
        options = {"transport": self.transport, "retries": 0}
        return self.stack.enter_context(Client("http://test", self.keys[role], **options))

    def ask(self, role: UserRole | None, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request with the key of a role, or without one."""
        headers = dict(options.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.keys[role]}"
        return self.http.request(method, path, headers=headers, **options)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a problem."""
    document = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert document["status"] == answer.status_code
    assert set(document) >= {"type", "title", "detail", "code"}
    return answer.status_code, document["code"]


def raising(error: Exception) -> Callable[..., Any]:
    """Return what raises an error whatever it is asked."""

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.fixture(scope="session")
def filled(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[UserRole, str]]:
    """A store with people, a job and incidents, to be copied; and the keys of the people."""
    path = tmp_path_factory.mktemp("filled") / "store.db"
    shutil.copyfile(migrated_sqlite, path)
    service = Service.open(Settings(store=f"sqlite:///{path}"))
    keys = fill(service)
    with service.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    service.close()
    return path, keys


_FOUND: list[Found] = []


def found_by(monitor: Monitor) -> Found:
    """Return what the model of all tests finds in some payments; it is the same in each store."""
    if not _FOUND:
        _FOUND.append(judge(monitor, open_source(payments(300, 1, odd=12))))
    return _FOUND[0]


def fill(service: Service) -> dict[UserRole, str]:
    """Add people, a job with a model, and its incidents; return the keys of the people."""
    keys = {}
    for role, name in PEOPLE.items():
        service.accounts.add_user(ROOT, name, role)
        keys[role] = service.accounts.new_key(ROOT, name, "tests")
    job = service.jobs.add(OTTO, JOB)
    database = service.database
    with database.writing() as connection:
        version = service.models.add(connection, job.id, fitted(), OTTO)
    found = found_by(service.models.load(version))
    with database.writing() as connection:
        run = service.runs.enqueue(connection, job_id=job.id, kind="score", who="otto")
        keep_found(database, connection, found, job_id=job.id, run_id=run, model_id=version.id)
    return keys


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def open_world(portal: BlockingPortal) -> Iterator[Callable[..., World]]:
    """Return what opens the world of a store."""
    with ExitStack() as stack:

        def opened(url: str, keys: dict[UserRole, str] | None = None, **settings: Any) -> World:
            service = Service(Database.open(url), Settings(store=url, **LIMITS | settings))
            stack.callback(service.close)
            world = World(service, fill(service) if keys is None else dict(keys), portal)
            stack.callback(world.stack.close)
            return world

        yield opened


@pytest.fixture
def world(
    filled: tuple[Path, dict[UserRole, str]], tmp_path: Path, open_world: Callable[..., World]
) -> World:
    """A service of its own for a test, in SQLite."""
    template, keys = filled
    path = tmp_path / "world.db"
    shutil.copyfile(template, path)
    return open_world(f"sqlite:///{path}", keys)
