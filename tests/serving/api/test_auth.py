"""Sessions of pages at the API: a cookie, and for changes the token that no other site knows."""

import pytest

from outlearn.serving.access import UserRole
from outlearn.serving.api.auth import COOKIE, CSRF_HEADER, SECURE_COOKIE
from tests.serving.api.conftest import ROOT, refused

PASSWORD = "correct horse battery staple"


@pytest.fixture
def session(world):
    world.service.accounts.set_password(ROOT, "ana", PASSWORD)
    return world.service.accounts.log_in("ana", PASSWORD)


def ask(world, method, path, token, cookie=COOKIE, **headers):
    return world.http.request(method, path, headers={"Cookie": f"{cookie}={token}", **headers})


@pytest.mark.parametrize("cookie", [COOKIE, SECURE_COOKIE])
def test_a_session_reads_and_with_its_token_changes(world, session, cookie):
    assert ask(world, "GET", "/api/v1/me", session.token, cookie).json() == {"name": "ana", "role": "analyst"}
    path = "/api/v1/verdicts/" + "0" * 32 + "/undo"
    for sent in ({}, {CSRF_HEADER: ""}, {CSRF_HEADER: session.csrf[:-1]}, {CSRF_HEADER: "ü".encode()}):
        assert refused(ask(world, "POST", path, session.token, cookie, **sent)) == (403, "csrf")
    answer = ask(world, "POST", path, session.token, cookie, **{CSRF_HEADER: session.csrf})
    assert refused(answer) == (404, "absent")


def test_a_session_that_is_over_or_made_up_is_none(world, session):
    world.service.accounts.log_out(session.token)
    for token in (session.token, "made-up", "x" * 5000):
        assert refused(ask(world, "GET", "/api/v1/me", token)) == (401, "unknown")


def test_a_bad_key_is_refused_even_beside_a_good_session(world, session):
    answer = ask(world, "GET", "/api/v1/me", session.token, Authorization="Bearer olk_bad")
    assert refused(answer) == (401, "unknown")


def test_a_key_of_less_may_less_than_its_person(world):
    secret = world.service.accounts.new_key(ROOT, "ada", "reads", UserRole.VIEWER)
    world.keys[UserRole.ADMIN] = secret
    assert world.ask(UserRole.ADMIN, "GET", "/api/v1/me").json()["role"] == "viewer"
    assert refused(world.ask(UserRole.ADMIN, "GET", "/api/v1/audit")) == (403, "forbidden")
