"""Which incidents a list is of, by the query of its address."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AwareDatetime

from outlearn.serving.api.documents import Answer
from outlearn.serving.triage import Filter

__all__ = ["Filtered"]

Text = Annotated[str | None, Query(max_length=300)]
When = Annotated[AwareDatetime | None, Query(description="of the moment when it was opened, with its offset")]


def _filter(
    state: Annotated[
        Literal["open", "decided", "snoozed", "suppressed", "quiet", "any"],
        Query(description="those whose snooze is over are open"),
    ] = "open",
    job: Text = None,
    entity: Text = None,
    answer: Annotated[Answer | None, Query(description="of the verdict that holds")] = None,
    assigned: Text = None,
    pattern: Text = None,
    text: Annotated[str | None, Query(max_length=300, description="a part of title or entity")] = None,
    since: When = None,
    before: When = None,
) -> Filter:
    return Filter(
        state=None if state == "any" else state,
        job=job,
        entity=entity,
        answer=answer,
        assigned=assigned,
        pattern=pattern,
        text=text,
        since=None if since is None else since.timestamp(),
        before=None if before is None else before.timestamp(),
    )


Filtered = Annotated[Filter, Depends(_filter)]
