"""Every error is a problem document, and none tells what is inside."""

import logging

import pytest

from outlearn.errors import MissingExtraError, StoreError, WeightsError
from outlearn.serving.access import UserRole
from outlearn.serving.api.app import create_app
from tests.serving.api.conftest import Asgi, raising, refused


def test_routes_that_are_not_there_and_methods_that_are_not_for_them(world):
    assert refused(world.http.get("/nothing")) == (404, "no-route")
    assert refused(world.http.get("/api/v1/nothing")) == (404, "no-route")
    answer = world.http.patch("/api/v1/jobs")
    assert refused(answer) == (405, "method")
    assert answer.headers["Allow"]


def test_what_the_service_refuses_has_its_words_and_its_status(world):
    absent = world.ask(UserRole.VIEWER, "GET", "/api/v1/jobs/paymets")
    assert refused(absent) == (404, "absent")
    assert "payments" in absent.json()["detail"]
    twice = world.ask(
        UserRole.OPERATOR, "POST", "/api/v1/jobs", json={"name": "payments", "source": {"push": True}}
    )
    assert refused(twice) == (409, "conflict")
    wrong = world.ask(UserRole.OPERATOR, "POST", "/api/v1/jobs", json={"name": "x", "source": {}})
    assert refused(wrong) == (400, "refused")


def test_each_field_that_is_refused_is_named_with_what_came(world):
    answer = world.ask(
        UserRole.ANALYST, "POST", "/api/v1/verdicts", json={"ids": [], "answer": "maybe", "more": 1}
    )
    assert refused(answer) == (400, "invalid")
    faults = {fault["where"]: fault["problem"] for fault in answer.json()["errors"]}
    assert set(faults) == {"body.ids", "body.answer", "body.more"}
    assert "'maybe'" in faults["body.answer"] and "'normal'" in faults["body.answer"]


def test_values_of_secret_fields_are_not_repeated(world):
    secret = "correct horse battery"
    body = {"user": "vera", "label": "x", "password": secret, "token": [secret]}
    answer = world.ask(UserRole.ADMIN, "POST", "/api/v1/keys", json=body)
    assert refused(answer) == (400, "invalid")
    assert secret not in answer.text


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (StoreError("postgresql://u:hush@h/d is gone"), (503, "store")),
        (MissingExtraError("polars is not installed"), (501, "not-installed")),
        (WeightsError("/srv/private is damaged"), (500, "unexpected")),
        (ZeroDivisionError("/srv/private"), (500, "unexpected")),
    ],
)
def test_errors_of_the_service_itself(world, monkeypatch, caplog, error, wanted):
    monkeypatch.setattr(type(world.service.jobs), "list", raising(error))
    with caplog.at_level(logging.WARNING, "outlearn"):
        answer = world.ask(UserRole.VIEWER, "GET", "/api/v1/jobs")
    assert refused(answer) == wanted
    assert "hush" not in answer.text and "/srv/private" not in answer.text
    if wanted[0] == 503:
        assert int(answer.headers["Retry-After"]) > 0
    if wanted[0] == 500:
        [record] = caplog.records
        assert answer.json()["id"] in record.getMessage()
        assert record.exc_info[1] is error


def test_an_error_outside_of_any_route_is_a_problem_too(world, caplog):
    def broken():
        raise ZeroDivisionError("inside")

    world.app.add_api_route("/broken", broken)
    with caplog.at_level(logging.ERROR, "outlearn"):
        answer = world.http.get("/broken")
    assert refused(answer) == (500, "unexpected")
    assert "inside" not in answer.text


def test_every_answer_has_the_headers_that_browsers_keep_to(world):
    for answer in (
        world.http.get("/healthz"),
        world.http.get("/nothing"),
        world.http.get("/api/v1/me"),
        world.ask(UserRole.VIEWER, "GET", "/api/v1/jobs"),
    ):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in answer.headers


def test_behind_tls_browsers_are_told_to_stay_there(filled, tmp_path, open_world):
    path, keys = filled
    world = open_world(f"sqlite:///{path}", keys, address="https://outlearn.example")
    assert "max-age" in world.http.get("/healthz").headers["Strict-Transport-Security"]


def test_the_store_being_gone_is_told_and_the_process_is_still_there(world, monkeypatch):
    broken = create_app(world.service)
    monkeypatch.setattr(type(world.service.database), "reading", raising(StoreError("gone")))
    world.http._transport = Asgi(broken, world.portal)
    assert refused(world.ask(UserRole.VIEWER, "GET", "/api/v1/me")) == (503, "store")
    assert world.http.get("/healthz").json() == {"status": "ok"}
    ready = world.http.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["store"] == "does not answer"
