"""Runs: who has which, what a lost lease means, and what a wrong clock may not do."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, insert, select, update

from outlearn.errors import AbsentError, AccessError, ConflictError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.runs import ATTEMPTS, SLICE, RunQueue
from outlearn.serving.store import database as store
from outlearn.serving.store.tables import audit, events, jobs, runs

OPERATOR = Actor("olga", UserRole.OPERATOR, Via.API)


class Time:
    """A clock of the store, and one of a process, that are set by hand."""

    def __init__(self):
        self.now, self.passed = 1_000_000.0, 0.0

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.passed += seconds


@pytest.fixture
def clock(database, monkeypatch):
    """The clock of the store. That of PostgreSQL is its server's, so its answer is what is replaced."""
    clock = Time()
    monkeypatch.setattr(store.Database, "now", lambda *_: clock.time())
    return clock


def _runs(database, clock, seconds=60.0):
    made = RunQueue(database, seconds)
    made._watch.clock = lambda: clock.passed
    return made


def _job(database, name="payments", state="active"):
    values = {"name": name, "document": "{}", "state": state, "revision": 1, "created": 0.0, "changed": 0.0}
    with database.writing() as connection:
        return connection.execute(insert(jobs).values(**values).returning(jobs.c.id)).scalar_one()


def _enqueue(database, made, job, kind="score", **asked):
    with database.writing() as connection:
        return made.enqueue(connection, job_id=job, kind=kind, who="ana", asked=asked)


def _complete(database, made, claim, **values):
    with database.writing() as connection:
        made.complete(connection, claim, **values)


def test_a_run_is_queued_had_and_done(database, clock):
    made, job = _runs(database, clock), _job(database)
    id = _enqueue(database, made, job)
    assert (made.get(id).state, made.get(id).who, made.get(id).job) == ("queued", "ana", "payments")
    clock.sleep(2)
    claim = made.claim("w1")
    assert claim.run.id == id
    assert claim.run.started - claim.run.queued == 2
    with database.writing() as connection:
        made.advance(connection, claim, rows=10, flagged=1)
    _complete(database, made, claim, rows=5, result={"note": "all read"})
    run = made.get(id)
    assert (run.state, run.rows, run.flagged, run.result) == ("done", 15, 1, {"note": "all read"})
    assert made.claim("w1") is None
    with database.reading() as connection:
        states = connection.execute(select(events.c.detail).order_by(events.c.seq)).scalars()
        assert [state.split('"')[-2] for state in states] == ["queued", "running", "done"]


def test_what_waits_already_is_not_queued_twice(database, clock):
    made, job = _runs(database, clock), _job(database)
    for kind in ("score", "learn", "fit", "backfill"):
        assert _enqueue(database, made, job, kind) == _enqueue(database, made, job, kind)
    assert _enqueue(database, made, job, "learn", verdict="a") == _enqueue(database, made, job, "learn")
    days = {_enqueue(database, made, job, "backfill", day=day) for day in (1, 2, 2)}
    assert len(days) == 2
    other = _job(database, "flows")
    assert _enqueue(database, made, other) != _enqueue(database, made, job)
    claim = made.claim("w1")  # one that is being done may have passed the new rows already
    assert _enqueue(database, made, job, claim.run.kind) != claim.run.id


def test_a_job_has_one_run_at_a_time_and_verdicts_go_first(database, clock):
    made, job, other = _runs(database, clock), _job(database), _job(database, "flows")
    past = _enqueue(database, made, job, "backfill")
    score = _enqueue(database, made, job)
    learn = _enqueue(database, made, job, "learn")
    elsewhere = _enqueue(database, made, other, "backfill")
    first = made.claim("w1")
    assert first.run.id == learn
    assert made.claim("w2").run.id == elsewhere
    assert made.claim("w3") is None
    _complete(database, made, first)
    second = made.claim("w1")
    assert second.run.id == score
    _complete(database, made, second)
    assert made.claim("w1", job_id=other) is None
    assert made.claim("w1", job_id=job).run.id == past


def test_a_lost_run_goes_on_with_another_worker_and_the_first_one_changes_nothing(database, clock):
    made, job = _runs(database, clock), _job(database)
    _enqueue(database, made, job)
    first = made.claim("w1")
    clock.sleep(50)
    made.renew(first)
    clock.sleep(50)
    assert made.claim("w2") is None
    clock.sleep(20)
    second = made.claim("w2")
    assert second.run.id == first.run.id
    assert second.run.attempts == 2
    with pytest.raises(ConflictError, match="not this worker's"), database.writing() as connection:
        connection.execute(update(jobs).values(revision=7))
        made.advance(connection, first, rows=10)
    with pytest.raises(ConflictError, match="it is running"):
        _complete(database, made, first, rows=10)
    with pytest.raises(ConflictError):
        made.renew(first)
    assert not made.fail(first, "too late")
    assert not made.give_back(first)
    _complete(database, made, second, rows=10)
    with pytest.raises(ConflictError, match="it is done"):
        _complete(database, made, first, rows=10)
    assert made.get(first.run.id).rows == 10
    with database.reading() as connection:
        assert connection.execute(select(jobs.c.revision)).scalar_one() == 1


def test_a_worker_that_is_late_but_unreplaced_keeps_what_it_did(database, clock):
    made = _runs(database, clock)
    _enqueue(database, made, _job(database))
    claim = made.claim("w1")
    clock.sleep(3600)
    _complete(database, made, claim, rows=3)
    assert (made.get(claim.run.id).state, made.get(claim.run.id).rows) == ("done", 3)


def test_a_run_that_ends_its_workers_fails_unless_it_gets_on(database, clock):
    made, job = _runs(database, clock), _job(database)
    id = _enqueue(database, made, job)
    for _ in range(2 * ATTEMPTS):
        claim = made.claim("w1")
        with database.writing() as connection:
            made.advance(connection, claim, rows=1)
        clock.sleep(61)
    for _ in range(ATTEMPTS - 1):
        assert made.claim("w1").run.id == id
        clock.sleep(61)
    later = _enqueue(database, made, job)
    assert made.claim("w1").run.id == later  # the same look finds the next one
    run = made.get(id)
    assert (run.state, run.rows) == ("failed", 2 * ATTEMPTS)
    assert f"ended {ATTEMPTS} times before it got on, the last time because it fell silent;" in run.error


def test_a_dead_workers_run_is_free_at_once(database, clock):
    made = _runs(database, clock)
    for name in ("a", "b"):
        _enqueue(database, made, _job(database, name))
    lost, kept = made.claim("w1"), made.claim("w11")
    assert made.release("w1", "it ended by SIGKILL") == 1
    again = made.claim("w2")
    assert (again.run.id, again.run.error) == (lost.run.id, "it ended by SIGKILL")
    _complete(database, made, again)
    assert made.get(lost.run.id).error is None
    assert made.claim("w2") is None
    made.renew(kept)


def test_a_clock_set_back_delays_by_a_lease_and_doubles_nothing(database, clock):
    made, watching = _runs(database, clock), _runs(database, clock)
    _enqueue(database, made, _job(database))
    claim = made.claim("w1")
    clock.now -= 86_400
    for _ in range(10):  # it lives and renews, by whatever clock
        clock.sleep(30)
        made.renew(claim)
        assert watching.claim("w2") is None
    clock.now -= 86_400  # and now it is dead
    assert watching.claim("w2") is None
    clock.sleep(59)
    assert watching.claim("w2") is None
    clock.sleep(2)
    assert watching.claim("w2").run.id == claim.run.id
    with pytest.raises(ConflictError):
        _complete(database, made, claim)


def test_a_clock_set_forward_loses_work_of_nobody(database, clock):
    made = _runs(database, clock)
    _enqueue(database, made, _job(database))
    first = made.claim("w1")
    clock.now += 86_400
    second = made.claim("w2")
    with pytest.raises(ConflictError):
        _complete(database, made, first, rows=10)
    _complete(database, made, second, rows=10)
    assert made.get(first.run.id).rows == 10


def test_a_run_of_many_steps_lets_others_go_first(database, clock):
    made, job, other = _runs(database, clock), _job(database), _job(database, "flows")
    _enqueue(database, made, job)
    claim = made.claim("w1")
    assert not made.should_yield(claim, 1e9)
    same = _enqueue(database, made, other)
    assert not made.should_yield(claim, SLICE)
    assert made.should_yield(claim, SLICE + 1)
    clock.sleep(1)
    assert made.give_back(claim)
    assert made.claim("w1").run.id == same
    again = made.claim("w2")
    assert (again.run.id, again.run.attempts) == (claim.run.id, 1)
    _enqueue(database, made, job, "backfill")
    assert not made.should_yield(again, 1e9)
    _enqueue(database, made, job, "learn")
    assert made.should_yield(again, 0.0)


def test_a_paused_job_scores_nothing_and_a_removed_one_does_nothing(database, clock):
    made = _runs(database, clock)
    paused, removed = _job(database, "paused", "paused"), _job(database, "removed", "removed")
    for job in (paused, removed):
        _enqueue(database, made, job)
    for job in (paused, removed):
        _enqueue(database, made, job, "fit")
    assert made.claim("w1").run.kind == "fit"
    assert made.claim("w1") is None
    with database.writing() as connection:
        assert made.cancel_all(connection, removed, "the job was removed") == 2
    assert {run.error for run in made.list("removed")} == {"the job was removed"}


def test_who_may_cancel_and_what_it_does(database, clock):
    made, job = _runs(database, clock), _job(database)
    id = _enqueue(database, made, job)
    with pytest.raises(AccessError):
        made.cancel(Actor("ana", UserRole.ANALYST, Via.API), id)
    claim = made.claim("w1")
    made.cancel(OPERATOR, id)
    assert (made.get(id).state, made.get(id).error) == ("cancelled", "cancelled by olga")
    with pytest.raises(ConflictError, match="it is cancelled"):
        _complete(database, made, claim)
    with pytest.raises(ConflictError, match="cannot be cancelled"):
        made.cancel(OPERATOR, id)
    with pytest.raises(AbsentError, match="no run 99"):
        made.cancel(OPERATOR, 99)
    with database.reading() as connection:
        assert connection.execute(select(audit.c.action)).scalars().all() == ["run.cancel"]


def test_lists_go_back_in_pages(database, clock):
    made, job, other = _runs(database, clock), _job(database), _job(database, "flows")
    ids = [_enqueue(database, made, job, "backfill", day=day) for day in range(5)]
    _enqueue(database, made, other)
    assert [run.id for run in made.list("payments", limit=2)] == ids[:2:-1]
    assert [run.id for run in made.list("payments", before=ids[3])] == ids[2::-1]
    assert len(made.list()) == 6


def test_many_that_claim_at_once_never_have_the_same(database):
    """Threads with connections of their own, on the clock of the store."""
    made = [RunQueue(database) for _ in range(4)]
    ids = {_enqueue(database, made[0], _job(database, f"job{n}")) for n in range(12)}

    def take(own):
        taken = []
        while (claim := own.claim("w")) is not None:
            taken.append(claim.run.id)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [id for had in pool.map(take, made) for id in had]
    assert len(taken) == len(ids)
    assert set(taken) == ids
    with database.reading() as connection:
        leases = connection.execute(select(func.count(runs.c.lease.distinct()))).scalar_one()
        assert leases == len(ids)
        soonest = connection.execute(select(func.min(runs.c.lease_until))).scalar_one()
        assert 50 < soonest - time.time() < 61


def test_looks_that_find_nothing_leave_one_run_behind(database, clock):
    made, job = _runs(database, clock), _job(database)
    ids = []
    for rows, notes in ((0, []), (0, []), (3, []), (0, []), (0, ["a file cannot be read"]), (0, [])):
        ids.append(_enqueue(database, made, job))
        _complete(database, made, made.claim("w1"), rows=rows, result={"notes": notes})
    assert [run.id for run in made.list()] == [ids[5], ids[4], ids[2]]
