"""Who sees which page, and who may send which form: each role against each."""

from __future__ import annotations

import pytest

ROLES = {"vic": 1, "ana": 2, "olga": 3, "ada": 4}
PAGES = {
    "/queue": 1,
    "/queue?order=newest": 1,
    "/incidents/1": 1,
    "/effect?did=normal&ids=1": 1,
    "/keys": 1,
    "/jobs": 1,
    "/jobs/payments": 1,
    "/account": 1,
    "/jobs/payments/patterns/new?incident=1": 2,
    "/people": 4,
    "/audit": 4,
    "/audit?verify=1": 4,
}
FORMS = {
    "/incidents/1/snooze": (2, {"hours": "4"}),
    "/incidents/1/verdict": (2, {"answer": "normal"}),
    "/incidents/1/assign": (2, {"name": "ana"}),
    "/incidents/1/comment": (2, {"text": "seen before"}),
    "/queue/verdicts": (2, {"answer": "normal", "incident": ["1", "2"]}),
    "/jobs/payments/patterns": (2, {"condition": "country=XX", "why": "a test", "days": "1"}),
    "/jobs/payments/score": (3, {}),
    "/jobs/payments/pause": (3, {}),
    "/jobs/payments/models/promote": (3, {"number": "1"}),
    "/jobs/payments/models/shadow": (3, {}),
    "/people": (4, {"name": "new", "role": "viewer"}),
    "/people/ana/invite": (4, {}),
    "/people/ana/role": (4, {"role": "viewer"}),
    "/people/ben/disable": (4, {}),
    "/people/keys": (4, {"user": "ana", "label": "nightly"}),
}


@pytest.mark.parametrize("name", ROLES)
def test_each_role_sees_what_it_may(visit, name):
    browser = visit(name)
    for path, least in PAGES.items():
        status, page = browser.get(path)
        assert status == (200 if ROLES[name] >= least else 403), f"{path}: {page.text[:200]}"


def test_without_a_session_there_is_the_log_in_alone(visit):
    browser = visit("")
    for path in PAGES:
        answer = browser.client.get(path)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login"), path
    for path in FORMS:
        answer = browser.client.post(path, data={"answer": "normal"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?over=1"), path


@pytest.mark.parametrize("name", ROLES)
def test_each_role_sends_what_it_may(visit, made, name):
    browser = visit(name)
    csrf = browser.page("/queue").form("/logout")["csrf"]
    for path, (least, fields) in FORMS.items():
        answer = browser.client.post(path, data={"csrf": csrf, **fields})
        if ROLES[name] >= least:
            assert answer.status_code in (200, 303), f"{path}: {answer.text}"
        else:
            assert answer.status_code == 403, path
            assert f"{name} is" in answer.text


@pytest.mark.parametrize("name", ROLES)
def test_pages_offer_no_form_above_the_role(visit, name):
    browser = visit(name)
    for path, least in PAGES.items():
        if ROLES[name] < least:
            continue
        sent = {one.attributes.get("action") for one in browser.page(path).root.all("form", method="post")}
        above = {form for form, (role, _) in FORMS.items() if role > ROLES[name]}
        assert not sent & above, path


@pytest.mark.parametrize("path", [*FORMS, "/undo", "/logout", "/account/password", "/account/keys"])
def test_a_form_without_its_token_changes_nothing(visit, made, path):
    browser = visit("ada")
    before = made.marks()
    for csrf in ({}, {"csrf": ""}, {"csrf": "x" * 43}):
        fields = FORMS.get(path, (0, {}))[1]
        answer = browser.client.post(path, data={"more": "1", **fields, **csrf})
        assert answer.status_code == 403, answer.text
    csrf = browser.page("/queue").form("/logout")["csrf"]
    sites = {"Sec-Fetch-Site": "cross-site"}
    assert browser.client.post(path, data={"csrf": csrf, **fields}, headers=sites).status_code == 403
    assert made.marks() == before


def test_a_token_of_another_session_is_refused(visit, made):
    csrf = visit("ben").page("/queue").form("/logout")["csrf"]
    answer = visit("ana").client.post("/incidents/1/verdict", data={"csrf": csrf, "answer": "normal"})
    assert answer.status_code == 403
    assert made.service.triage.get(1).said == ()
