"""One incident: what its page shows and takes."""

from __future__ import annotations

from urllib.parse import quote

from sqlalchemy import select

from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.store.tables import kept
from outlearn.serving.triage import Filter
from tests.serving.page.made import OPERATOR

BEN = Actor("ben", UserRole.ANALYST, Via.API)


def _first(made, **filters):
    return made.service.triage.queue(Filter(**filters)).items[0]


def test_the_page_shows_why_and_beside_what(visit, made):
    incident = _first(made)
    page = visit("vic").page(f"/incidents/{incident.id}")
    reasons = page.root.all("table", role="table")[0]
    columns = [one.text for one in reasons.all("bdi")][::3]
    assert columns == [reason["column"] for reason in incident.finding["reasons"]]
    strips = reasons.all("svg")
    assert strips and all("among usual values" in one.attributes["aria-label"] for one in strips)
    assert "Usual 3" in page.text and "unlike all of them" in page.text
    assert incident.entity in page.text


def test_next_and_before_follow_the_queue(visit, made):
    browser = visit("ana")
    queue = [one.id for one in made.service.triage.queue(Filter(), order="newest").items]
    first = browser.page(f"/incidents/{queue[0]}?order=newest")
    assert [one.attributes["href"] for one in first.root.all("a", rel="next")] == [
        f"/incidents/{queue[1]}?order=newest"
    ]
    assert first.root.all("a", rel="prev") == []
    second = browser.page(f"/incidents/{queue[1]}?order=newest")
    assert second.root.all("a", rel="prev")[0].attributes["href"] == f"/incidents/{queue[0]}?order=newest"
    fields = {**second.form(f"/incidents/{queue[1]}/verdict"), "answer": "normal"}
    answer = browser.client.post(f"/incidents/{queue[1]}/verdict", data=fields)
    assert answer.headers["location"].startswith(
        f"/incidents/{queue[2]}?order=newest&did=normal&ids={queue[1]}"
    )


def test_people_who_differ_are_shown(visit, made):
    id = _first(made).id
    made.service.triage.decide(BEN, [id], "normal", note="a known customer")
    made.service.triage.decide(OPERATOR, [id], "anomaly")
    text = visit("vic").page(f"/incidents/{id}").text
    assert "People differ ben: normal; olga: anomaly" in text
    assert "a known customer" in text


def test_alike_incidents_are_decided_together(visit, made):
    browser, incident = visit("ana"), _first(made)
    alike = made.service.triage.get(incident.id).alike
    page = browser.page(f"/incidents/{incident.id}")
    assert [one.attributes["value"] for one in page.root.all("input", type="checkbox", name="incident")] == [
        str(one.id) for one in alike
    ]
    browser.send(
        f"/incidents/{incident.id}", "/queue/verdicts", incident=[one.id for one in alike], answer="anomaly"
    )
    assert made.service.triage.get(incident.id).alike_answers == {"anomaly": len(alike)}


def test_comments_and_whose_it_is(visit, made):
    browser, id = visit("ana"), _first(made).id
    path = f"/incidents/{id}"
    assert (
        browser.send(path, f"{path}/comment", text="asked the bank").headers["location"] == f"{path}#comments"
    )
    browser.send(path, f"{path}/assign", name="ben")
    page = browser.page(path)
    assert "asked the bank" in page.text and "for ben" in page.text
    browser.send(path, f"{path}/assign", name="")
    assert made.service.triage.get(id).incident.assigned is None
    assert browser.send(path, f"{path}/assign", name="nobody-known").status_code == 404


def test_a_pattern_is_previewed_and_confirmed_anomalies_are_told_of(visit, made):
    browser, incident = visit("ana"), _first(made)
    made.service.triage.decide(OPERATOR, [incident.id], "anomaly")
    start = browser.page(f"/jobs/payments/patterns/new?incident={incident.id}")
    assert incident.entity in [
        one.attributes.get("value", "").removeprefix("card=")
        for one in start.root.all("input", name="condition")
    ]
    path = "/jobs/payments/patterns/new?condition=amount>%3D200"
    page = browser.page(path)
    preview = made.service.triage.preview("payments", ["amount>=200"])
    assert f"{preview.rows} of {preview.looked} rows" in page.text
    assert "1 of them was decided to be anomalies" in page.text
    fields = {"why": "a test", "days": "7"}
    assert browser.send(path, "/jobs/payments/patterns", **fields).status_code == 400
    assert browser.send(path, "/jobs/payments/patterns", **fields, sure="1").status_code == 303
    (stored,) = made.service.triage.suppressions("payments")
    assert stored.conditions == ("amount>=200",)
    assert "amount>=200" in browser.page("/jobs/payments").text
    browser.send("/jobs/payments", f"/jobs/payments/patterns/{stored.id}/revoke")
    assert "revoked by ana" in browser.page("/jobs/payments").text


def test_a_condition_that_is_none_is_told_where_it_is_given(visit):
    page = visit("ana").page(f"/jobs/payments/patterns/new?condition={quote('nothing=1')}")
    assert "nothing" in page.root.all("p", role="alert")[0].inside[0].text


def test_an_incident_whose_rows_are_gone_is_still_shown(visit, made):
    id = _first(made).id
    with made.service.database.writing() as connection:
        connection.execute(kept.delete().where(kept.c.incident_id == id))
        assert connection.execute(select(kept.c.id).where(kept.c.incident_id == id)).first() is None
    assert "Its rows were removed" in visit("vic").page(f"/incidents/{id}").text


def test_what_is_not_there_is_a_page_that_says_so(visit):
    for path in ("/incidents/999", "/jobs/none", f"/incidents/{2**70}", "/incidents/x", "/queue?text=%00"):
        status, page = visit("ana").get(path)
        assert status in (400, 404), path
        assert page.root.all("main"), path
