"""The plots of the page, as static SVG.

Raw rows never reach the plotting library: scores are counted here first. Colours are names of CSS
variables of the page, so a plot follows its light and its dark dress.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from outlearn.explain.words import percent
from outlearn.extras import require
from outlearn.findings.table import MapSample
from outlearn.report.profiles import ProfileWords
from outlearn.report.words import score, unique
from outlearn.shown import clean

__all__ = ["Histogram", "count_scores", "plot_histogram", "plot_map", "plot_profile", "plot_search"]

_WIDTH, _HEIGHT = 500, 310
_NAMED = 5  # rows on the map whose number is written beside them
_ROOM = (44, 14)  # pixels that the number of a row takes
_LOG_FROM = 100  # times that the tallest bin stands over the smallest before its axis becomes logarithmic


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of scores in bins, an edge of which is the threshold.

    edges : (b + 1,) scores.
    counts, flagged : (b,) rows in each bin, and how many of them are flagged; a bin holds its lower edge.
    threshold : the threshold where it lies in [0, 1], else None.
    width : of every bin but the outer ones.
    log : whether the counts differ so much that only a logarithmic axis shows them all.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    flagged: NDArray[np.int64]
    threshold: float | None
    width: float
    log: bool


def count_scores(scores: NDArray[np.float64], flagged: NDArray[np.bool_], threshold: float) -> Histogram:
    """Count the scores, and those of flagged rows, in bins that do not straddle the threshold.

    >>> counted = count_scores(np.array([0.1, 0.2, 0.9]), np.array([False, True, True]), 0.9)
    >>> int(counted.counts.sum()), int(counted.flagged.sum()), counted.log
    (3, 2, False)
    """
    finite = np.isfinite(scores)
    known = np.clip(scores[finite], 0.0, 1.0)
    count = 20 if known.size < 200 else 50
    mark = threshold if 0 <= threshold <= 1 else None
    anchor, steps = mark or 0.0, np.arange(1, count + 1) / count
    below, above = anchor - steps, anchor + steps
    # The bin at the threshold keeps its width even where that reaches past 1, or nobody could see it.
    ends = (0.0, anchor, max(1.0, anchor + 1 / count))
    edges = np.unique(np.concatenate([below[below > 1e-9], above[above < 1 - 1e-9], ends]))
    counts, hits = (np.histogram(part, edges)[0] for part in (known, known[flagged[finite]]))
    filled = counts[counts > 0]
    log = bool(filled.size and filled.max() > _LOG_FROM * filled.min())
    return Histogram(edges, counts, hits, mark, 1 / count, log)


def plot_histogram(histogram: Histogram) -> str:
    """Return the distribution of scores with the threshold as SVG."""
    alt = _altair()
    floor, most = (0.5 if histogram.log else 0), int(histogram.counts.max(initial=1))
    bars = [
        {"from": max(float(a), 0.0), "to": float(b), "low": low, "high": high, "colour": _colour(flag)}
        for a, b, n, f in zip(
            histogram.edges, histogram.edges[1:], histogram.counts, histogram.flagged, strict=False
        )
        # Flagged rows stand at the foot of a bar, where a logarithmic axis shows even one of thousands.
        for flag, low, high in ((True, floor, int(f)), (False, max(int(f), floor), int(n)))
        if high > low
    ]
    powers = [10**k for k in range(len(str(most)) + 1) if 10**k <= most]
    scale = alt.Scale(type="log", domain=[floor, 1.3 * most]) if histogram.log else alt.Scale(domainMin=0)
    axis = (
        alt.Axis(values=powers, format=",d", grid=True)
        if histogram.log
        else alt.Axis(format=",d", tickMinStep=1, tickCount=5, grid=True)
    )
    end = max(1.0, float(histogram.edges[-1]))
    chart: Any = (
        alt.Chart(alt.Data(values=bars))
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X(
                "from:Q",
                title="anomaly score",
                scale=alt.Scale(domain=[0, end], nice=False),
                axis=alt.Axis(grid=False, values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
            ),
            x2="to:Q",
            y=alt.Y("high:Q", title="rows", scale=scale, axis=axis),
            y2="low:Q",
            color=alt.Color("colour:N", scale=None),
        )
    )
    if histogram.threshold is not None:
        threshold = histogram.threshold
        mark = alt.Chart(alt.Data(values=[{"at": threshold, "words": f"threshold {score(threshold)}"}]))
        side = {"align": "right", "dx": -5} if threshold > 0.5 else {"align": "left", "dx": 5}
        chart = alt.layer(
            chart,
            mark.mark_rule(color="var(--ink)", strokeDash=[4, 3]).encode(x="at:Q"),
            mark.mark_text(baseline="top", fontSize=12, color="var(--ink)", **side).encode(
                x="at:Q", y=alt.value(2), text="words:N"
            ),
        )
    return _svg(chart.properties(width=_WIDTH, height=_HEIGHT))


def plot_map(sample: MapSample) -> str:
    """Return the map of rows as SVG; the highest scores among the flagged rows carry their row number."""
    alt = _altair()
    low, high = sample.xy.min(axis=0), sample.xy.max(axis=0)
    room = np.where(high > low, high - low, 1.0)
    # Whole tenths of a pixel keep a map of thousands of rows small.
    place = np.round((sample.xy - low) / room * np.array([_WIDTH, _HEIGHT]), 1)
    named = _named(place, sample)
    points = [
        {
            "x": float(x),
            "y": float(y),
            "flag": bool(flag),
            "colour": _colour(bool(flag)),
            "name": f"{int(row)}" if i in named else "",
        }
        for i, ((x, y), row, flag) in enumerate(zip(place, sample.rows, sample.flagged, strict=True))
    ]
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-12, _WIDTH + 12], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-16, _HEIGHT + 16], nice=False))
    layers = [
        alt.Chart(alt.Data(values=[p for p in points if p["flag"] is flag]))
        .mark_circle(size=size, opacity=opacity)
        .encode(x=x, y=y, color=alt.Color("colour:N", scale=None))
        for flag, size, opacity in ((False, 18, 0.5), (True, 42, 0.9))
    ]
    names = (
        alt.Chart(alt.Data(values=[p for p in points if p["name"]]))
        .mark_text(dy=-9, fontSize=11, fontWeight=600, color="var(--ink)")
        .encode(x=x, y=y, text="name:N")
    )
    return _svg(alt.layer(*layers, names).properties(width=_WIDTH + 24, height=_HEIGHT))


def _named(place: NDArray[np.float64], sample: MapSample) -> list[int]:
    """Return the positions of the highest flagged rows whose numbers do not lie on one another."""
    highest = np.argsort(-np.where(sample.flagged, sample.scores, -1.0), kind="stable")[: 2 * _NAMED]
    named: list[int] = []
    for i in highest.tolist():
        apart = all((np.abs(place[i] - place[j]) > _ROOM).any() for j in named)
        if sample.flagged[i] and apart:
            named.append(i)
    return named[:_NAMED]


def plot_profile(profile: ProfileWords) -> str:
    """Return the shares of usual and of flagged rows in each bin of a column as SVG."""
    alt = _altair()
    labels = list(unique(tuple(clean(label, 30) for label in profile.bins)))
    pairs = zip(labels, profile.usual_share, profile.flagged_share, strict=True)
    bars = [
        {
            "bin": label,
            "who": who,
            "share": share,
            "words": percent(share),
            "colour": _colour(who == "flagged"),
        }
        for label, usual, flagged in pairs
        for who, share in (("usual", usual), ("flagged", flagged))
    ]
    most = max(*profile.usual_share, *profile.flagged_share, 0.01)
    base = alt.Chart(alt.Data(values=bars)).encode(
        y=alt.Y(
            "bin:N",
            sort=labels,
            title=None,
            axis=alt.Axis(labelLimit=146, labelPadding=6, minExtent=150, maxExtent=150),
            scale=alt.Scale(paddingInner=0.25, paddingOuter=0.1),
        ),
        yOffset=alt.YOffset("who:N", sort=["usual", "flagged"]),
        x=alt.X("share:Q", axis=None, scale=alt.Scale(domain=[0, 1.35 * most], nice=False)),
    )
    chart = alt.layer(
        base.mark_bar().encode(color=alt.Color("colour:N", scale=None)),
        base.mark_text(align="left", dx=4, fontSize=10, color="var(--soft)").encode(text="words:N"),
    )
    return _svg(chart.properties(width=170, height=alt.Step(13)))


def plot_search(
    seen: Sequence[float | None], chosen: Sequence[bool], default: float | None, title: str
) -> str:
    """Return the measure of each trial, in their order, and the best so far, as SVG.

    Parameters
    ----------
    seen : the measure; None where a trial failed. default : that of the default. title : of the measure.
    """
    alt = _altair()
    known = [(number, value) for number, value in enumerate(seen, 1) if value is not None]
    points = [
        {"trial": number, "seen": value, "colour": _colour(chosen[number - 1])} for number, value in known
    ]
    best = accumulate((value for _, value in known), max)
    line = [{"trial": number, "best": value} for (number, _), value in zip(known, best, strict=True)]
    values = [value for _, value in known] + ([] if default is None else [default])
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.08 * ((high - low) or 1.0)
    x = alt.X(
        "trial:Q",
        title="trial",
        scale=alt.Scale(domain=[0.5, len(seen) + 0.5], nice=False),
        axis=alt.Axis(grid=False, tickMinStep=1, format="d"),
    )
    scale = alt.Scale(domain=[low - room, high + 2 * room], nice=False, zero=False)
    layers: list[Any] = [
        alt.Chart(alt.Data(values=line))
        .mark_line(interpolate="step-after", color="var(--soft)", strokeWidth=1.5)
        .encode(x=x, y=alt.Y("best:Q", title=title, scale=scale)),
        alt.Chart(alt.Data(values=points))
        .mark_circle(size=60, opacity=0.9)
        .encode(x=x, y=alt.Y("seen:Q", title=title, scale=scale), color=alt.Color("colour:N", scale=None)),
    ]
    if default is not None:
        mark = alt.Chart(alt.Data(values=[{"at": default, "words": "the default"}]))
        layers += [
            mark.mark_rule(color="var(--ink)", strokeDash=[4, 3]).encode(y=alt.Y("at:Q", scale=scale)),
            mark.mark_text(align="right", dy=-6, fontSize=12, color="var(--ink)").encode(
                x=alt.value(2 * _WIDTH - 60), y=alt.Y("at:Q", scale=scale), text="words:N"
            ),
        ]
    return _svg(alt.layer(*layers).properties(width=2 * _WIDTH - 60, height=200))


def _colour(flagged: bool) -> str:
    return "var(--flag)" if flagged else "var(--usual)"


def _altair() -> Any:
    return require("altair", extra="report")


def _svg(chart: Any) -> str:
    """Return the SVG of a chart, without a background of its own and without roles for each single mark."""
    drawn = (
        chart.configure(background="transparent", aria=False)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor="var(--soft)",
            titleColor="var(--soft)",
            titleFontWeight="normal",
            labelFontSize=12,
            titleFontSize=12,
            gridColor="var(--line)",
            domainColor="var(--line)",
            tickColor="var(--line)",
        )
    )
    converter = require("vl_convert", extra="report")
    return cast("str", converter.vegalite_to_svg(drawn.to_dict()))
