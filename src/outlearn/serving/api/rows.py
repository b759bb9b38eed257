"""Routes of rows that come in: to be judged and kept, or to be judged alone."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from outlearn.serving.api.auth import Analyst, Operator
from outlearn.serving.api.documents import PushedOut, ScoredOut
from outlearn.serving.api.paging import JobName
from outlearn.serving.api.routing import Serving, router
from outlearn.serving.api.uploads import Rows
from outlearn.serving.scoring import score

__all__ = ["routes"]

routes = router("rows")
Filename = Annotated[
    str, Query(max_length=200, description="what a bare body is called; a file of a form has its own name")
]


@routes.post("/jobs/{name}/rows", status_code=202, response_model=PushedOut)
def push_rows(
    actor: Operator, service: Serving, name: JobName, rows: Rows, filename: Filename = "rows"
) -> Any:
    """Take rows in, in CSV, JSON, JSON Lines, Parquet or Arrow, and have them judged."""
    return service.jobs.push(actor, name, rows.path, media=rows.media, filename=rows.filename)


@routes.post("/jobs/{name}/score", response_model=ScoredOut)
def score_rows(
    actor: Analyst,
    service: Serving,
    name: JobName,
    rows: Rows,
    filename: Filename = "rows",
    explain: Annotated[
        bool, Query(description="whether flagged rows come as incidents with reasons")
    ] = False,
) -> Any:
    """Judge rows by the live model; nothing of them is kept."""
    return score(service, actor, name, rows.path, media=rows.media, filename=rows.filename, explain=explain)
