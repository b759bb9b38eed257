"""Values as pages show them; filters of the templates."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from outlearn.errors import ReadError
from outlearn.explain.words import plain, show
from outlearn.findings.cells import cell_in
from outlearn.shown import clean

__all__ = ["ago", "cell", "count", "due", "moment", "score", "share", "span", "text"]

_SPANS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def text(value: object, limit: int = 300) -> str:
    """Return foreign text on one line, without what hides or turns the direction, and cut."""
    return clean(value, limit)


def cell(value: Any, limit: int = 80) -> str:
    """Return a cell, as `findings.cells.cell_out` wrote it, in words.

    >>> cell({"$datetime": "2026-11-30T14:56:56"}), cell(1234567), cell("a  b"), cell(None)
    ('2026-11-30 14:56', '1,234,567', 'a b', 'missing')
    """
    try:
        value = cell_in(value)
    except (ReadError, TypeError, ValueError):  # of an earlier version: as it stands
        return clean(value, limit)
    if isinstance(value, str):
        return clean(value, limit) or "empty"
    value = plain(value)
    return clean(value, limit) if isinstance(value, str) else show(value)


def moment(seconds: float | None) -> str:
    """Return a moment as a `time` element, in UTC.

    >>> print(moment(0.0))
    <time datetime="1970-01-01T00:00:00Z">1970-01-01 00:00</time>
    """
    if seconds is None or not math.isfinite(seconds) or abs(seconds) > 2e11:
        return Markup("–")
    when = datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        f"{when:%Y-%m-%dT%H:%M:%SZ}", f"{when:%Y-%m-%d %H:%M}"
    )


def span(seconds: float) -> str:
    """Return a length of time in its largest unit.

    >>> span(0.4), span(61), span(7300)
    ('0.4 seconds', '1 minute', '2 hours')
    """
    if seconds < 1:
        return f"{max(seconds, 0):.1f} seconds"
    name, size = next(each for each in _SPANS if seconds >= each[1])
    number = int(seconds // size)
    return f"{number:,} {name}{'s' if number > 1 else ''}"


def ago(seconds: float, now: float) -> str:
    """Return how long ago a moment is, or in how long it comes."""
    if abs(now - seconds) < 1:
        return "just now"
    return f"{span(now - seconds)} ago" if seconds < now else f"in {span(seconds - now)}"


def due(seconds: float, now: float) -> str:
    """Return when something is to be done."""
    return "is due now" if seconds <= now else f"is due in {span(seconds - now)}"


def count(number: int, what: str = "") -> str:
    """Return how many there are, with the noun.

    >>> count(1, "row"), count(2500, "row"), count(3)
    ('1 row', '2,500 rows', '3')
    """
    several = f"{what[:-1]}ies" if what.endswith("ry") else f"{what}s"
    return f"{number:,} {what if number == 1 else several}" if what else f"{number:,}"


def score(value: float) -> str:
    """Return a score, with four digits: those of incidents differ late."""
    return f"{value:.4f}"


def share(part: float, whole: float) -> str:
    """Return a part of a whole in percent.

    >>> share(3, 1000), share(0, 10), share(1, 0)
    ('0.3 %', '0 %', '–')
    """
    return f"{100 * part / whole:.3g} %" if whole else "–"
