"""ETags are revision numbers; a change that names one is made only while it holds.

>>> tag(3), revision_of('"3"'), revision_of("*"), revision_of(None)
('"3"', 3, None, None)
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header

from outlearn.serving.api.problems import Problem

__all__ = ["Revision", "revision_of", "tag"]

_TAG = re.compile(r'"([1-9][0-9]{0,8})"')


def tag(revision: int) -> str:
    """Return a revision as an ETag."""
    return f'"{revision}"'


def revision_of(header: str | None) -> int | None:
    """Return the revision that an If-Match header wants, None for any.

    Raises
    ------
    Problem
        When it is no ETag of this API.
    """
    if header is None or header.strip() == "*":
        return None
    match = _TAG.fullmatch(header.strip())
    if match is None:
        raise Problem(
            400,
            "etag",
            f'If-Match came as {header[:40]!r}; wanted the one ETag of the last answer, such as "3"',
        )
    return int(match[1])


def _revision(
    if_match: Annotated[
        str | None, Header(description="the ETag last seen; 412 when it changed since", examples=['"3"'])
    ] = None,
) -> int | None:
    return revision_of(if_match)


Revision = Annotated[int | None, Depends(_revision)]
