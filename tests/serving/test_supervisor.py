"""The workers of a server: a new one for each that dies, and none that outlives it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from outlearn.serving.service import Service
from outlearn.serving.settings import Settings
from outlearn.serving.supervisor import Supervisor
from tests.serving.counting import ask, be_worker, counted, job_of


@pytest.fixture
def service(migrated_sqlite, tmp_path):
    store = tmp_path / "store.db"
    store.write_bytes(migrated_sqlite.read_bytes())
    settings = Settings(store=f"sqlite:///{store}", poll_seconds=0.02, roots={"here": tmp_path})
    service = Service.open(settings)
    yield service
    service.close()


def _wait_until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def test_a_worker_that_dies_is_followed_by_another_which_takes_its_run_on(service):
    supervisor = Supervisor(service.settings, service.runs, be_worker)
    supervisor.start()
    try:
        id = ask(service, job_of(service.database, "payments"), to=60, seconds=0.1)
        _wait_until(lambda: service.runs.get(id).rows >= 10)
        os.kill(supervisor._workers[0].process.pid, signal.SIGKILL)
        _wait_until(lambda: service.runs.get(id).state == "done")
        assert supervisor.alive == 1
    finally:
        supervisor.stop()
    assert supervisor.alive == 0
    assert set(counted(service.database).values()) == {1}
    assert service.runs.get(id).rows == 60


def be_server(settings):
    """Have a worker, tell its number, and live on."""
    service = Service.open(settings)
    supervisor = Supervisor(settings, service.runs, be_worker)
    supervisor.start()
    _wait_until(lambda: supervisor.alive == 1)
    (settings.roots["here"] / "pid").write_text(str(supervisor._workers[0].process.pid))
    time.sleep(60)


def test_workers_end_with_a_server_that_is_killed(service, tmp_path):
    server = multiprocessing.get_context("spawn").Process(target=be_server, args=(service.settings,))
    server.start()
    id = ask(service, job_of(service.database, "payments"), to=10_000, seconds=0.05)
    _wait_until(lambda: service.runs.get(id).rows >= 5)
    worker = Path("/proc") / (tmp_path / "pid").read_text()
    server.kill()
    server.join()
    _wait_until(lambda: not worker.exists() or "Z" in (worker / "stat").read_text().split()[2], 10.0)
    run = service.runs.get(id)
    assert run.state == "running"
    assert counted(service.database).total() == run.rows
