"""Pages of lists: a cursor that says where the next one begins, opaque to who is given it.

>>> cursor = written(0.75, 41)
>>> parsed(cursor, 2)
(0.75, 41)
>>> parsed("41")
Traceback (most recent call last):
outlearn.serving.api.problems.Problem: 400: '41' is no cursor of this list; take the `next` of its page before
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Path, Query

from outlearn.serving.api.problems import Problem

__all__ = ["LARGEST_ID", "Cursor", "Id", "JobName", "Limit", "page_of", "parsed", "written"]

T = TypeVar("T")
LARGEST_ID = 2**63 - 1  # of a database
MOST = 200  # entries of a page

Cursor = Annotated[
    str | None, Query(max_length=300, description="`next` of the page before; none for the first page")
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="most entries of the page")]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
JobName = Annotated[str, Path(max_length=100, description="of the job", examples=["payments"])]


def written(*place: float) -> str:
    """Return the cursor of a place: an id, or what the list is ordered by and an id."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def parsed(cursor: str, length: int = 1) -> tuple[Any, ...]:
    """Return the place that a cursor stands for, of so many numbers; the last is an id.

    Raises
    ------
    Problem
        When it is none of such a list.
    """
    try:
        place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        *order, id = place
        fits = len(place) == length and type(id) is int and 0 < id <= LARGEST_ID
        fits = fits and all(type(one) in (int, float) and math.isfinite(one) for one in order)
    except (TypeError, ValueError, OverflowError, RecursionError):
        fits = False
    if not fits:
        raise Problem(
            400, "cursor", f"{cursor[:40]!r} is no cursor of this list; take the `next` of its page before"
        )
    return tuple(place)


def page_of(
    read: Callable[[int | None, int], Sequence[T]], key: Callable[[T], int], cursor: str | None, limit: int
) -> dict[str, Any]:
    """Return a page and the cursor of the next one, None when there is none.

    read : gives at most so many entries below an id, newest first. key : the id of an entry.
    """
    before = None if cursor is None else parsed(cursor)[0]
    found = read(before, limit + 1)  # one more tells whether there is a next page
    shown = found[:limit]
    return {"items": shown, "next": written(key(shown[-1])) if len(found) > limit else None}
