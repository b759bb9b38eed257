"""The OpenAPI document: its examples hold, and no request that it allows breaks anything."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from outlearn.serving.access import UserRole

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of libraries that make requests up


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_the_document_is_openapi_3_1_and_says_who_may_what(world):
    answer = world.http.get("/openapi.json")
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    for method, path, operation in operations(document):
        assert operation["summary"] and operation["description"], path
        if path.startswith("/api/v1"):
            assert operation["security"] and operation["x-role"] in operation["description"]
            assert "422" not in operation["responses"] or method != "GET"
            assert "application/problem+json" in operation["responses"]["401"]["content"]
            wants_key = any(part.get("name") == "Idempotency-Key" for part in operation.get("parameters", []))
            assert wants_key == (method == "POST" and not operation.get("x-secret"))


def test_each_body_has_an_example_that_is_taken(world):
    document = world.http.get("/openapi.json").json()
    checked = 0
    for _, path, operation in operations(document):
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            if media != "application/json" or "$ref" not in content["schema"]:
                continue
            name = content["schema"]["$ref"].rpartition("/")[2]
            schema = document["components"]["schemas"][name]
            fields = schema["properties"].items()
            example = {field: part["examples"][0] for field, part in fields if "examples" in part}
            whole = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
            missing = [field for field in schema.get("required", []) if field not in example]
            for field in missing:  # closed lists of values are examples of themselves
                example[field] = schema["properties"][field]["enum"][0]
            assert jsonschema_rs.is_valid(whole, example), path
            checked += 1
    assert checked > 8
    body = document["paths"]["/api/v1/jobs"]["post"]["requestBody"]["content"]
    for media, content in body.items():
        example = content["example"]
        sent = example if isinstance(example, str) else json.dumps(example)
        sent = sent.replace("payments", media.rpartition("/")[2])
        options = {"content": sent, "headers": {"Content-Type": media}}
        answer = world.ask(UserRole.OPERATOR, "POST", "/api/v1/jobs", **options)
        assert answer.status_code == 201, answer.text


def explore(world, examples):
    """Send made-up requests to each operation; none may end in an error of the service."""
    schema = schemathesis.openapi.from_dict(world.app.openapi())
    found = [result.ok() for result in schema.get_all_operations()]
    return sum(probe(world, operation, examples) for operation in found if operation.path not in APART)


def probe(world, operation, examples):
    """Send requests as the document allows them, and such as it does not; return how many."""
    made_up = operation.as_strategy() | operation.as_strategy(generation_mode=NEGATIVE)
    known = {part.name: KNOWN[part.name] for part in operation.path_parameters}
    if known and operation.method != "delete":
        made_up |= operation.as_strategy(path_parameters=known)
    declared, sent = operation.definition.raw["responses"], []

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=made_up)
    def send(case):
        key = {"Authorization": f"Bearer {world.keys[UserRole.ADMIN]}"}
        given_by = case.as_transport_kwargs(base_url="http://test", headers=key)
        arguments = {name: given_by[name] for name in TAKEN if given_by.get(name) is not None}
        if "data" in arguments:
            arguments["content"] = arguments.pop("data")
        answer = world.http.request(**arguments)
        sent.append(answer.status_code)
        assert answer.status_code < 500, (arguments, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
        if answer.status_code != 405:  # an empty part of an address leads to another one
            assert str(answer.status_code) in declared, (arguments, answer.text)

    send()
    return len(sent)


APART = ("/api/v1/events", "/readyz")  # one does not end, the other tells of the service itself by 503
KNOWN = {"name": "payments", "id": 1, "number": 1, "user": "vera", "verdict_id": "0" * 32}
NEGATIVE = schemathesis.GenerationMode.NEGATIVE
TAKEN = ("method", "url", "params", "headers", "cookies", "json", "data", "files")


def test_made_up_requests_find_no_error_of_the_service(world):
    assert explore(world, 1) >= 47


@pytest.mark.long
def test_many_made_up_requests_find_no_error_of_the_service(world):
    assert explore(world, 60) > 1500
