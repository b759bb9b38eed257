"""Templates, and the headers that every page has."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from outlearn.serving.page import drawings, words
from outlearn.serving.page.files import address

if TYPE_CHECKING:
    from outlearn.serving.page.visitor import Visitor

__all__ = ["POLICY", "page"]

#: What a page may load and do: its own style, script and pictures, and forms to its own address.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for module in (words, drawings):
        environment.filters |= {name: getattr(module, name) for name in module.__all__}
    environment.globals["asset"] = address
    return environment


def page(
    template: str,
    visitor: Visitor | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """Return a page, or a part of one, made from a template.

    visitor : who is logged in; None on pages for everybody.
    """
    body = _environment().get_template(template).render(visitor=visitor, now=time.time(), **values)
    return HTMLResponse(body, status, {**HEADERS, **(headers or {})})
