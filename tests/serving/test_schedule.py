"""Jobs whose time has come: each time once, whoever looks, and whatever clocks do."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from outlearn.serving.runs import RunQueue
from outlearn.serving.schedule import Schedule
from outlearn.serving.store import database as store
from outlearn.serving.store.tables import jobs
from tests.serving.counting import job_of

EVERY = {"score_every": "1m", "fit_every": "1h"}


@pytest.fixture
def clock(monkeypatch):
    moment = [1_000_000.0]
    monkeypatch.setattr(store.Database, "now", lambda *_: moment[0])
    return moment


def _next(database, column=jobs.c.next_score):
    with database.reading() as connection:
        return connection.execute(select(column)).scalar_one()


def _do_all(database):
    """Do what waits, and return the kinds in their order."""
    made, kinds = RunQueue(database), []
    while (claim := made.claim("w")) is not None:
        kinds.append(claim.run.kind)
        with database.writing() as connection:
            made.complete(connection, claim)
    return kinds


def test_a_job_is_due_at_once_and_then_by_its_schedule(database, clock):
    job_of(database, "payments", EVERY, next_score=clock[0], next_fit=clock[0])
    schedule = Schedule(database, RunQueue(database))
    assert len(schedule.look()) == 2
    assert schedule.look() == []
    assert _do_all(database) == ["fit", "score"]
    clock[0] += 59.0
    assert schedule.look() == []
    clock[0] += 1.5
    assert len(schedule.look()) == 1
    assert _next(database) == 1_000_120.0  # by the schedule, not by when somebody looked
    assert _next(database, jobs.c.next_fit) == 1_003_600.0
    assert _do_all(database) == ["score"]


def test_a_run_that_waits_still_is_not_doubled(database, clock):
    job_of(database, "payments", EVERY, next_score=clock[0])
    schedule = Schedule(database, RunQueue(database))
    first = schedule.look()
    clock[0] += 60.0
    assert schedule.look() == first
    assert _do_all(database) == ["score"]


def test_a_time_without_workers_is_made_up_for_by_one_run(database, clock):
    job_of(database, "payments", EVERY, next_score=clock[0])
    schedule = Schedule(database, RunQueue(database))
    clock[0] += 86_400.0
    schedule.look()
    assert _do_all(database) == ["score"]
    assert _next(database) == clock[0] + 60.0


def test_a_clock_set_back_neither_stops_a_job_nor_doubles_its_runs(database, clock):
    job_of(database, "payments", EVERY, next_score=clock[0])
    schedule = Schedule(database, RunQueue(database))
    schedule.look()
    clock[0] -= 86_400.0
    schedule.look()
    assert _do_all(database) == ["score"]
    assert _next(database) == clock[0] + 60.0
    assert schedule.look() == []


def test_a_job_that_nothing_schedules_runs_once_when_it_is_due(database, clock):
    job_of(database, "payments", {"score_every": None}, next_score=clock[0])
    schedule = Schedule(database, RunQueue(database))
    assert len(schedule.look()) == 1
    assert _next(database) is None


def test_paused_jobs_and_other_jobs_are_left_alone(database, clock):
    job_of(database, "paused", EVERY, next_score=clock[0], state="paused")
    other = job_of(database, "flows", EVERY, next_score=clock[0])
    schedule = Schedule(database, RunQueue(database))
    assert schedule.look(job_id=other + 1) == []
    assert len(schedule.look(job_id=other)) == 1
    assert schedule.look() == []


def test_a_changed_definition_counts_from_then_on(database, clock):
    job = job_of(database, "payments", EVERY, next_score=clock[0])
    schedule = Schedule(database, RunQueue(database))
    schedule.look()
    document = '{"name": "payments", "source": {"push": true}, "schedule": {"score_every": "5m"}}'
    with database.writing() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job).values(document=document, revision=2))
    clock[0] += 60.0
    schedule.look()
    assert _next(database) == clock[0] + 300.0


def test_many_that_look_at_once_queue_each_run_once(database, clock):
    for number in range(8):
        job_of(database, f"job{number}", EVERY, next_score=clock[0])
    looking = [Schedule(database, RunQueue(database)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        queued = [id for ids in pool.map(lambda one: one.look(), looking) for id in ids]
    assert len(queued) == len(set(queued)) == 8
    assert _do_all(database) == ["score"] * 8
