"""Snoozing, assigning, comments and patterns."""

import pytest
from sqlalchemy import insert

from outlearn.errors import AbsentError, AccessError, ConflictError, ParameterError, SchemaError
from outlearn.serving.store.tables import users
from outlearn.serving.triage import Filter
from tests.serving.watched import ANA, VERA, Watched, payments


@pytest.fixture
def watched(database):
    watched = Watched.of(database)
    watched.score(payments(300, 1, odd=8))
    return watched


def now_of(watched):
    with watched.database.reading() as connection:
        return watched.database.now(connection)


def test_a_snoozed_incident_is_away_until_its_moment(watched):
    first = watched.triage.queue().items[0]
    now = now_of(watched)
    watched.triage.snooze(ANA, first.id, now + 3600)
    assert first.id not in [one.id for one in watched.triage.queue(limit=200).items]
    assert [one.id for one in watched.triage.queue(Filter(state="snoozed")).items] == [first.id]
    with watched.database.writing() as connection:  # an hour passes
        connection.exec_driver_sql("UPDATE incidents SET snoozed_until = snoozed_until - 7200")
    assert first.id in [one.id for one in watched.triage.queue(limit=200).items]
    assert watched.triage.queue(Filter(state="snoozed")).total == 0
    with pytest.raises(ParameterError, match="within a year"):
        watched.triage.snooze(ANA, first.id, now + 1e10)
    watched.triage.decide(ANA, [first.id], "normal")
    with pytest.raises(ConflictError, match="is decided"):
        watched.triage.snooze(ANA, first.id, now + 60)


def test_incidents_are_given_to_people_that_are_there(watched):
    row = {"name": "ben", "role": "analyst", "created": 0.0, "disabled": False}
    with watched.database.writing() as connection:
        connection.execute(insert(users).values(**row))
    first = watched.triage.queue().items[0].id
    assert watched.triage.assign(ANA, first, "ben").assigned == "ben"
    assert [one.id for one in watched.triage.queue(Filter(assigned="ben")).items] == [first]
    with pytest.raises(AbsentError, match="no user 'eve'"):
        watched.triage.assign(ANA, first, "eve")
    assert watched.triage.assign(ANA, first, None).assigned is None


def test_comments_are_kept_on_one_line_and_not_empty(watched):
    first = watched.triage.queue().items[0].id
    watched.triage.comment(ANA, first, "asked\nthe \x1b[31mbank")
    (comment,) = watched.triage.get(first).comments
    assert comment.who == "ana"
    assert "\n" not in comment.text
    assert "\x1b" not in comment.text
    for actor, text, error in ((ANA, "  ", ParameterError), (VERA, "x", AccessError)):
        with pytest.raises(error):
            watched.triage.comment(actor, first, text)


def test_a_pattern_hides_what_its_preview_said_and_names_confirmed_anomalies(watched):
    triage = watched.triage
    whole = triage.queue(limit=200)
    confirmed = whole.items[0].id
    triage.decide(ANA, [confirmed], "anomaly")
    seen = triage.preview("payments", ["amount>=200"])
    assert confirmed in seen.incidents
    assert seen.confirmed == (confirmed,)
    assert seen.rows == len(seen.incidents)
    pattern = triage.suppress(ANA, "payments", ["amount>=200"], "annual rents")
    hidden = triage.queue(Filter(state="suppressed"), limit=200)
    assert sorted(one.id for one in hidden.items) == sorted(set(seen.incidents) - {confirmed})
    found, ids = watched.score(payments(300, 2, odd=5))
    assert found.hidden == {pattern.id: 5}
    assert triage.suppressions("payments")[0].hidden == 5
    assert all(triage.get(id).rows[0].cells["amount"] < 200 for id in ids)
    triage.revoke(ANA, pattern.id)
    assert watched.score(payments(300, 2, odd=5))[0].hidden == {}
    with pytest.raises(ConflictError, match="revoked before, by ana"):
        triage.revoke(ANA, pattern.id)


def test_a_pattern_ends_at_its_moment(watched):
    until = now_of(watched) + 3600
    watched.triage.suppress(ANA, "payments", ["amount>=200"], "annual rents", until=until)
    with watched.database.writing() as connection:
        connection.exec_driver_sql("UPDATE suppressions SET until = until - 7200")
    assert watched.score(payments(300, 2, odd=5))[0].hidden == {}


@pytest.mark.parametrize(
    ("conditions", "why", "error"),
    [
        ([], "x", ParameterError),
        (["amount>=200"], " ", ParameterError),
        (["amount~200"], "x", ParameterError),
        (["amuont>=200"], "x", SchemaError),
    ],
)
def test_patterns_that_are_none_are_refused(watched, conditions, why, error):
    with pytest.raises(error):
        watched.triage.suppress(ANA, "payments", conditions, why)
    assert watched.triage.suppressions("payments") == []
