"""Findings of series: one HTML page with a plot to look around in, and a few lines for a terminal."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn import __version__
from outlearn.decisions.alarms import Segment
from outlearn.explain.words import percent
from outlearn.findings.series import Panel, SeriesFindings
from outlearn.report.page import render
from outlearn.report.words import score
from outlearn.shown import clean, unbroken

__all__ = ["render_series", "series_text"]

Floats = NDArray[np.float64]
STEPS = 65_535  # levels of a value in the page
LISTED_RANGES = 50  # on the page


def render_series(findings: SeriesFindings) -> str:
    """Return the page.

    Raises
    ------
    MissingExtraError
        Without the packages of the extra ``report``.
    """
    values = {
        "version": __version__,
        "headline": _headline(findings),
        "source": str(findings.source),
        "reference": findings.reference and str(findings.reference),
        "promise": findings.promise,
        "threshold": score(findings.threshold),
        "segments": [
            _row(segment, findings.reasons, i) for i, segment in enumerate(findings.segments[:LISTED_RANGES])
        ],
        "more": max(len(findings.segments) - LISTED_RANGES, 0),
        "many": findings.series > 1,
        "panels": json.dumps([_panel(panel) for panel in findings.panels]).replace("<", "\\u003c"),
        "keys": [clean(panel.key, 60) for panel in findings.panels],
        "notes": findings.notes,
        "seconds": f"{findings.seconds:.1f}",
    }
    return render("series.html", values, script="series.js")


def series_text(findings: SeriesFindings, top: int) -> str:
    """Return the same in a few lines for a terminal."""
    compared = f", compared with {findings.reference}" if findings.reference else ""
    lines = [_headline(findings), f"Read: {findings.source}{compared}; {findings.seconds:.1f} s."]
    if findings.promise is not None:
        lines.append(f"{'Promise' if findings.promise.holds else 'No promise'}: {findings.promise.text}.")
    for i, segment in enumerate(findings.segments[:top]):
        row = _row(segment, findings.reasons, i)
        of = f"{row['key']}: " if findings.series > 1 else ""
        lines.append(f"{i + 1:3d}. {of}{row['where']}  score {row['score']}  {row['why'] or row['channels']}")
    if len(findings.segments) > top:
        lines.append(f"     and {len(findings.segments) - top:,} more")
    lines += [f" - {clean(note, 300)}" for note in findings.notes]
    return "\n".join(map(unbroken, lines))


def _headline(findings: SeriesFindings) -> str:
    count = len(findings.segments)
    ranges = "No range" if not count else f"{count:,} range{'s' if count > 1 else ''}"
    many = f" in {findings.series:,} series" if findings.series > 1 else ""
    share = percent(findings.flagged / max(findings.points, 1))
    return f"{ranges} of {findings.points:,} points{many} flagged ({findings.flagged:,} points, {share})"


def _row(segment: Segment, reasons: Sequence[str], place: int) -> dict[str, Any]:
    where = f"rows {segment.start:,} to {segment.end:,}"
    if segment.since is not None:
        where = f"{_moment(segment.since)} to {_moment(segment.until)} ({where})"
    return {
        "rank": place + 1,
        "key": clean(segment.key, 60),
        "where": where,
        "score": score(segment.score),
        "channels": ", ".join(f"{clean(name, 40)} {share:.0%}" for name, share in segment.channels),
        "why": clean(reasons[place], 400) if place < len(reasons) else "",
        "start": segment.start,
        "end": segment.end,
    }


def _moment(time: np.datetime64 | None) -> str:
    return str(time)[:19].replace("T", " ")


def _panel(panel: Panel) -> dict[str, Any]:
    """Return a panel for the page's script: numbers as 16-bit levels between the lowest and highest value."""
    channels = []
    for c, name in enumerate(panel.names):
        low, high = float(panel.low[:, c].min()), float(panel.high[:, c].max())
        channels.append(
            {
                "name": clean(name, 60),
                "from": low,
                "to": high,
                "low": _levels(panel.low[:, c], low, high),
                "high": _levels(panel.high[:, c], low, high),
            }
        )
    times = None if panel.times is None else panel.times.astype("datetime64[ms]").astype(np.int64)
    return {
        "key": clean(panel.key, 60),
        "channels": channels,
        "score": _levels(panel.scores, 0.0, 1.0),
        "rows": _packed(panel.rows.astype("<f8")),
        "times": None if times is None else _packed(times.astype("<f8")),
        "ranges": [[start, end] for start, end in panel.ranges],
    }


def _levels(values: Floats, low: float, high: float) -> str:
    size = high - low
    share = (values - low) / size if size > 0 else np.full(len(values), 0.5)
    return _packed(np.rint(np.clip(share, 0, 1) * STEPS).astype("<u2"))


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
