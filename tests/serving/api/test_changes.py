"""Lists in pages, and changes that are made only to what was seen."""

from datetime import UTC, datetime, timedelta

import pytest

from outlearn.serving.access import UserRole
from tests.serving.api.conftest import JOB, refused


def test_pages_of_the_queue_make_up_the_whole(world):
    whole = world.ask(UserRole.VIEWER, "GET", "/api/v1/incidents?limit=200").json()
    assert whole["next"] is None and whole["total"] == len(whole["items"]) > 6
    for order in ("gravest", "newest"):
        cursor, found = "", []
        while cursor is not None:
            path = f"/api/v1/incidents?order={order}&limit=3" + (f"&cursor={cursor}" if cursor else "")
            page = world.ask(UserRole.VIEWER, "GET", path).json()
            assert len(page["items"]) <= 3 and page["total"] == whole["total"]
            found += [item["id"] for item in page["items"]]
            cursor = page["next"]
        assert sorted(found) == sorted(item["id"] for item in whole["items"])
    scores = [item["score"] for item in whole["items"]]
    assert scores == sorted(scores, reverse=True)


def test_pages_of_the_audit_go_on_where_they_ended(world):
    first = world.ask(UserRole.ADMIN, "GET", "/api/v1/audit?limit=4").json()
    second = world.ask(UserRole.ADMIN, "GET", f"/api/v1/audit?limit=4&cursor={first['next']}").json()
    numbers = [entry["seq"] for entry in (*first["items"], *second["items"])]
    assert numbers == list(range(numbers[0], numbers[0] - 8, -1))


@pytest.mark.parametrize(
    "cursor", ["x", "WzFd", "Wy0xXQ", "bnVsbA", "e30", "A" * 300, "W1siYSJdLDFd", "WzFlOTk5LDFd"]
)
@pytest.mark.parametrize("path", ["/api/v1/incidents", "/api/v1/runs"])
def test_a_cursor_of_another_list_or_none_is_refused(world, path, cursor):
    if (path, cursor) != ("/api/v1/runs", "WzFd"):  # [1], which is one of runs
        answer = world.ask(UserRole.VIEWER, "GET", path, params={"cursor": cursor})
        assert refused(answer) == (400, "cursor")


def test_a_job_changes_only_as_it_was_seen(world):
    path, body = "/api/v1/jobs/payments", {**JOB, "gap": "2h"}
    seen = world.ask(UserRole.VIEWER, "GET", path).headers["ETag"]
    changed = world.ask(UserRole.OPERATOR, "PUT", path, json=body, headers={"If-Match": seen})
    assert changed.status_code == 200 and changed.headers["ETag"] != seen
    late = world.ask(UserRole.OPERATOR, "PUT", path, json=body, headers={"If-Match": seen})
    assert refused(late) == (412, "stale")
    for any_of_it in ({}, {"If-Match": "*"}):
        assert world.ask(UserRole.OPERATOR, "PUT", path, json=body, headers=any_of_it).status_code == 200
    for header in ("3", 'W/"3"', '"a"', '"1", "2"', '"0"'):
        answer = world.ask(UserRole.OPERATOR, "PUT", path, json=body, headers={"If-Match": header})
        assert refused(answer) == (400, "etag")


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("verdicts", {"answer": "normal"}),
        ("snooze", {"until": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}),
        ("assign", {"name": "ana"}),
    ],
)
def test_an_incident_changes_only_as_it_was_seen(world, what, body):
    path = "/api/v1/incidents/1"
    seen = world.ask(UserRole.VIEWER, "GET", path).headers["ETag"]
    headers = {"If-Match": seen}
    assert (
        world.ask(UserRole.ANALYST, "POST", f"{path}/{what}", json=body, headers=headers).status_code == 200
    )
    assert refused(world.ask(UserRole.ANALYST, "POST", f"{path}/{what}", json=body, headers=headers)) == (
        412,
        "stale",
    )
    assert world.ask(UserRole.VIEWER, "GET", path).headers["ETag"] != seen


def test_the_queue_is_filtered_by_its_address(world):
    world.ask(UserRole.ANALYST, "POST", "/api/v1/incidents/2/verdicts", json={"answer": "normal"})
    ask = lambda query: world.ask(UserRole.VIEWER, "GET", f"/api/v1/incidents?{query}").json()  # noqa: E731
    assert [item["id"] for item in ask("state=decided")["items"]] == [2]
    assert ask("state=any")["total"] == ask("")["total"] + 1
    assert ask("answer=normal&state=any")["total"] == 1
    assert ask("job=other")["total"] == 0
    assert ask("since=2999-01-01T00:00:00Z")["total"] == 0
    for query in (
        "state=odd",
        "order=odd",
        "since=2999-01-01T00:00:00",
        "since=now",
        "limit=0",
        "limit=1000",
    ):
        answer = world.ask(UserRole.VIEWER, "GET", f"/api/v1/incidents?{query}")
        assert refused(answer) == (400, "invalid")
