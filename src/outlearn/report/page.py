"""The report as one HTML page that opens offline: no script, no network, every foreign word escaped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from outlearn.extras import require
from outlearn.files import whole
from outlearn.findings.table import Findings
from outlearn.report.view import view

__all__ = ["render", "render_html", "write_page", "write_report"]


def render_html(findings: Findings) -> str:
    """Return the report as one self-contained HTML page.

    The page holds the top 50 rows at most and no raw scores, so its size hardly depends on their number.

    Raises
    ------
    MissingExtraError
        Without the packages of the extra ``report``.
    """
    return render("page.html", view(findings))


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill a template of this folder.

    Raises
    ------
    MissingExtraError
        Without the packages of the extra ``report``.
    """
    jinja2 = require("jinja2", extra="report")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return cast("str", environment.get_template(template).render(values))


def write_page(page: str, path: str | os.PathLike[str]) -> None:
    """Write a page to `path`: all of it, or nothing.

    Raises
    ------
    OutputError
        When the file cannot be written; what was there before stays as it was.
    """
    with whole(Path(path), refusal="the report cannot be written to") as temporary:
        temporary.write_text(page, encoding="utf-8")


def write_report(findings: Findings, path: str | os.PathLike[str]) -> None:
    """Write the report to `path`: all of it, or nothing.

    Raises
    ------
    OutputError
        When the file cannot be written; what was there before stays as it was.
    MissingExtraError
        Without the packages of the extra ``report``.
    """
    write_page(render_html(findings), path)
