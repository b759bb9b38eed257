import pytest
from sqlalchemy import func, select, update

from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.definition import KeepSpec
from outlearn.serving.store import retention
from outlearn.serving.store.audit import record
from outlearn.serving.store.retention import sweep, tidy
from outlearn.serving.store.tables import (
    attempts,
    blobs,
    events,
    idempotency,
    incidents,
    invites,
    kept,
    models,
    runs,
    sessions,
    users,
    verdicts,
)
from tests.serving.filled import DAY, NOW, Filled

KEEP = KeepSpec(incidents="90d", rows="30d", events="7d", megabytes=500)


@pytest.fixture(autouse=True)
def _fixed(monkeypatch):
    from outlearn.serving.store.database import Database

    monkeypatch.setattr(Database, "now", lambda self, connection: NOW)


@pytest.fixture
def filled(database):
    return Filled(database)


def test_closed_incidents_go_by_age_with_what_hangs_on_them_and_verdicts_stay(filled):
    gone = [filled.incident(91, state, rows=2) for state in ("decided", "suppressed", "quiet")]
    stay = [
        filled.incident(89, "decided", rows=0),
        filled.incident(400, "open"),
        filled.incident(400, "snoozed"),
    ]
    for id in gone + stay:
        filled.verdict(id)
    with filled.database.reading() as connection:
        said = connection.execute(select(verdicts)).all()
    assert sweep(filled.database, filled.job, KEEP) == {"incidents": 3, "rows": 6, "comments": 3}
    assert filled.ids(incidents) == stay
    with filled.database.reading() as connection:
        assert connection.execute(select(verdicts)).all() == said
        assert connection.execute(select(func.count()).select_from(kept)).scalar_one() == 2
    assert filled.audit() == [("job payments", {"incidents": 3, "rows": 6, "comments": 3})]
    assert sweep(filled.database, filled.job, KEEP) == {}
    assert len(filled.audit()) == 1


def test_numbers_of_what_is_gone_are_not_given_again(filled):
    last = filled.incident(91, "decided")
    event = filled.add(events, when=0.0, job_id=filled.job, kind="x", detail="{}")
    sweep(filled.database, filled.job, KEEP)
    assert filled.ids(incidents) == filled.ids(events) == []
    assert filled.incident(0, "open") > last
    assert filled.add(events, when=NOW, job_id=filled.job, kind="x", detail="{}") > event


def test_rows_go_by_age_but_those_of_open_incidents(filled):
    old, new = filled.run(31), filled.run(29)
    near, recent = filled.row(old), filled.row(new)
    filled.incident(31, "decided")
    filled.incident(31, "open")
    open_rows = filled.ids(kept)[-1:]
    assert sweep(filled.database, filled.job, KEEP) == {"rows": 2}
    assert near not in filled.ids(kept)
    assert filled.ids(kept) == [recent, *open_rows]
    assert len(filled.ids(incidents)) == 2


def test_by_size_what_is_missed_least_goes_first_and_open_incidents_are_counted_apart(filled):
    cells = "x" * 300_000
    open_old = filled.incident(5, "open", cells=cells)
    open_new = filled.incident(4, "open", rows=2, cells=cells)
    closed = filled.incident(3, "decided", cells=cells)
    near = filled.row(filled.run(0), cells=cells)
    small = KeepSpec(megabytes=1)
    assert sweep(filled.database, filled.job, small) == {"rows": 2}
    assert near not in filled.ids(kept)
    assert filled.ids(incidents) == [open_old, open_new, closed]
    filled.incident(2, "open", cells=cells)
    assert sweep(filled.database, filled.job, small) == {"open incidents": 1, "rows": 1, "comments": 1}
    assert open_old not in filled.ids(incidents)
    assert filled.audit()[-1] == ("job payments", {"open incidents": 1, "rows": 1, "comments": 1})


def test_finished_runs_go_by_age_but_the_last_and_those_that_are_named(filled, monkeypatch):
    monkeypatch.setattr(retention, "RUNS", 2)
    named, gone = filled.run(200), filled.run(200)
    filled.row(named)
    with filled.database.writing() as connection:
        connection.execute(update(runs).where(runs.c.id == named).values(started=NOW))
    stay = [filled.run(200, "queued"), filled.run(89), filled.run(200), filled.run(200)]
    other = filled.run(200, job=filled.other)
    assert sweep(filled.database, filled.job, KEEP) == {"runs": 1}
    assert filled.ids(runs) == [named, *stay, other]
    assert gone not in filled.ids(runs)


def test_events_go_by_age_for_each_job(filled):
    for job in (filled.job, filled.other):
        for days in (8, 6):
            filled.add(events, when=NOW - days * DAY, job_id=job, kind="x", detail="{}")
    assert sweep(filled.database, filled.job, KEEP) == {"events": 1}
    assert filled.ids(events) == [2, 3, 4]


def test_a_long_sweep_goes_in_steps_that_each_are_in_the_audit(filled, monkeypatch):
    monkeypatch.setattr(retention, "STEP", 4)
    run = filled.run(31)
    for _ in range(10):
        filled.row(run)
    assert sweep(filled.database, filled.job, KEEP) == {"rows": 10}
    assert [detail for _, detail in filled.audit()] == [{"rows": 4}, {"rows": 4}, {"rows": 2}]


def test_what_belongs_to_no_job_goes_when_it_is_over(filled):
    user = filled.add(users, name="ana", role="viewer", created=0.0, disabled=False)
    for over in (True, False):
        end, when = NOW + (-1 if over else 1), NOW - (2 if over else 0.5) * DAY
        filled.add(sessions, digest=str(over), user_id=user, csrf="c", created=0.0, seen=0.0, expires=end)
        filled.add(invites, digest=str(over), user_id=user, created=0.0, expires=end)
        filled.add(attempts, name="n", address="", when=when)
        filled.add(idempotency, user_id=user, key=str(over), request="r", created=when)
        filled.add(events, when=NOW - (8 if over else 6) * DAY, kind="x", detail="{}")
    gone = {"sessions": 1, "invitations": 1, "attempts": 1, "idempotency keys": 1, "events": 1}
    assert tidy(filled.database) == gone
    assert filled.ids(sessions) == filled.ids(invites) == ["False"]
    assert filled.ids(attempts) == filled.ids(events) == [2]
    assert filled.audit() == [("store", gone)]
    assert tidy(filled.database) == {}


def test_files_of_models_go_but_those_that_are_used_or_gone_back_to(filled, monkeypatch):
    monkeypatch.setattr(retention, "RETIRED", 2)
    base, parent = filled.version(2, "retired"), filled.version(3, "retired")
    filled.version(4, "retired")
    filled.version(5, "retired")
    filled.version(6, "retired", base_id=base)
    filled.version(7, "shadow", parent_id=parent)
    filled.version(8, "retired")
    filled.add(blobs, digest="f" * 64, content=b"of no model")
    assert tidy(filled.database) == {"model files": 3}
    assert [int(digest) for digest in filled.ids(blobs)] == [1, 2, 3, 6, 7, 8]
    assert len(filled.ids(models)) == 8


def test_the_audit_is_never_shortened(filled):
    actor = Actor("ana", UserRole.ADMIN, Via.CLI)
    with filled.database.writing() as connection:
        record(filled.database, connection, actor, "job.add", "job payments")
    filled.incident(9000, "decided")
    sweep(filled.database, filled.job, KeepSpec(incidents="1s", rows="1s", events="1s", megabytes=1))
    tidy(filled.database)
    assert filled.audit()[0] == ("job payments", {})
