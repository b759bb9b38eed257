"""Verdicts: kept for good, taken back by adding, shown when they conflict, and acting on the model."""

import json
import time

import pytest
from sqlalchemy import select

from outlearn.errors import AbsentError, AccessError, ConflictError, ParameterError
from outlearn.serving.store import audit
from outlearn.serving.store.tables import verdicts
from outlearn.serving.triage import Filter
from tests.serving.watched import ANA, BEN, OTTO, VERA, Watched, payments


@pytest.fixture
def watched(database):
    watched = Watched.of(database)
    watched.score(payments(300, 1, odd=8))
    return watched


def rows_of(watched):
    with watched.database.reading() as connection:
        return list(connection.execute(select(verdicts).order_by(verdicts.c.seq)).mappings())


def test_a_verdict_decides_its_incident_and_is_on_record(watched):
    first = watched.triage.queue().items[0]
    decided = watched.triage.decide(ANA, [first.id], "anomaly", note="card was stolen")
    (row,) = rows_of(watched)
    assert (row["id"], row["who"], row["answer"]) == (decided.verdicts[first.id], "ana", "anomaly")
    assert (row["origin"], row["note"], row["model"]) == ("api", "card was stolen", "payments, version 1")
    incident = watched.triage.get(first.id).incident
    assert (incident.state, incident.answer, incident.revision) == ("decided", "anomaly", 2)
    with watched.database.reading() as connection:
        entry = audit.entries(connection, limit=1)[0]
    assert (entry.action, entry.who, entry.detail["answer"]) == ("verdict.give", "ana", "anomaly")


def test_undo_adds_and_brings_the_incident_back(watched):
    first = watched.triage.queue().items[0]
    decided = watched.triage.decide(ANA, [first.id], "normal")
    watched.triage.undo(ANA, decided.verdicts[first.id])
    assert [row["answer"] for row in rows_of(watched)] == ["normal", "withdrawn"]
    detail = watched.triage.get(first.id)
    assert (detail.incident.state, detail.incident.answer, detail.holding) == ("open", None, {})
    with pytest.raises(ConflictError, match="holds no more"):
        watched.triage.undo(ANA, decided.verdicts[first.id])


def test_taking_back_a_second_verdict_brings_back_the_first_one_of_another(watched):
    first = watched.triage.queue().items[0].id
    watched.triage.decide(ANA, [first], "normal")
    second = watched.triage.decide(BEN, [first], "anomaly")
    detail = watched.triage.get(first)
    assert detail.conflict
    assert detail.holding == {"ana": "normal", "ben": "anomaly"}
    assert detail.incident.answer == "anomaly"
    watched.triage.undo(BEN, second.verdicts[first])
    detail = watched.triage.get(first)
    assert (detail.incident.answer, detail.conflict) == ("normal", False)


def test_only_an_operator_takes_back_what_others_said(watched):
    first = watched.triage.queue().items[0].id
    given = watched.triage.decide(ANA, [first], "normal").verdicts[first]
    with pytest.raises(AccessError, match="what others said"):
        watched.triage.undo(BEN, given)
    watched.triage.undo(OTTO, given)
    assert rows_of(watched)[-1]["note"] == "by otto"
    assert watched.triage.get(first).holding == {}


def test_what_is_refused_changes_nothing(watched):
    first = watched.triage.queue().items[0]
    for actor, ids, answer, error in (
        (VERA, [first.id], "anomaly", AccessError),
        (ANA, [first.id], "maybe", ParameterError),
        (ANA, [], "normal", ParameterError),
        (ANA, [first.id, 999], "normal", AbsentError),
    ):
        with pytest.raises(error):
            watched.triage.decide(actor, ids, answer)
    watched.triage.assign(OTTO, first.id, None)
    with pytest.raises(ConflictError, match="revision 1 was seen, it is 2"):
        watched.triage.decide(ANA, [first.id], "normal", revision=first.revision)
    with pytest.raises(AbsentError, match="no verdict"):
        watched.triage.undo(ANA, "0" * 32)
    assert rows_of(watched) == []


def test_one_verdict_on_many_incidents_and_being_unsure(watched):
    queue = watched.triage.queue().items
    decided = watched.triage.decide(ANA, [one.id for one in queue[:5]], "normal")
    assert len(set(decided.verdicts.values())) == 5
    assert len(decided.run_ids) == 1  # one job learns once
    watched.triage.decide(ANA, [queue[5].id], "unsure")
    incident = watched.triage.get(queue[5].id).incident
    assert (incident.state, incident.answer) == ("open", "unsure")


def test_verdicts_act_within_seconds_and_say_what_they_changed(watched):
    queue = watched.triage.queue(limit=200).items
    wrong = [one for one in queue if one.score < queue[7].score][:10] or queue[8:]
    watched.triage.decide(ANA, [one.id for one in queue[:4]], "anomaly")
    watched.triage.decide(ANA, [one.id for one in wrong[:3]], "normal")
    start = time.perf_counter()
    effect = watched.learn()
    assert time.perf_counter() - start < 60  # the claim of 5 seconds is measured in benchmarks
    assert effect is not None
    assert effect["labels"] == 4 + len(wrong[:3])
    assert watched.live.number == 2
    assert watched.live.provenance["rows"] == effect["labels"]
    quiet = watched.triage.queue(Filter(state="quiet"), limit=200).items
    assert sorted(one.id for one in quiet) == sorted(effect["quiet"])
    threshold = effect["threshold"]
    assert all(row.now < threshold for one in quiet for row in watched.triage.get(one.id).rows)
    for one in watched.triage.queue(limit=200).items:
        assert any(row.now >= threshold for row in watched.triage.get(one.id).rows)
    assert watched.learn() is None  # nothing new


def test_taking_all_verdicts_back_brings_back_the_fit_and_the_queue(watched):
    before = {one.id: one.score for one in watched.triage.queue(limit=200).items}
    first = watched.triage.queue().items[:3]
    given = watched.triage.decide(ANA, [one.id for one in first], "normal").verdicts
    watched.learn()
    for id in given.values():
        watched.triage.undo(ANA, id)
    effect = watched.learn()
    assert effect is not None
    assert effect["model"] == watched.live.number == 1
    after = {one.id: watched.triage.get(one.id).rows[0].now for one in watched.triage.queue(limit=200).items}
    assert after == pytest.approx(before)


def test_a_shadow_learns_and_changes_nothing_else(watched):
    queue = watched.triage.queue(limit=200).items
    watched.triage.decide(ANA, [one.id for one in queue[-3:]], "normal")
    open_before = [one.id for one in watched.triage.queue(limit=200).items]
    effect = watched.learn(live=False)
    assert effect is not None
    assert not effect["live"]
    assert watched.live.number == 1
    assert watched.models.shadow(watched.job_id).number == effect["model"] == 2
    assert [one.id for one in watched.triage.queue(limit=200).items] == open_before


def test_the_effect_of_a_run_is_read_where_it_ended(watched):
    first = watched.triage.queue().items[0].id
    (run,) = watched.triage.decide(ANA, [first], "normal").run_ids
    assert watched.triage.effect(run).state == "queued"
    effect = watched.learn()
    with watched.database.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE runs SET state = 'done', result = '{}' WHERE id = {}".format(
                json.dumps(effect).replace("'", "''"), run
            )
        )
    read = watched.triage.effect(run)
    assert (read.state, read.fell, read.rose, read.labels) == ("done", effect["fell"], effect["rose"], 1)
    with pytest.raises(AbsentError, match="no run 999"):
        watched.triage.effect(999)


def test_after_learning_the_queue_is_in_the_order_of_scores_as_they_are_now(watched):
    queue = watched.triage.queue(limit=200).items
    before = {one.id: one.score for one in queue}
    watched.triage.decide(ANA, [queue[0].id, queue[-1].id], "normal")
    watched.learn()
    after = watched.triage.queue(limit=200).items
    assert any(one.score != before.get(one.id, one.score) for one in after)
    for one in after:
        assert one.score == pytest.approx(max(row.now for row in watched.triage.get(one.id).rows))
    assert [one.score for one in after] == sorted((one.score for one in after), reverse=True)


def test_rows_that_rise_are_incidents_of_whose_they_are(database):
    watched = Watched.of(database)
    watched.score(payments(300, 1, odd=8), entity="card")
    queue = watched.triage.queue(limit=200).items
    watched.triage.decide(ANA, [one.id for one in queue[1:]], "anomaly")
    effect = watched.learn(entity="card")
    assert effect is not None
    risen = [watched.triage.get(id) for id in effect["opened"]]
    assert risen
    for detail in risen:
        assert {row.cells["card"] for row in detail.rows} == {detail.incident.entity}
