"""A post that is sent again takes effect once, whenever its connection or the service went down."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from outlearn.errors import StoreError
from outlearn.serving.access import UserRole
from outlearn.serving.api import idempotency
from outlearn.serving.store.tables import idempotency as table
from tests.serving.api.conftest import JOB, raising, refused

KEY = {"Idempotency-Key": "k-1"}
COMMENT = "/api/v1/incidents/1/comments"


@pytest.fixture
def both(url, open_world):
    """The world in SQLite and in PostgreSQL."""
    return open_world(url)


def comment(world, text="asked", headers=KEY, role=UserRole.ANALYST):
    return world.ask(role, "POST", COMMENT, json={"text": text}, headers=headers)


def comments(world):
    return [one.text for one in world.service.triage.get(1).comments]


def age(world, seconds):
    """Let what was kept be older."""
    with world.service.database.writing() as connection:
        connection.execute(table.update().values(created=table.c.created - seconds))


def test_the_same_request_has_the_same_answer_and_one_effect(both):
    first, second = comment(both), comment(both)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert comments(both) == ["asked"]
    assert comment(both, headers={}).status_code == 201
    assert comments(both) == ["asked"] * 2


def test_headers_of_the_answer_are_kept_too(world):
    document = {**JOB, "name": "new"}
    answers = [
        world.ask(UserRole.OPERATOR, "POST", "/api/v1/jobs", json=document, headers=KEY) for _ in range(2)
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["Location"]) == (201, "/api/v1/jobs/new")
        assert answer.headers["ETag"] == '"1"'


def test_a_key_is_of_one_request_and_one_person(world):
    assert comment(world).status_code == 201
    assert refused(comment(world, "another")) == (422, "idempotency-key")
    assert comment(world, "another", role=UserRole.OPERATOR).status_code == 201
    age(world, idempotency.KEPT + 1)
    assert comment(world, "another").status_code == 201


def test_a_refusal_is_not_kept(both):
    path = "/api/v1/incidents/9999/comments"
    for _ in range(2):
        answer = both.ask(UserRole.ANALYST, "POST", path, json={"text": "x"}, headers=KEY)
        assert refused(answer) == (404, "absent")
    assert comment(both).status_code == 201


def test_one_of_many_at_once_takes_effect(both):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: comment(both), range(6)))
    assert comments(both) == ["asked"]
    for answer in answers:
        assert answer.status_code == 201 or refused(answer) == (409, "under-way")
    assert comment(both).headers["Idempotent-Replayed"] == "true"


def test_an_answer_that_was_lost_after_the_effect_is_told(both, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(idempotency._Place, "keep", raising(StoreError("killed")))
        assert comment(both).status_code == 503
    assert refused(comment(both)) == (409, "under-way")
    age(both, idempotency.UNDER_WAY + 1)
    assert refused(comment(both)) == (409, "answer-lost")
    assert comments(both) == ["asked"]


def test_what_was_cut_off_before_its_effect_is_done_when_it_comes_again(both, monkeypatch):
    with monkeypatch.context() as patch:  # as a process that is killed before the change, and does no more
        patch.setattr(type(both.service.triage), "comment", raising(StoreError("killed")))
        patch.setattr(idempotency._Place, "leave", lambda *_: None)
        assert comment(both).status_code == 503
    answer = comment(both)
    assert refused(answer) == (409, "under-way")
    assert 0 < int(answer.headers["Retry-After"]) <= idempotency.UNDER_WAY
    age(both, idempotency.UNDER_WAY + 1)
    assert comment(both).status_code == 201
    assert comments(both) == ["asked"]


def test_a_slow_request_changes_nothing_once_another_took_its_place(both, monkeypatch):
    began, go, slow = Event(), Event(), both.service.triage.comment

    def waiting(actor, id, text):
        if not began.is_set():
            began.set()
            go.wait(10)
        return slow(actor, id, text)

    monkeypatch.setattr(both.service.triage, "comment", waiting)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(comment, both)
        assert began.wait(10)
        age(both, idempotency.UNDER_WAY + 1)
        assert comment(both).status_code == 201
        go.set()
        assert refused(first.result(10)) == (409, "conflict")
    assert comments(both) == ["asked"]


def test_a_file_that_is_sent_again_is_the_same_whatever_its_form_is(world):
    rows = {"files": {"file": ("a.csv", b"amount,items,country,card\n1,2,DE,c1\n", "text/csv")}}
    answers = [
        world.ask(UserRole.OPERATOR, "POST", "/api/v1/jobs/payments/rows", headers=KEY, **rows)
        for _ in range(2)
    ]
    assert answers[0].request.headers["Content-Type"] != answers[1].request.headers["Content-Type"]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_answers_with_secrets_are_not_kept(world):
    answer = world.ask(
        UserRole.ADMIN, "POST", "/api/v1/keys", json={"user": "vera", "label": "more"}, headers=KEY
    )
    assert refused(answer) == (400, "idempotency-key")


@pytest.mark.parametrize("key", ["", "x" * 101, "ü".encode(), "a\tb"])
def test_a_key_is_short_and_plain(world, key):
    assert refused(comment(world, headers={"Idempotency-Key": key})) == (400, "idempotency-key")
