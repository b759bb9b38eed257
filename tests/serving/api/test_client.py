"""The client: a whole round of work, the errors of the service, and requests that are sent again."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from outlearn.client import Client, connection
from outlearn.errors import (
    AbsentError,
    AccessError,
    ConflictError,
    InputError,
    OutlearnError,
    ParameterError,
    RateError,
    StoreError,
)
from outlearn.serving.access import UserRole
from tests.serving.api.conftest import JOB
from tests.serving.watched import payments


def test_an_operator_works_on_jobs(world, tmp_path):
    client = world.client(UserRole.OPERATOR)
    assert client.me().role == "operator"
    job = client.add_job({**JOB, "name": "other"})
    assert [one.name for one in client.jobs()] == ["other", "payments"]
    assert client.job("other") == job
    assert abs(job.created - datetime.now(UTC)) < timedelta(minutes=1)
    changed = client.change_job("other", {**JOB, "name": "other", "gap": "2h"}, revision=job.revision)
    assert changed.definition["gap"] == "2h"
    assert client.pause_job("other").state == "paused"
    assert client.resume_job("other").state == "active"
    client.remove_job("other")
    with pytest.raises(AbsentError, match="other"):
        client.job("other")
    path = tmp_path / "today.csv"
    payments(10, 3).write_csv(path)
    sent = [client.push("payments", rows) for rows in (path, path.read_bytes(), payments(10, 3))]
    assert [one.rows for one in sent] == [10, 10, 10]
    assert client.cancel(sent[0].run_id).state == client.wait(sent[0].run_id).state == "cancelled"
    run = client.run_job("payments", "fit")
    assert client.run(run).kind == "fit"
    assert run in [one.id for one in client.runs("payments")]
    [model] = client.models("payments")
    assert client.model("payments", model.number) == model and model.stage == "live"
    with pytest.raises(StoreError, match="is a worker there"):
        client.wait(run, seconds=0.01)


def test_an_analyst_works_on_the_queue(world):
    client = world.client(UserRole.ANALYST)
    queue = list(client.incidents(order="newest", job="payments", since=datetime(2020, 1, 1, tzinfo=UTC)))
    one, *others = queue
    detail = client.incident(one.id)
    assert detail.incident == one and detail.rows and not detail.said
    assert client.explain(one.id).finding == detail.finding
    decided = client.decide(one.id, "normal", note="a refund", revision=one.revision)
    with pytest.raises(ConflictError, match="changed meanwhile"):
        client.decide(one.id, "anomaly", revision=one.revision)
    assert client.effect(decided.run_ids[0]).state == "queued"
    assert client.incident(one.id).holding == {"ana": "normal"}
    client.undo(decided.verdicts[one.id])
    assert client.incident(one.id).holding == {}
    assert set(client.decide([other.id for other in others], "anomaly").verdicts) == {o.id for o in others}
    assert client.snooze(one.id, datetime.now(UTC) + timedelta(hours=1)).state == "snoozed"
    assert client.assign(one.id, "ana").assigned == "ana"
    assert client.comment(one.id, "asked").who == "ana"
    seen = client.preview("payments", ["country=DE"])
    assert 0 < seen.rows < seen.looked
    pattern = client.suppress("payments", ["country=DE"], "known", until=datetime(2999, 1, 1, tzinfo=UTC))
    client.revoke_pattern(pattern.id)
    assert [one.revoked_by for one in client.suppressions("payments")] == ["ana"]
    scored = client.score("payments", payments(10, 3, odd=1), explain=True)
    assert scored.flagged[0] == 0 and scored.incidents


def test_an_admin_works_on_people(world):
    client = world.client(UserRole.ADMIN)
    client.add_user("new", "viewer")
    client.set_role("new", "analyst")
    assert "/welcome?token=" in client.invite_user("new")
    secret = client.new_key("new", "nightly", days=1)
    client.disable_user("new")
    client.enable_user("new")
    assert {user.name: user.role for user in client.users()}["new"] == "analyst"
    [key] = [one for one in list(client.keys()) if one.user == "new"]
    assert key.expires is not None and secret.startswith("olk_")
    client.revoke_key(key.id)
    actions = [entry.action for entry in client.audit() if "new" in entry.object]
    assert actions[::-1] == [
        "user.add", "user.role", "user.invite", "key.add", "user.disable", "user.enable", "key.revoke",
    ]  # fmt: skip
    assert client.verify_audit().holds


def answering(*answers):
    """Return a client whose service gives these answers, and the requests that came."""
    left, came = list(answers), []

    def handle(request):
        came.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, document = answer
        return httpx.Response(status, json=document, headers={"Retry-After": "7"})

    return Client("http://test", "olk_x", transport=httpx.MockTransport(handle), retries=2), came


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(connection, "_WAIT", 0.0)


STARTED = (202, {"run_id": 3})


@pytest.mark.parametrize(
    "trouble",
    [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), (503, {}), (409, {"code": "under-way"})],
)
def test_a_post_is_sent_again_under_the_same_key(trouble):
    client, came = answering(trouble, trouble, STARTED)
    assert client.run_job("payments") == 3
    assert len({request.headers["Idempotency-Key"] for request in came}) == 1
    client, came = answering(trouble, trouble, trouble)
    with pytest.raises(OutlearnError):
        client.run_job("payments")
    assert len(came) == 3


def test_what_makes_a_secret_is_not_sent_again():
    client, came = answering(httpx.ReadTimeout("slow"))
    with pytest.raises(StoreError, match="does not answer"):
        client.new_key("vera", "nightly")
    assert "Idempotency-Key" not in came[0].headers


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InputError), (401, AccessError), (403, AccessError), (404, AbsentError), (409, ConflictError),
        (412, ConflictError), (413, InputError), (429, RateError), (500, OutlearnError),
    ],
)  # fmt: skip
def test_problems_are_raised_as_the_service_raises_them(status, error):
    client, _ = answering((status, {"detail": "what came; what to do"}))
    with pytest.raises(error, match="what came; what to do") as caught:
        client.me()
    assert type(caught.value) is error
    if error is RateError:
        assert caught.value.seconds == 7


def test_an_answer_that_is_no_document_is_told_by_its_status():
    broken = httpx.MockTransport(lambda _: httpx.Response(502, text="<html>"))
    with (
        Client("http://test", "olk_x", transport=broken) as client,
        pytest.raises(OutlearnError, match="502"),
    ):
        client.me()


def test_names_stay_within_their_part_of_the_address():
    client, came = answering((404, {}))
    with pytest.raises(AbsentError):
        client.job("../users?x#y")
    assert came[0].url.raw_path == b"/api/v1/jobs/..%2Fusers%3Fx%23y"


def test_events_are_read_from_the_stream():
    text = 'retry: 3000\n\n:\n\nid: 4\nevent: run\ndata: {"run": 1}\n\n'
    stream = httpx.MockTransport(lambda _: httpx.Response(200, text=text))
    with Client("http://test", "olk_x", transport=stream) as client:
        assert [(one.id, one.kind, one.data) for one in client.events(3)] == [(4, "run", {"run": 1})]


@pytest.mark.parametrize("key", ["olk_…", "olk_x\n", "olk_x\r\nHost: elsewhere"])
def test_what_cannot_be_a_key_is_refused_before_it_is_sent(key):
    with pytest.raises(ParameterError, match="outlearn key add"):
        Client("http://test", key)
