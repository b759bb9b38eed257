"""Coming in: invitations, log-in, and what a session is held to."""

from __future__ import annotations

import pytest

from outlearn.serving.access import Actor, UserRole, Via
from tests.serving.page.visits import PASSWORD, Page

ADMIN = Actor("root", UserRole.ADMIN, Via.CLI)


def _log_in(browser, password=PASSWORD, path="/login", name="ana"):
    form = browser.page(path).form("/login")
    return browser.client.post("/login", data={**form, "name": name, "password": password})


def test_an_invitation_sets_a_password_that_logs_in(visit, made):
    accounts = made.service.accounts
    accounts.add_user(ADMIN, "new", UserRole.ANALYST)
    path, browser = f"/welcome?token={accounts.invite(ADMIN, 'new')}", visit("")
    secret = {"password": "seven small owls sing", "again": "seven small owls sing"}
    differing = browser.send(path, "/welcome", **{**secret, "again": "another one"})
    assert (differing.status_code, "passwords differ" in differing.text) == (400, True)
    assert "Log in" in browser.send(path, "/welcome", **secret).text
    assert _log_in(browser, secret["password"], name="new").headers["location"] == "/queue"
    assert "new · analyst" in browser.page("/queue").text
    again = browser.send(path, "/welcome", **secret)
    assert (again.status_code, "the invitation was used" in again.text) == (403, True)


def test_a_session_is_in_a_cookie_that_no_script_reads(visit):
    browser = visit("")
    answer = _log_in(browser, path="/login?next=/jobs")
    cookie = answer.headers.get_list("set-cookie")[0].lower()
    assert answer.headers["location"] == "/jobs"
    assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/", "max-age="))
    assert browser.page("/account").text.startswith("Account")


def test_behind_tls_the_cookie_is_for_it_alone(visit, made):
    browser = visit("")
    browser.client.base_url = "https://testserver"
    answer = _log_in(browser)
    cookies = answer.headers.get_list("set-cookie")
    assert all(cookie.startswith("__Host-") and "; Secure" in cookie for cookie in cookies)


def test_a_wrong_password_says_no_more_than_that(visit):
    browser = visit("")
    wrong, unknown = _log_in(browser, "not it at all"), _log_in(browser, name="nobody")
    assert wrong.status_code == unknown.status_code == 403
    texts = [Page(answer.text).text for answer in (wrong, unknown)]
    assert texts[0] == texts[1]
    assert "the name or the password is wrong" in texts[0]


def test_a_log_in_from_another_site_is_refused(visit):
    browser = visit("")
    browser.get("/login")
    fields = {"name": "ana", "password": PASSWORD}
    assert browser.client.post("/login", data={**fields, "csrf": "made up"}).status_code == 403
    assert browser.client.post("/login", data=fields).status_code == 403


@pytest.mark.parametrize("path", ["https://elsewhere/", "//elsewhere", "/\\elsewhere", "javascript:alert(1)"])
def test_no_log_in_leads_elsewhere(visit, path):
    browser = visit("")
    form = browser.page("/login").form("/login")
    fields = {**form, "name": "ana", "password": PASSWORD, "next": path}
    assert browser.client.post("/login", data=fields).headers["location"] == "/queue"


def test_after_too_many_tries_the_page_says_how_long_to_wait(visit, made, monkeypatch):
    monkeypatch.setattr("outlearn.serving.accounts.sessions.matches", lambda *_: False)
    browser = visit("")
    answers = [_log_in(browser, "not it at all") for _ in range(12)]
    assert answers[-1].status_code == 429
    assert "minutes" in answers[-1].text


def test_who_logs_out_is_out(visit):
    browser = visit("ana")
    token = browser.client.cookies["outlearn_session"]
    assert browser.send("/queue", "/logout").headers["location"] == "/login"
    browser.client.cookies.set("outlearn_session", token)
    assert browser.client.get("/queue").status_code == 303


def test_a_password_is_changed_by_who_knows_it(visit):
    browser = visit("ana")
    fields = {"password": "seven small owls sing", "again": "seven small owls sing"}
    refused = browser.send("/account", "/account/password", current="not it", **fields)
    assert (refused.status_code, "from before is wrong" in refused.text) == (403, True), Page(
        refused.text
    ).text
    changed = browser.send("/account", "/account/password", current=PASSWORD, **fields)
    assert changed.headers["location"] == "/account?done=password"
    assert "The password is changed" in browser.page("/account?done=password").text


def test_a_secret_is_shown_once(visit, made):
    browser = visit("ada")
    answer = browser.send("/people", "/people/keys", user="ana", label="nightly", role="viewer", days="7")
    (secret,) = [
        one.attributes["value"] for one in Page(answer.text).root.all("input") if "readonly" in one.attributes
    ]
    assert made.service.accounts.by_key(secret).role == UserRole.VIEWER
    assert secret not in browser.client.get("/people").text
    link = browser.send("/people", "/people", name="new", role="viewer").text
    assert "/welcome?token=" in link and "/welcome?token=" not in browser.client.get("/people").text


def test_what_the_page_looks_up_by_itself_keeps_no_session_alive(visit, made):
    browser = visit("ana")
    made.age_sessions(1700)
    assert browser.client.get("/queue", headers={"X-Live": "1"}).status_code == 200
    made.age_sessions(200)
    assert browser.client.get("/queue").status_code == 303


def test_who_loses_the_way_gets_a_page_and_programs_a_problem(visit):
    client = visit("ana").client
    lost = client.get("/nowhere", headers={"Accept": "text/html,*/*"})
    assert (lost.status_code, "There is no such page" in lost.text) == (404, True)
    for path, accept in (("/nowhere", "*/*"), ("/api/v1/nowhere", "text/html")):
        told = client.get(path, headers={"Accept": accept})
        assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")
