"""The route of style, script and icon."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from outlearn.errors import AbsentError
from outlearn.serving.page.faults import PageRoute
from outlearn.serving.page.files import MEDIA, content

__all__ = ["router"]

router = APIRouter(route_class=PageRoute, prefix="/assets")
YEAR = "public, max-age=31536000, immutable"


@router.get("/{digest}/{name}")
def asset(digest: str, name: str) -> Response:
    """Give a file, to be kept where the address is that of its content."""
    if name not in MEDIA:
        raise AbsentError("there is no such file of the pages")
    read, known = content(name)
    headers = {"Cache-Control": YEAR if digest == known else "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(read, media_type=MEDIA[name], headers=headers)
