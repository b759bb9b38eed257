"""The report as one HTML page that opens offline: no script, no network, every foreign word escaped.

Its policy lets a browser take the style and the script that stand in it by their hashes, and nothing else.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
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


def render(template: str, values: Mapping[str, Any], *, script: str | None = None) -> str:
    """Fill a template of this folder; script : the file of one that the page runs.

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
    assets = {"style": _read("style.css")} | ({} if script is None else {"script": _read(script)})
    page = environment.get_template(template).render(values, **assets, policy=_policy(assets))
    return cast("str", page)


def _read(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def _policy(assets: Mapping[str, str]) -> str:
    """Return what a page may do (Content Security Policy): use its own style and script, by their hashes."""
    hashes = {kind: b64encode(sha256(text.encode()).digest()).decode() for kind, text in assets.items()}
    own = (f"{kind}-src 'sha256-{digest}'" for kind, digest in hashes.items())
    return "; ".join(("default-src 'none'", *own, "base-uri 'none'", "form-action 'none'"))


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
