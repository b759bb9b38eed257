"""Whether the service can work, and what it tells of its work."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from prometheus_client.parser import text_string_to_metric_families

from outlearn.serving.access import UserRole
from tests.serving.api.conftest import refused


@pytest.fixture
def both(url, open_world):
    """The world in SQLite and in PostgreSQL."""
    return open_world(url)


def change(world, statement):
    with world.service.database.writing() as connection:
        connection.exec_driver_sql(statement)


def ready(world):
    answer = world.http.get("/readyz")
    return answer.status_code, {name: text for name, text in answer.json().items() if text != "ok"}


def test_ready_means_store_tables_and_someone_who_works(both):
    change(both, "DELETE FROM kept")
    assert ready(both) == (200, {})
    change(both, "UPDATE runs SET queued = queued - 1000")
    waits = {"status": "not ready", "workers": "work waits and nobody does it"}
    assert ready(both) == (503, waits)
    # Whoever waits does so for a worker that lives and is busy.
    change(both, "UPDATE runs SET state = 'running', lease_until = queued + 2000")
    assert ready(both) == (200, {})
    change(both, "UPDATE runs SET state = 'done', lease_until = NULL")
    change(both, "UPDATE jobs SET next_score = 5")
    assert ready(both) == (503, waits)
    change(both, "UPDATE jobs SET state = 'paused'")
    assert ready(both) == (200, {})
    change(both, "UPDATE alembic_version SET version_num = '0000'")
    assert ready(both)[1]["tables"] == "of another version"


def test_metrics_are_of_what_is_there(both):
    both.ask(UserRole.ANALYST, "POST", "/api/v1/incidents/1/verdicts", json={"answer": "normal"})
    both.ask(UserRole.VIEWER, "GET", "/api/v1/jobs/payments")
    both.ask(UserRole.VIEWER, "GET", "/api/v1/jobs/nothing")
    assert refused(both.http.get("/metrics")) == (401, "unknown")
    answer = both.ask(UserRole.VIEWER, "GET", "/metrics")
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    total = both.service.triage.queue().total
    assert values["outlearn_incidents_open", "payments"] == total > 0
    assert values["outlearn_runs", "queued"] == 2  # one of the rows, one that learns
    assert values["outlearn_oldest_queued_seconds",] >= 0
    assert values["outlearn_verdicts_total", "normal"] == 1
    path = "/api/v1/jobs/{name}"
    assert values["outlearn_request_seconds_count", "GET", path, "200"] == 1
    assert values["outlearn_request_seconds_count", "GET", path, "404"] == 1
    assert not any(key in answer.text for key in both.keys.values())


def test_a_slow_answer_keeps_no_other_waiting(world, monkeypatch):
    began, go = Event(), Event()

    def slow(_):
        began.set()
        go.wait(10)
        return ()

    monkeypatch.setattr(type(world.service.jobs), "list", slow)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(world.ask, UserRole.VIEWER, "GET", "/api/v1/jobs")
        assert began.wait(10)
        assert world.http.get("/healthz").status_code == 200
        assert world.ask(UserRole.VIEWER, "GET", "/api/v1/me").json()["name"] == "vera"
        assert not waiting.done()
        go.set()
        assert waiting.result(10).status_code == 200
