"""The page of a job: history, promise, models."""

from __future__ import annotations

from types import SimpleNamespace as Some

import pytest

from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.page.history import drift_of, standing_of
from tests.serving.page.made import OPERATOR

ANA = Actor("ana", UserRole.ANALYST, Via.PAGE)
VERSION = Some(id=1)


def _runs(*flagged, histogram=(60, 40), rows=1000):
    return [
        Some(
            id=10 - place,
            kind="score",
            rows=rows,
            flagged=one,
            model_id=1,
            result={"histogram": list(histogram), "promise": {"text": "at most 1 %"}},
        )
        for place, one in enumerate(flagged)
    ]


@pytest.mark.parametrize(("flagged", "state"), [((9, 12), "holds"), ((40, 35), "broken"), ((), "unknown")])
def test_a_promise_is_judged_by_what_was_flagged(flagged, state):
    rule = Some(false_alarm_rate=0.01)
    assert standing_of(_runs(*flagged), VERSION, rule).state == state


def test_runs_of_another_version_do_not_count():
    rule = Some(false_alarm_rate=0.01)
    assert standing_of(_runs(900), Some(id=2), rule).state == "unknown"
    assert standing_of(_runs(900), None, rule).state == "unknown"
    assert standing_of(_runs(900), VERSION, Some(false_alarm_rate=None)).title == "No rate was promised"


def test_scores_that_move_are_seen():
    before = _runs(1, 1, 1)
    assert drift_of([*_runs(1), *before], VERSION).moved is False
    drift = drift_of([*_runs(1, histogram=(10, 90)), *before], VERSION)
    assert drift.moved and "differ by at most 50 %" in drift.words
    assert drift_of(_runs(1), VERSION) is None


def test_the_page_shows_runs_models_and_the_promise(visit, made):
    page = visit("vic").page("/jobs/payments")
    scored = [run for run in made.service.runs.list("payments") if run.kind == "score"]
    bars = [one for one in page.root.all("svg") if one.attributes["class"] == "runs"]
    assert len(bars[0].all("rect")) == 2 * len(scored)
    assert "at most 1 % of usual rows were promised" in page.text
    assert "version 1 judges" in page.text
    assert '"false_alarm_rate": 0.01' in page.text


def test_versions_are_promoted_shadowed_and_rolled_back(visit, made):
    browser, service = visit("olga"), made.service
    job = service.jobs.get("payments")
    low = service.triage.queue(limit=50).items[-1].id
    service.triage.decide(ANA, [low], "anomaly")
    made.work()
    assert service.models.live(job.id).number == 2
    path = "/jobs/payments"
    assert "fell" in browser.page(path).text
    browser.send(path, f"{path}/models/rollback")
    assert service.models.live(job.id).number == 1
    browser.send(path, f"{path}/models/shadow")
    assert service.models.shadow(job.id).number == 2
    page = browser.page(path)
    assert "End shadow" in page.text
    browser.send(path, f"{path}/models/promote")
    assert service.models.live(job.id).number == 2
    entries = visit("ada").page("/audit").text
    assert "model.promote" in entries and "job payments, version 2" in entries


def test_jobs_are_listed_with_what_is_open(visit, made):
    made.service.jobs.pause(OPERATOR, "payments")
    text = visit("vic").page("/jobs").text
    assert f"payments paused {made.service.triage.queue(limit=1).total} version 1 score, done" in text
