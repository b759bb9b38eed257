"""The report as one HTML page that opens offline: no script, no network, every foreign word escaped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

from outlearn.extras import require
from outlearn.files import whole
from outlearn.report.findings import Findings
from outlearn.report.view import view

__all__ = ["render_html", "write_report"]


def render_html(findings: Findings) -> str:
    """Return the report as one self-contained HTML page.

    The page holds the top 50 rows at most and no raw scores, so its size hardly depends on their number.

    Raises
    ------
    MissingExtraError
        Without the packages of the extra ``report``.
    """
    jinja2 = require("jinja2", extra="report")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    return cast("str", template.render(view(findings)))


def write_report(findings: Findings, path: str | os.PathLike[str]) -> None:
    """Write the report to `path`: all of it, or nothing.

    Raises
    ------
    OutputError
        When the file cannot be written; what was there before stays as it was.
    MissingExtraError
        Without the packages of the extra ``report``.
    """
    page = render_html(findings)
    with whole(Path(path), refusal="the report cannot be written to") as part:
        part.write_text(page, encoding="utf-8")
