"""What was found in series: one HTML page with a plot to look around in, and a few lines for a terminal."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn import __version__
from outlearn.decisions.alarms import Segment
from outlearn.decisions.decision import Promise
from outlearn.report.page import render
from outlearn.report.words import clean, percent, score

__all__ = ["Panel", "SeriesFindings", "panel_of", "render_series", "series_text"]

Floats = NDArray[np.float64]
COLUMNS = 40_000  # bins that a plot holds of a channel: each shows its lowest and highest value
STEPS = 65_535  # levels of a value in the page
PLOTTED = 6  # channels of a series
LISTED = 50  # ranges on the page


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One series, thinned for a plot.

    names : of the channels shown. low, high : (b, k) lowest and highest value of each in each bin.
    scores : (b,) highest anomaly score. times : (b,) of the bins' first points, None without times.
    rows : (b,) of the same. ranges : (start, end) in bins of what is flagged.
    """

    key: str
    names: tuple[str, ...]
    low: Floats
    high: Floats
    scores: Floats
    rows: NDArray[np.int64]
    times: NDArray[np.datetime64] | None
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class SeriesFindings:
    """What the page tells.

    segments : what is flagged, the oddest first; reasons : a sentence for each of the first of them.
    points, flagged : counts. promise : None where none was asked for.
    """

    source: str
    reference: str | None
    points: int
    series: int
    flagged: int
    threshold: float
    segments: list[Segment]
    reasons: list[str]
    panels: list[Panel]
    promise: Promise | None
    notes: tuple[str, ...]
    seconds: float


def panel_of(
    key: str,
    names: Sequence[str],
    values: Floats,
    scores: Floats,
    rows: NDArray[np.int64],
    times: NDArray[np.datetime64] | None,
    ranges: Sequence[tuple[int, int]],
    first: Sequence[int],
) -> Panel:
    """Return a panel of a series (n, c).

    rows : (n,) row of each point. ranges : (start, end) in points. first : channels to show first.
    """
    order = [*dict.fromkeys([*first, *range(values.shape[1])])][:PLOTTED]
    width = -(-len(values) // COLUMNS)
    at = np.arange(0, len(values), width)
    shown = values[:, order]
    return Panel(
        key,
        tuple(names[c] for c in order),
        np.minimum.reduceat(shown, at),
        np.maximum.reduceat(shown, at),
        np.maximum.reduceat(scores, at),
        rows[at],
        None if times is None else times[at],
        tuple((start // width, (end - 1) // width + 1) for start, end in ranges),
    )


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
        "source": findings.source,
        "reference": findings.reference,
        "promise": findings.promise,
        "threshold": score(findings.threshold),
        "segments": [
            _row(segment, findings.reasons, i) for i, segment in enumerate(findings.segments[:LISTED])
        ],
        "more": max(len(findings.segments) - LISTED, 0),
        "many": findings.series > 1,
        "panels": json.dumps([_panel(panel) for panel in findings.panels]).replace("<", "\\u003c"),
        "keys": [clean(panel.key, 60) for panel in findings.panels],
        "notes": findings.notes,
        "seconds": f"{findings.seconds:.1f}",
    }
    return render("series.html", values)


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
    return "\n".join([*lines, *(f" - {clean(note, 300)}" for note in findings.notes)])


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
    """Return what the page's script draws: numbers as 16-bit levels between the lowest and highest value."""
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
        "ranges": [list(each) for each in panel.ranges],
    }


def _levels(values: Floats, low: float, high: float) -> str:
    size = high - low
    share = (values - low) / size if size > 0 else np.full(len(values), 0.5)
    return _packed(np.rint(np.clip(share, 0, 1) * STEPS).astype("<u2"))


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
