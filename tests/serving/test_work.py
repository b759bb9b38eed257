"""The work on runs with real models: rows come once, verdicts act, and crashes are made up for."""

from __future__ import annotations

import polars as pl
import pytest
from sqlalchemy import func, select

from outlearn.serving import work
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.heartbeat import Heartbeat
from outlearn.serving.runs import LostError
from outlearn.serving.service import Service
from outlearn.serving.settings import Settings
from outlearn.serving.sources import SourceBatch
from outlearn.serving.store.tables import kept, positions, pushed
from outlearn.serving.triage import Filter
from outlearn.serving.worker import Worker
from tests.serving.watched import ANA, OTTO, payments


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def service(url, folder):
    service = Service.open(Settings(store=url, roots={"landing": folder}, batch_rows=200))
    yield service
    service.close()


def _document(**parts):
    document = {
        "name": "payments",
        "source": {"files": "*.csv", "root": "landing"},
        "past": {"reference": "good/*.csv", "root": "landing"},
        "table": {"ignore": ["card"]},
        "detector": {"name": "profiles"},
        "schedule": {"score_every": "1m"},
    }
    return {**document, **parts}


def _reference(folder):
    (folder / "good").mkdir()
    payments(600, 0).write_csv(folder / "good" / "old.csv")


def _work(service, most=20):
    """Do all that is to do, and return the runs in their order."""
    worker = Worker(service, "w1", work.perform)
    for _ in range(most):
        if not worker.once():
            return list(reversed(service.runs.list()))
    raise AssertionError("there is no end of work")


def _incidents(service):
    return service.triage.queue(Filter(), limit=200).items


def test_a_job_of_files_is_fitted_and_judges_each_row_once(service, folder):
    _reference(folder)
    payments(500, 1, odd=3).write_csv(folder / "a.csv")
    service.jobs.add(OTTO, _document())
    runs = _work(service)
    assert [(run.kind, run.state) for run in runs] == [("fit", "done"), ("score", "done")]
    score = runs[1]
    assert score.rows == 500
    assert score.flagged >= 3
    assert score.model_id == service.models.live(score.job_id).id
    assert (score.result["batches"], sum(score.result["histogram"])) == (3, 500)
    assert score.result["model"] == 1
    assert len(_incidents(service)) == score.result["incidents"] >= 3
    service.jobs.run(OTTO, "payments")
    assert _work(service)[-1].rows == 0
    with (folder / "a.csv").open("a") as file:
        payments(100, 2).write_csv(file, include_header=False)
    service.jobs.run(OTTO, "payments")
    assert _work(service)[-1].rows == 100


def test_rows_are_as_of_their_sources(service, folder):
    _reference(folder)
    service.jobs.add(OTTO, _document(source={"push": True}))
    _work(service)
    for number in range(3):
        service.jobs.push(OTTO, "payments", payments(40, number, odd=1), filename=f"{number}.csv")
    _work(service)
    with service.database.reading() as connection:
        found = connection.execute(select(kept.c.source, kept.c.row).where(kept.c.incident_id.is_not(None)))
        assert {(f"{n}.csv (push {n + 1})", 0) for n in range(3)} <= {(row.source, row.row) for row in found}


class Died(BaseException):
    """The worker is killed."""


@pytest.mark.parametrize("place", ["before", "within"])
def test_a_worker_that_dies_in_a_batch_is_made_up_for(service, folder, monkeypatch, place):
    _reference(folder)
    payments(500, 1, odd=3).write_csv(folder / "a.csv")
    service.jobs.add(OTTO, _document())
    deaths = []

    def dying(commit):
        def dies(self, *arguments):
            if place == "within":
                commit(self, *arguments)
            if len(deaths) < 2 and self.start_row >= 200:
                deaths.append(self.start_row)
                raise Died
            if place == "before":
                commit(self, *arguments)

        return dies

    monkeypatch.setattr(SourceBatch, "commit", dying(SourceBatch.commit))
    for _ in range(2):
        with pytest.raises(Died):
            _work(service)
        service.runs.release("w1", "it was killed")
    score = _work(service)[-1]
    assert deaths == [200, 200]
    assert (score.state, score.rows, score.result["batches"]) == ("done", 500, 3)
    incidents = _incidents(service)
    assert len(incidents) == score.result["incidents"]
    with service.database.reading() as connection:
        rows = connection.execute(select(kept.c.source, kept.c.row)).all()
    assert len(rows) == len(set(rows))


def test_what_a_worker_judged_that_lost_its_run_is_not_kept(service, folder, monkeypatch):
    _reference(folder)
    service.jobs.add(OTTO, _document(schedule={"score_every": None}))
    _work(service)
    payments(100, 1, odd=3).write_csv(folder / "a.csv")
    service.jobs.run(OTTO, "payments")
    first = service.runs.claim("w1")
    service.runs.release("w1", "it seemed dead")
    assert _work(service)[-1].rows == 100
    before = len(_incidents(service))
    job = service.jobs.get("payments")
    with service.database.writing() as connection:  # as if nothing was read yet
        connection.execute(positions.delete().where(positions.c.job_id == job.id))
    beat = Heartbeat(service.runs, first, 60.0)
    with pytest.raises(LostError), beat:
        work.perform(service, first, beat)
    assert len(_incidents(service)) == before
    with service.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(positions)).scalar_one() == 0


def test_pushed_rows_wait_for_a_model_and_make_one(service):
    service.jobs.add(OTTO, _document(source={"push": True}, past={}, schedule={"score_every": None}))
    assert _work(service) == []
    service.jobs.push(OTTO, "payments", payments(600, 0, odd=3))
    runs = _work(service)
    assert [run.kind for run in runs] == ["score", "fit", "score"]
    assert runs[0].result["notes"] == ["there is no model yet, and rows wait for it"]
    assert (runs[0].rows, runs[2].rows) == (0, 600)
    with service.database.reading() as connection:
        waiting = select(func.count()).select_from(pushed).where(pushed.c.judged.is_(None))
        assert connection.execute(waiting).scalar_one() == 0


def test_a_fit_that_fails_is_tried_again_after_a_while_and_says_why(service):
    service.jobs.add(OTTO, _document(source={"push": True}, past={}, schedule={"score_every": None}))
    frame = pl.DataFrame({"a": ["x"]})
    service.jobs.push(OTTO, "payments", frame)
    assert [(run.kind, run.state) for run in _work(service)] == [("score", "done"), ("fit", "failed")]
    service.jobs.push(OTTO, "payments", frame)
    runs = _work(service)
    assert [run.kind for run in runs] == ["score", "fit", "score"]
    assert runs[-1].result["notes"][1] == f"the last fit failed: {runs[1].error}"


def test_a_verdict_acts_and_a_new_fit_knows_it(service, folder):
    _reference(folder)
    payments(300, 1, odd=4).write_csv(folder / "a.csv")
    service.jobs.add(OTTO, _document())
    job = _work(service)[0].job_id
    graved = _incidents(service)
    decided = service.triage.decide(ANA, [one.id for one in graved[:3]], "normal")
    _work(service)
    effect = service.triage.effect(decided.run_ids[0])
    assert (effect.state, effect.model, effect.live) == ("done", 2, True)
    assert effect.labels >= 3
    assert service.models.live(job).made_by == "verdicts"
    service.jobs.run(OTTO, "payments", "fit")
    fit = next(run for run in reversed(_work(service)) if run.kind == "fit")
    live = service.models.live(job)
    assert (fit.state, fit.result["verdicts"]["labels"]) == ("done", effect.labels)
    assert live.made_by == "verdicts"
    assert service.models.by_id(live.base_id).number == fit.result["model"] == 3


def test_a_fit_whose_worker_dies_on_the_way_is_one_version(service, folder, monkeypatch):
    _reference(folder)
    service.jobs.add(OTTO, _document())
    job = _work(service)[0].job_id
    service.jobs.run(OTTO, "payments", "fit")
    study = work.study
    with monkeypatch.context() as patch, pytest.raises(Died):
        patch.setattr(work, "study", lambda *_, **__: (_ for _ in ()).throw(Died))
        _work(service)
    assert service.models.live(job).number == 1
    service.runs.release("w1", "it was killed")
    assert work.study is study
    assert _work(service)[-2].state == "done"
    assert [version.number for version in service.models.list(job)] == [2, 1]
    assert service.models.live(job).number == 2


def test_a_job_whose_verdicts_act_beside_keeps_its_model(service, folder):
    _reference(folder)
    payments(300, 1, odd=4).write_csv(folder / "a.csv")
    service.jobs.add(OTTO, _document(verdicts={"act": "shadow"}))
    job = _work(service)[0].job_id
    service.triage.decide(ANA, [one.id for one in _incidents(service)[:2]], "normal")
    _work(service)
    assert (service.models.live(job).number, service.models.shadow(job).number) == (1, 2)
    payments(250, 3, odd=2).write_csv(folder / "b.csv")
    service.jobs.run(OTTO, "payments")
    score = _work(service)[-1]
    shadow = score.result["shadow"]
    assert (shadow["model"], shadow["rows"]) == (2, 250)
    assert shadow["both"] + shadow["live_only"] == score.flagged
    service.jobs.run(OTTO, "payments", "fit")
    _work(service)
    assert service.models.live(job).made_by == "fit"
    assert service.models.shadow(job).made_by == "verdicts"


def test_a_backfill_judges_a_time_again_and_leaves_what_is_new(service, folder):
    _reference(folder)
    times = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 5), "10m", eager=True)[:500]
    payments(500, 1).with_columns(times.alias("paid")).write_csv(folder / "a.csv")
    reference = folder / "good" / "old.csv"
    frame = pl.read_csv(reference)
    frame.with_columns(pl.lit(times[0]).alias("paid")).write_csv(reference)
    service.jobs.add(OTTO, _document(table={"ignore": ["card"], "time_column": "paid"}))
    _work(service)
    start = 1767225600.0 + 600 * 250
    service.jobs.backfill(OTTO, "payments", start, start + 600 * 50)
    run = _work(service)[-1]
    assert (run.kind, run.state, run.rows) == ("backfill", "done", 50)
    with service.database.reading() as connection:
        parts = connection.execute(select(positions.c.part)).scalars().all()
    assert [part for part in parts if part.startswith("run ")] == []
    service.jobs.run(OTTO, "payments")
    assert _work(service)[-1].rows == 0


def test_a_run_lets_a_verdict_go_first_and_goes_on_after_it(service, folder, monkeypatch):
    _reference(folder)
    payments(500, 1, odd=4).write_csv(folder / "a.csv")
    service.jobs.add(OTTO, _document())
    keep, order = work._keep, []

    def asked(service, job, claim, batch, *rest):
        keep(service, job, claim, batch, *rest)
        order.append(batch.start_row)
        if len(order) == 1:
            service.triage.decide(ANA, [_incidents(service)[0].id], "normal")

    monkeypatch.setattr(work, "_keep", asked)
    runs = {run.kind: run for run in _work(service)}
    assert order == [0, 200, 400]
    assert runs["learn"].ended < runs["score"].ended
    assert (runs["score"].rows, runs["score"].result["batches"], runs["score"].result["model"]) == (500, 3, 2)


def test_what_cannot_be_read_fails_the_run_in_words(service, folder):
    service.jobs.add(OTTO, _document())
    (fit, score) = _work(service)
    assert fit.state == "failed"
    assert "there are no rows yet" in fit.error or "good/*.csv" in fit.error
    assert score.state == "done"


def test_a_worker_needs_no_role_beyond_those_who_ask(service):
    actor = work._actor(type("C", (), {"run": type("R", (), {"who": "ana"})})())
    assert actor == Actor("ana", UserRole.OPERATOR, Via.WORKER)
