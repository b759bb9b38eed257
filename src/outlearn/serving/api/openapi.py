"""The OpenAPI document: who may call what, problems as answers, and an example of each body."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from outlearn import __version__
from outlearn.serving.api.auth import COOKIE, CSRF_HEADER
from outlearn.serving.api.bodies import JSON, TOML, DefinitionBody
from outlearn.serving.api.idempotency import HEADER
from outlearn.serving.api.problems import MEDIA as PROBLEM_MEDIA
from outlearn.serving.api.problems import Fault, ProblemDocument
from outlearn.serving.api.routing import Guarded
from outlearn.serving.api.uploads import FORM, RowsBody
from outlearn.serving.api.uploads import MEDIA as ROW_MEDIA

__all__ = ["describe"]

_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "a key of `outlearn key add`"},
    "page": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"the session of a page; changes repeat its token in the header {CSRF_HEADER}",
    },
}
_KEY = {
    "name": HEADER,
    "in": "header",
    "description": "one effect and one answer for all requests with this key, for a day",
    "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[ -~]+$"},
}
_EXAMPLE = {
    "name": "payments",
    "entity": "card",
    "source": {"push": True},
    "table": {"time_column": "paid_at"},
    "rule": {"false_alarm_rate": 0.001},
}
_EXAMPLE_TOML = (
    'name = "payments"\nentity = "card"\n[source]\npush = true\n[rule]\nfalse_alarm_rate = 0.001\n'
)
_EXAMPLE_CSV = "card,amount,paid_at\n4711,12.50,2026-11-30T08:00:00Z\n"


def describe(app: FastAPI, routes: Iterable[tuple[str, Guarded]]) -> dict[str, Any]:
    """Return the document of an app, which is made once; routes : the guarded ones with their paths."""
    if app.openapi_schema is None:
        document = get_openapi(
            title="outlearn",
            version=__version__,
            summary="Jobs that read rows, a queue of what is worth a look, verdicts that act",
            routes=app.routes,
        )
        parts = document.setdefault("components", {})
        parts["securitySchemes"] = _SECURITY
        schemas = parts.setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for model in (ProblemDocument, Fault):
            schemas[model.__name__] = _schema(model)
        for path, route in routes:
            for method in route.methods or ():
                _complete(document["paths"][path][method.lower()], route, method)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any], route: Guarded, method: str) -> None:
    operation["security"] = [{"key": []}, {"page": []}]
    operation["x-role"] = str(route.role)
    operation["summary"] = route.name.replace("_", " ").capitalize()
    operation["description"] = f"{operation.get('description', '')} For {route.role} and above.".strip()
    answers = operation["responses"]
    answers.pop("422", None)
    statuses = ["400", "401", "403", "404", "503"]
    if method != "GET":
        statuses += ["409", "412", "413", "415", "422"]
    for status in statuses:
        answers[status] = {
            "description": "a problem",
            "content": {PROBLEM_MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
    if method == "POST" and route.keeps:
        operation.setdefault("parameters", []).append(_KEY)
    if isinstance(route.body, DefinitionBody):
        operation["requestBody"] = _definition()
    if isinstance(route.body, RowsBody):
        operation["requestBody"] = _rows()


def _definition() -> dict[str, Any]:
    job = {"type": "object", "required": ["name", "source"], "description": "see docs/service.md"}
    return {
        "required": True,
        "content": {
            JSON: {"schema": job, "example": _EXAMPLE},
            TOML: {"schema": {"type": "string"}, "example": _EXAMPLE_TOML},
        },
    }


def _rows() -> dict[str, Any]:
    file = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    }
    content: dict[str, Any] = {FORM: {"schema": file}}
    for media in ROW_MEDIA:
        content[media] = {"schema": {"type": "string", "format": "binary"}}
    content["text/csv"]["example"] = _EXAMPLE_CSV
    return {"required": True, "content": content}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema
