"""Who may call what: each route of the app, by each role."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from outlearn.serving.access import UserRole
from outlearn.serving.api.app import create_app, guarded_routes
from tests.serving.api.conftest import JOB, ROOT, refused
from tests.serving.watched import fitted

VIEWER, ANALYST, OPERATOR, ADMIN = UserRole
CSV = {"files": {"file": ("a.csv", b"amount,items,country,card\n12.5,2,DE,c1\n", "text/csv")}}
LATER = "2999-01-01T00:00:00Z"
SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat()
PATTERN = {"conditions": ["country=DE"], "why": "known"}

#: Operation → least role, what to send, and the status of success.
TABLE: dict[str, tuple[UserRole, dict[str, Any], int]] = {
    "GET /metrics": (VIEWER, {}, 200),
    "GET /api/v1/me": (VIEWER, {}, 200),
    "GET /api/v1/jobs": (VIEWER, {}, 200),
    "POST /api/v1/jobs": (OPERATOR, {"json": {**JOB, "name": "other"}}, 201),
    "GET /api/v1/jobs/{name}": (VIEWER, {}, 200),
    "PUT /api/v1/jobs/{name}": (OPERATOR, {"json": {**JOB, "gap": "2h"}}, 200),
    "DELETE /api/v1/jobs/{name}": (OPERATOR, {}, 204),
    "POST /api/v1/jobs/{name}/pause": (OPERATOR, {}, 200),
    "POST /api/v1/jobs/{name}/resume": (OPERATOR, {}, 200),
    "POST /api/v1/jobs/{name}/rows": (OPERATOR, CSV, 202),
    "POST /api/v1/jobs/{name}/score": (ANALYST, CSV, 200),
    "POST /api/v1/jobs/{name}/runs": (OPERATOR, {"json": {"kind": "fit"}}, 202),
    "POST /api/v1/jobs/{name}/backfill": (OPERATOR, {"json": {"start": "2026-01-01T00:00:00Z"}}, 202),
    "GET /api/v1/runs": (VIEWER, {}, 200),
    "GET /api/v1/runs/{id}": (VIEWER, {}, 200),
    "GET /api/v1/runs/{id}/effect": (VIEWER, {}, 200),
    "POST /api/v1/runs/{id}/cancel": (OPERATOR, {}, 200),
    "GET /api/v1/jobs/{name}/models": (VIEWER, {}, 200),
    "GET /api/v1/jobs/{name}/models/{number}": (VIEWER, {}, 200),
    "POST /api/v1/jobs/{name}/models/{number}/promote": (OPERATOR, {}, 200),
    "POST /api/v1/jobs/{name}/models/{number}/shadow": (OPERATOR, {}, 200),
    "DELETE /api/v1/jobs/{name}/shadow": (OPERATOR, {}, 204),
    "POST /api/v1/jobs/{name}/rollback": (OPERATOR, {}, 200),
    "GET /api/v1/incidents": (VIEWER, {}, 200),
    "GET /api/v1/incidents/{id}": (VIEWER, {}, 200),
    "GET /api/v1/incidents/{id}/explain": (VIEWER, {}, 200),
    "POST /api/v1/incidents/{id}/verdicts": (ANALYST, {"json": {"answer": "normal"}}, 200),
    "POST /api/v1/verdicts": (ANALYST, {"json": {"ids": [1, 2], "answer": "anomaly"}}, 200),
    "POST /api/v1/verdicts/{verdict_id}/undo": (ANALYST, {}, 200),
    "POST /api/v1/incidents/{id}/snooze": (ANALYST, {"json": {"until": SOON}}, 200),
    "POST /api/v1/incidents/{id}/assign": (ANALYST, {"json": {"name": "ana"}}, 200),
    "POST /api/v1/incidents/{id}/comments": (ANALYST, {"json": {"text": "asked"}}, 201),
    "GET /api/v1/jobs/{name}/suppressions": (VIEWER, {}, 200),
    "POST /api/v1/jobs/{name}/suppressions": (ANALYST, {"json": {**PATTERN, "until": LATER}}, 201),
    "POST /api/v1/jobs/{name}/suppressions/preview": (VIEWER, {"json": {"conditions": ["country=DE"]}}, 200),
    "DELETE /api/v1/suppressions/{id}": (ANALYST, {}, 204),
    "GET /api/v1/users": (ADMIN, {}, 200),
    "POST /api/v1/users": (ADMIN, {"json": {"name": "new", "role": "viewer"}}, 201),
    "PUT /api/v1/users/{user}/role": (ADMIN, {"json": {"role": "operator"}}, 204),
    "POST /api/v1/users/{user}/disable": (ADMIN, {}, 204),
    "POST /api/v1/users/{user}/enable": (ADMIN, {}, 204),
    "POST /api/v1/users/{user}/invite": (ADMIN, {"json": {}}, 201),
    "GET /api/v1/keys": (VIEWER, {}, 200),
    "POST /api/v1/keys": (ADMIN, {"json": {"user": "vera", "label": "more"}}, 201),
    "DELETE /api/v1/keys/{id}": (VIEWER, {}, 204),
    "GET /api/v1/audit": (ADMIN, {}, 200),
    "GET /api/v1/audit/verify": (ADMIN, {}, 200),
    "GET /api/v1/events": (VIEWER, {}, 200),
}
OPEN = {"GET /healthz", "GET /readyz"}
ENDLESS = "GET /api/v1/events"  # asked in test_events


def test_the_table_names_each_route_and_the_document_too(world):
    declared = {f"{method} {path}" for path, route in guarded_routes() for method in route.methods}
    assert declared == set(TABLE)
    document = create_app(world.service).openapi()
    described = {
        f"{method.upper()} {path}": operation.get("x-role")
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert described == {name: str(role) for name, (role, _, _) in TABLE.items()} | dict.fromkeys(OPEN)


@pytest.mark.parametrize("operation", [name for name in TABLE if name != ENDLESS])
def test_a_route_is_for_its_role_and_above_alone(operation, world):
    least, options, status = TABLE[operation]
    method, path = operation.split()
    path = prepared(world, method, path, least)
    assert refused(world.ask(None, method, path, **options)) == (401, "unknown")
    for role in UserRole:
        if role < least:
            # Whoever may not is told so before anything of the request is looked at.
            assert refused(world.ask(role, method, path, content=b"\0")) == (403, "forbidden")
    answer = world.ask(least, method, path, **options)
    assert answer.status_code == status, answer.text
    assert world.ask(ADMIN, method, path, **options).status_code not in (401, 403)


def test_no_key_that_was_revoked_or_is_of_a_disabled_user_comes_in(world):
    world.service.accounts.disable(ROOT, "vera")
    assert refused(world.ask(VIEWER, "GET", "/api/v1/me")) == (401, "unknown")
    for header in ("Bearer", "Bearer ", "Bearer olk_x", "Basic dmVyYTo=", "Bearer " + "x" * 5000, "Bearer ü"):
        answer = world.http.get("/api/v1/me", headers={"Authorization": header.encode()})
        assert refused(answer) == (401, "unknown")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def prepared(world, method, path, role):
    """Return the address of something that is there for the route to work on."""
    service, who = world.service, world.service.accounts.by_key(world.keys[max(role, OPERATOR)])
    job = service.jobs.get("payments")
    values = {"name": "payments", "id": 1, "number": 1, "user": "vera", "verdict_id": ""}
    if "undo" in path or "effect" in path:
        own = world.service.accounts.by_key(world.keys[ANALYST])
        given = service.triage.decide(own, [1], "normal")
        values |= {"verdict_id": given.verdicts[1], "id": given.run_ids[0]}
    if path.endswith(("shadow", "rollback", "promote")):
        with service.database.writing() as connection:
            service.models.add(connection, job.id, fitted(), who)
    if path.endswith("suppressions/{id}"):
        values["id"] = service.triage.suppress(who, "payments", ["country=DE"], "known").id
    if path.endswith("backfill"):
        source = {"query": "select 1", "database": "shop", "watermark": "id"}
        values["name"] = service.jobs.add(who, {**JOB, "name": "files", "source": source}).name
    return path.format(**values)
