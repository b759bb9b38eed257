"""The queue: its orders, filters and pages."""

import pytest

from outlearn.errors import AbsentError, ParameterError
from outlearn.serving.triage import Filter
from tests.serving.watched import ANA, Watched, payments


@pytest.fixture
def watched(database):
    watched = Watched.of(database)
    watched.score(payments(300, 1, odd=8))
    return watched


def test_pages_hold_every_incident_once_gravest_first(watched):
    whole = watched.triage.queue(limit=200)
    pages, after = [], None
    while True:
        page = watched.triage.queue(limit=3, after=after)
        pages += page.items
        after = page.after
        if after is None:
            break
    assert [one.id for one in pages] == [one.id for one in whole.items]
    assert [one.score for one in pages] == sorted((one.score for one in pages), reverse=True)
    assert whole.total == len(pages) >= 8


def test_filters(watched):
    triage = watched.triage
    first = triage.queue().items[0]
    triage.decide(ANA, [first.id], "anomaly")
    assert first.id not in [one.id for one in triage.queue(limit=200).items]
    assert [one.id for one in triage.queue(Filter(state="decided")).items] == [first.id]
    assert [one.id for one in triage.queue(Filter(state=None, answer="anomaly")).items] == [first.id]
    assert triage.queue(Filter(job="payments")).total == triage.queue().total
    assert triage.queue(Filter(job="other")).total == 0
    assert triage.queue(Filter(text="AMOUNT is")).total > 0
    assert triage.queue(Filter(text="100%_")).total == 0  # no wildcards
    assert triage.queue(Filter(since=first.opened + 60)).total == 0


@pytest.mark.parametrize("arguments", [{"order": "oldest"}, {"limit": 0}, {"limit": 1000}])
def test_what_there_is_not_is_refused(watched, arguments):
    with pytest.raises(ParameterError, match="wanted"):
        watched.triage.queue(**arguments)


def test_a_state_that_there_is_not_is_refused():
    with pytest.raises(ParameterError, match="wanted one of open"):
        Filter(state="closed")


def test_an_incident_shows_its_rows_and_alike_ones(watched):
    queue = watched.triage.queue().items
    alike = [one for one in queue if one.pattern == queue[0].pattern]
    watched.triage.decide(ANA, [alike[1].id], "normal")
    detail = watched.triage.get(queue[0].id)
    assert detail.rows[0].score == detail.incident.score
    assert detail.alike_answers["normal"] == 1
    assert alike[1].id in [one.id for one in detail.alike]
    with pytest.raises(AbsentError, match="no incident 999"):
        watched.triage.get(999)
