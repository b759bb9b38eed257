"""Workers in processes of their own: killed at any moment, slow, greedy, cancelled, or without a store."""

from __future__ import annotations

import multiprocessing
import random
import signal
import sys
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from outlearn.errors import ReadError, StoreError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.runs import RunQueue
from outlearn.serving.service import Service
from outlearn.serving.settings import Settings
from outlearn.serving.worker import LEFT, Stopped, Worker, run
from tests.serving.counting import STEP, ask, be_worker, count, counted, job_of

OPERATOR = Actor("olga", UserRole.OPERATOR, Via.CLI)
# A process is forked from one that has imported what workers need, and has no other thread.
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["__main__", "outlearn.serving.worker", "psycopg"])


@pytest.fixture
def service(url):
    service = Service.open(Settings(store=url, poll_seconds=0.02, lease_seconds=30.0))
    yield service
    service.close()


def _started(service, name, target=be_worker):
    process = FRESH.Process(target=target, args=(service.settings, name), daemon=True)
    process.start()
    return process


@contextmanager
def _working(service, name="w1", target=be_worker):
    process = _started(service, name, target)
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


def _state(service, id):
    return service.runs.get(id).state


def test_workers_that_are_killed_at_any_moment_lose_nothing_and_do_nothing_twice(service):
    chance, numbers, kills = random.Random(7), 60, 6
    ids = [job_of(service.database, f"job{n}") for n in range(3)]
    wanted = Counter((job, number) for job in ids for number in range(numbers))
    workers = {f"w{n}": _started(service, f"w{n}") for n in range(2)}
    ended = 0
    try:
        while counted(service.database) != wanted:
            for job in ids:  # one that lost its worker three times before it got on has failed
                ask(service, job, to=numbers, seconds=0.01)
            time.sleep(chance.uniform(0.0, 0.1))
            if ended < kills and counted(service.database).total() > STEP * ended:
                name = chance.choice(sorted(workers))
                workers[name].kill()
                workers.pop(name).join()
                service.runs.release(name, "it was killed")
                ended += 1
                workers[f"w{ended + 1}"] = _started(service, f"w{ended + 1}")
    finally:
        for process in workers.values():
            process.kill()
            process.join()
    assert ended == kills
    assert sum(run.rows for run in service.runs.list(limit=1000)) == 3 * numbers


def test_a_worker_that_is_to_end_gives_back_what_it_has(service):
    id = ask(service, job_of(service.database, "payments"), to=1000, seconds=0.02)
    with _working(service) as process:
        _wait_until(lambda: service.runs.get(id).rows >= 10)
        process.terminate()
        process.join(5)
        assert process.exitcode == 0
    run = service.runs.get(id)
    assert (run.state, run.attempts) == ("queued", 0)
    assert counted(service.database).total() == run.rows


def test_a_cancelled_run_ends_its_worker_within_a_lease(service):
    quick = Service(service.database, Settings(store=service.settings.store, lease_seconds=0.4))
    id = ask(service, job_of(service.database, "payments"), to=10, seconds=60)
    with _working(quick) as process:
        _wait_until(lambda: _state(service, id) == "running")
        service.runs.cancel(OPERATOR, id)
        process.join(5)
        assert process.exitcode == LEFT
    assert _state(service, id) == "cancelled"
    assert not counted(service.database)


def test_a_step_that_takes_too_long_fails_its_run_and_ends_the_worker(service):
    settings = Settings(store=service.settings.store, run_seconds=1.5, lease_seconds=30.0, poll_seconds=0.02)
    job = job_of(service.database, "payments")
    ask(service, job, to=20, seconds=0.4)  # several steps, each of which is short enough
    with _working(Service(service.database, settings)) as process:
        _wait_until(lambda: counted(service.database).total() == 20)
        id = ask(service, job, to=40, seconds=60)
        process.join(5)
        assert process.exitcode == LEFT
    run = service.runs.get(id)
    assert run.state == "failed"
    assert run.error.startswith("it took longer than run_seconds = 1.5")


def _fill_memory(service, claim, beat):
    held = []
    while True:
        held.append(bytearray(16 << 20))


def be_greedy(settings, name):
    run(settings, name, _fill_memory)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is that of Linux")
def test_a_run_that_takes_too_much_memory_fails_and_the_worker_lives(service):
    settings = Settings(store=service.settings.store, worker_memory=128 << 20, poll_seconds=0.02)
    ids = [ask(service, job_of(service.database, name)) for name in ("a", "b")]
    with _working(Service(service.database, settings), target=be_greedy) as process:
        _wait_until(lambda: all(_state(service, id) == "failed" for id in ids))
        assert process.is_alive()
    assert "worker_memory = 128 MiB" in service.runs.get(ids[0]).error


def _fail(error):
    def perform(service, claim, beat):
        raise error

    return perform


def _failed(service, error):
    id = ask(service, job_of(service.database, f"job{time.monotonic_ns()}"))
    assert Worker(service, "w1", _fail(error)).once() == id
    return service.runs.get(id)


def test_what_goes_wrong_is_said_with_the_run(service, caplog):
    run = _failed(service, ReadError("postgresql://ann:hushhush@db/shop: no such table"))
    assert (run.state, run.error) == ("failed", "postgresql://ann:***@db/shop: no such table")
    run = _failed(service, ZeroDivisionError("by\nnothing"))
    assert run.error == "internal error: ZeroDivisionError: by nothing"
    assert "Traceback" in caplog.text
    run = _failed(service, StoreError("gone"))
    assert (run.state, run.error) == ("queued", None)


def test_a_worker_in_this_process_gives_back_what_it_has_when_interrupted(service):
    id = ask(service, job_of(service.database, "payments"))
    with pytest.raises(Stopped):
        Worker(service, "w1", _fail(Stopped(signal.SIGTERM))).once()
    assert _state(service, id) == "queued"


def test_what_a_stale_worker_did_is_not_kept(service, caplog):
    def perform(service, claim, beat):
        service.runs.release("w1", "it seemed dead")
        other = RunQueue(service.database).claim("w2")
        try:
            count(service, claim, beat)
        finally:
            count(service, other, beat)

    id = ask(service, job_of(service.database, "payments"), to=10)
    Worker(service, "w1", perform).once()
    assert "is not this worker's any more" in caplog.text
    assert set(counted(service.database).values()) == {1}
    assert (_state(service, id), service.runs.get(id).rows) == ("done", 10)


def test_a_worker_waits_for_a_store_that_is_gone(service, monkeypatch, caplog):
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 4:
            raise Stopped

    monkeypatch.setattr("outlearn.serving.worker.time.sleep", sleep)
    worker = Worker(service, "w1", count)
    answers = iter([StoreError("gone"), StoreError("gone"), None, StoreError("gone")])

    def once():
        answer = next(answers)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    monkeypatch.setattr(Worker, "once", lambda self: once())
    with pytest.raises(Stopped):
        worker.forever()
    assert pauses == [0.04, 0.08, 0.02, 0.04]
    assert caplog.text.count("gone") == 3


def test_what_need_not_be_kept_goes_once_in_a_while_when_there_is_nothing_to_do(service, monkeypatch):
    swept = []
    monkeypatch.setattr("outlearn.serving.worker.TIDY_AFTER", 0.0)
    monkeypatch.setattr("outlearn.serving.store.retention.tidy", lambda database: swept.append("store"))
    monkeypatch.setattr(
        "outlearn.serving.store.retention.sweep", lambda database, job_id, keep: swept.append(keep.rows)
    )
    job_of(service.database, "payments")
    looks = iter([1, None, None])

    def once(self):
        look = next(looks, Stopped)
        if look is Stopped:
            raise Stopped
        return look

    monkeypatch.setattr(Worker, "once", once)
    with pytest.raises(Stopped):
        Worker(service, "w1", count).forever()
    assert swept == ["30d", "store"]
