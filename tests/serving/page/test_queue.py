"""The queue and what is done from it without script: filters in the URL, verdicts, what they changed."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from outlearn.errors import ParameterError
from outlearn.serving.page.told import Deed, changes_of
from outlearn.serving.page.wanted import Wanted
from outlearn.serving.triage import Filter
from tests.serving.page.visits import Page


def _ids(page: Page) -> list[int]:
    return [
        int(one.attributes["data-incident"])
        for one in page.root.all("li")
        if "data-incident" in one.attributes
    ]


def _open(made, **filters):
    return [one.id for one in made.service.triage.queue(Filter(**filters), limit=200).items]


def test_the_queue_is_in_the_order_that_is_asked_for(visit, made):
    browser = visit("ana")
    gravest = _open(made)
    assert _ids(browser.page("/queue")) == gravest[:30]
    assert _ids(browser.page("/queue?order=newest"))[0] > min(gravest)
    assert "No verdict is asked for" in browser.page("/queue?order=useful").text
    with made.service.database.writing() as connection:
        made.mark_useful(connection, {gravest[3]: 2.0, gravest[1]: 1.0})
    assert _ids(browser.page("/queue?order=useful")) == [gravest[3], gravest[1]]


def test_links_of_the_queue_keep_its_filters(visit):
    page = visit("ana").page("/queue?state=any&job=payments&text=amount&order=newest")
    kept = {"state": ["any"], "job": ["payments"], "text": ["amount"], "order": ["newest"]}
    incidents = [link for link in page.links() if link.startswith("/incidents/")]
    assert incidents and all(parse_qs(urlsplit(link).query) == kept for link in incidents)
    gravest = next(link for link in page.links() if link.startswith("/queue?") and "order" not in link)
    assert parse_qs(urlsplit(gravest).query) == {name: kept[name] for name in ("state", "job", "text")}
    assert page.form("/queue/verdicts")["queue"] == "state=any&job=payments&text=amount&order=newest"
    shown = page.root.all("form", action="/queue")[0]
    assert [one.text for one in shown.all("option", selected="")] == ["any", "payments"]


def test_pages_of_the_queue_go_through_all_of_it_once(visit, made, monkeypatch):
    monkeypatch.setattr("outlearn.serving.page.queue.SHOWN", 4)
    browser, seen, path = visit("vic"), [], "/queue?order=newest"
    while path:
        page = browser.page(path)
        seen += _ids(page)
        path = next((one.attributes["href"] for one in page.root.all("a", rel="next")), "")
    assert sorted(seen) == sorted(_open(made))


@pytest.mark.parametrize(
    "query", ["order=odd", "state=odd", "since=soon", "after=x", "after=1_-3", "after=nan"]
)
def test_what_no_queue_can_be_is_refused(visit, query):
    status, page = visit("ana").get(f"/queue?{query}")
    assert (status, "wanted" in page.text or "first page" in page.text) == (400, True)


def test_a_verdict_leads_back_and_says_what_it_changed(visit, made):
    browser, low = visit("ana"), _open(made, text="-")
    answer = browser.client.post(
        f"/incidents/{low[0]}/verdict",
        data={**browser.page("/queue?text=-").form("/queue/verdicts"), "answer": "normal"},
    )
    path = answer.headers["location"]
    assert path.startswith("/queue?text=-&did=normal")
    page = browser.page(path)
    assert f"Incident {low[0]} is normal" in page.text
    assert "Learning from it" in page.text
    assert low[0] not in _ids(page)
    assert made.work() == 1
    effect = made.service.triage.effect(changes_run(path))
    told = f"{effect.fell} row{'' if effect.fell == 1 else 's'} fell below the threshold, {effect.rose} rose"
    assert told in browser.page(path).text
    undone = browser.send(path, "/undo").headers["location"]
    assert "as before: it was taken back" in browser.page(undone).text
    assert made.service.triage.get(low[0]).incident.state == "open"


def changes_run(path: str) -> int:
    return int(parse_qs(urlsplit(path).query)["runs"][0])


def test_a_verdict_on_several_is_undone_as_one(visit, made):
    browser, ids = visit("ana"), _open(made)[:3]
    answer = browser.send(
        "/queue", "/queue/verdicts", incident=ids, answer="anomaly", note="seen by the bank"
    )
    page = browser.page(answer.headers["location"])
    assert "3 incidents are anomalies" in page.text
    assert not set(ids) & set(_ids(page))
    detail = made.service.triage.get(ids[1])
    assert (detail.holding, detail.said[0].note) == ({"ana": "anomaly"}, "seen by the bank")
    browser.client.post("/undo", data={**page.form("/undo"), "incident": ids})
    assert [made.service.triage.get(id).incident.state for id in ids] == ["open"] * 3


def test_nothing_chosen_is_told(visit):
    answer = visit("ana").send("/queue", "/queue/verdicts", answer="normal")
    assert (answer.status_code, "no incident was chosen" in answer.text) == (400, True)


def test_what_was_seen_before_another_changed_it_is_not_decided(visit, made):
    ana, ben, id = visit("ana"), visit("ben"), _open(made)[0]
    form = ana.page(f"/incidents/{id}").form(f"/incidents/{id}/verdict")
    ben.client.post(
        f"/incidents/{id}/verdict",
        data={**ben.page(f"/incidents/{id}").form(f"/incidents/{id}/verdict"), "answer": "normal"},
    )
    answer = ana.client.post(f"/incidents/{id}/verdict", data={**form, "answer": "anomaly"})
    assert (answer.status_code, "was changed meanwhile" in answer.text) == (409, True)
    assert made.service.triage.get(id).holding == {"ben": "normal"}


def test_a_snooze_is_undone_too(visit, made):
    browser, id = visit("ana"), _open(made)[0]
    form = browser.page("/queue").form("/queue/verdicts")
    path = browser.client.post(f"/incidents/{id}/snooze", data=form).headers["location"]
    assert id in _open(made, state="snoozed")
    assert id in _ids(browser.page("/queue?state=snoozed"))
    browser.send(path, "/undo")
    assert made.service.triage.get(id).incident.state == "open"


def test_the_script_is_given_parts_of_pages(visit, made):
    browser, id = visit("ana"), _open(made)[0]
    form = browser.page("/queue").form("/queue/verdicts")
    part = {"X-Fragment": "1"}
    answer = browser.client.post(f"/incidents/{id}/verdict", data={**form, "answer": "unsure"}, headers=part)
    (told,) = Page(answer.text).root.inside
    assert (answer.status_code, told.attributes["data-next"]) == (200, "/queue")
    assert browser.client.get(told.attributes["data-effect"], headers=part).status_code == 200
    refused = browser.client.post("/incidents/99999/verdict", data={**form, "answer": "unsure"}, headers=part)
    assert (refused.status_code, "<html" in refused.text) == (404, False)
    over = visit("").client.post(f"/incidents/{id}/verdict", data=form, headers=part)
    assert (over.status_code, "your session is over" in over.text) == (401, True)


def test_a_deed_that_an_address_cannot_name_is_none():
    assert Deed.of({"did": "<b>", "ids": "1"}, Wanted({})) is None
    with pytest.raises(ParameterError, match="whole number"):
        Deed.of({"did": "normal", "ids": "1.x"}, Wanted({}))


def test_a_run_that_is_gone_has_no_effect(made):
    assert changes_of(made.service, [999]) == []
