"""Drawings as SVG, whose colours are in the style sheet; each says in words what it shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup, escape

from outlearn.explain.words import show
from outlearn.serving.page.words import count, score, share, span

__all__ = ["histograms", "run_bars", "strip", "timeline"]

FAR = 2.0  # widths of the usual range, from which on the line to a value is broken
WIDTH, HEIGHT = 300, 34  # of a strip
SCORED = ("score", "backfill")


def strip(reason: dict[str, Any]) -> Markup:
    """Draw a value among usual ones: a tick each, a band over nine tenths of them, a dot for the value.

    reason : as in the finding of an incident. Empty where the column is not of numbers.
    """
    usual, value = reason.get("strip") or [], reason.get("value")
    if len(usual) < 2 or not isinstance(value, int | float) or not math.isfinite(value):
        return Markup()
    low, high = usual[0], usual[-1]
    width = (high - low) or max(abs(low), 1.0)
    place, broken = _placed(float(value), low, high, width)
    ticks = [
        _element("line", {"class": "tick", "x1": _x(one, place), "x2": _x(one, place), "y1": 8, "y2": 20})
        for one in usual
    ]
    edges = [_x(usual[round(q * (len(usual) - 1))], place) for q in (0.05, 0.95)]
    band = _element(
        "rect",
        {"class": "band", "x": edges[0], "y": 6, "width": max(edges[1] - edges[0], 2), "height": 16, "rx": 2},
    )
    at = place["at"]
    breaks = [
        _element("path", {"class": "break", "d": f"M{broken + dx:.1f} 20l4 -12"}) for dx in (-4, 1) if broken
    ]
    line = _element("line", {"class": "axis", "x1": 4, "x2": WIDTH - 4, "y1": 14, "y2": 14})
    dot = _element("circle", {"class": "value", "cx": at, "cy": 14, "r": 5})
    ends = [
        _text(_x(low, place), HEIGHT - 2, show(low), "start"),
        _text(_x(high, place), HEIGHT - 2, show(high), "end"),
    ]
    words = f"{reason.get('shown', show(value))} among usual values from {show(low)} to {show(high)}"
    return _drawing("strip", WIDTH, HEIGHT, words, [line, band, *ticks, *breaks, dot, *ends])


def _placed(value: float, low: float, high: float, width: float) -> tuple[dict[str, float], float]:
    """Return where the usual range lies and where the value, and where the line between them is broken."""
    left, right = 8.0, WIDTH - 8.0
    usual = {"low": low, "width": width, "room": right - 90 - left}
    if value > high + FAR * width:
        return {**usual, "left": left, "at": right}, right - 45
    if value < low - FAR * width:
        return {**usual, "left": left + 90, "at": left}, left + 45
    least, most = min(value, low), max(value, high)
    scale = (right - left) / ((most - least) or 1.0)
    at, start = left + (value - least) * scale, left + (low - least) * scale
    return {"low": low, "width": width, "room": width * scale, "left": start, "at": at}, 0.0


def _x(value: float, place: dict[str, float]) -> float:
    return place["left"] + (value - place["low"]) / place["width"] * place["room"]


def timeline(rows: Sequence[Any]) -> Markup:
    """Draw the rows of an incident by time and score; empty where fewer than two have a time."""
    timed = [row for row in rows if row.time is not None]
    first, last = (min(row.time for row in timed), max(row.time for row in timed)) if timed else (0.0, 0.0)
    if len(timed) < 2 or first == last:
        return Markup()
    levels = [_element("line", {"class": "axis", "x1": 0, "x2": 640, "y1": y, "y2": y}) for y in (12, 48, 84)]
    dots = [_dot(row, 8 + (row.time - first) / (last - first) * 624) for row in timed]
    words = f"{count(len(timed), 'row')} by time and score, in {span(last - first)}"
    return _drawing("timeline", 640, 96, words, [*levels, *dots])


def _dot(row: Any, x: float) -> Markup:
    y = 84 - 72 * min(max(row.score, 0.0), 1.0)
    return _element(
        "circle", {"class": "value", "cx": x, "cy": y, "r": 4}, f"row {row.row}: {score(row.score)}"
    )


def run_bars(runs: Sequence[Any], rate: float | None = None) -> Markup:
    """Draw runs that judged rows, oldest first: how many rows each, and the share that it flagged.

    rate : the share that the rule aims at, as a line.
    """
    judged = [run for run in reversed(runs) if run.kind in SCORED and run.rows]
    if not judged:
        return Markup()
    step = min(28.0, 632 / len(judged))
    most = max(run.rows for run in judged)
    top = max([run.flagged / run.rows for run in judged] + [rate or 0.0]) or 1.0
    parts = [
        _bar(kind, 4 + place * step, step, size, base, run)
        for place, run in enumerate(judged)
        for kind, size, base in (("usual", run.rows / most, 60), ("flag", run.flagged / run.rows / top, 130))
    ]
    if rate:
        y = 130 - 56 * rate / top
        parts.append(_element("line", {"class": "aim", "x1": 0, "x2": 640, "y1": y, "y2": y}))
    words = (
        f"{count(len(judged), 'run')}, oldest first: above the rows, at most {count(most)}; below the share "
        f"that was flagged, at most {share(top, 1)}"
        + (f"; the dashed line is at {share(rate, 1)}" if rate else "")
    )
    drawing = _drawing("runs", 640, 132, words, parts, stretched=True)
    return Markup("<figure>{}<figcaption>{}.</figcaption></figure>").format(drawing, words)


def _bar(kind: str, x: float, step: float, size: float, base: int, run: Any) -> Markup:
    tall = max(56 * size, 1.0 if size else 0.0)
    box = {"class": kind, "x": x, "y": base - tall, "width": max(step - 3, 1), "height": tall}
    flagged = f"{run.flagged:,} flagged ({share(run.flagged, run.rows)})"
    return _element("rect", box, f"run {run.id}: {count(run.rows, 'row')}, {flagged}")


def histograms(earlier: Sequence[int], latest: Sequence[int], words: str) -> Markup:
    """Draw how scores are spread, as two outlines over the scores from 0 to 1, each of its own sum."""
    largest = max(_shares(earlier) + _shares(latest))
    parts = [
        _element("path", {"class": "area", "d": _outline(_shares(earlier), largest, 640, close=True)}),
        _element("path", {"class": "curve", "d": _outline(_shares(latest), largest, 640)}),
        _element("line", {"class": "axis", "x1": 0, "x2": 640, "y1": 110, "y2": 110}),
    ]
    return _drawing("spread", 640, 112, words, parts, stretched=True)


def _shares(counts: Sequence[int]) -> list[float]:
    """Return the square roots of shares: bars of few rows are seen too."""
    total = sum(counts) or 1
    return [math.sqrt(number / total) for number in counts]


def _outline(shares: Sequence[float], largest: float, width: int, *, close: bool = False) -> str:
    step = width / len(shares)
    points = [
        f"{x:.1f} {110 - 100 * one / (largest or 1.0):.1f}"
        for place, one in enumerate(shares)
        for x in (place * step, (place + 1) * step)
    ]
    path = "M" + "L".join(points)
    return f"{path}L{width} 110L0 110Z" if close else path


def _drawing(
    name: str, width: int, height: int, words: str, parts: Iterable[Markup], *, stretched: bool = False
) -> Markup:
    head = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}"{}>')
    ratio = Markup(' preserveAspectRatio="none"') if stretched else ""
    return head.format(name, width, height, words, ratio) + Markup("").join(parts) + Markup("</svg>")


def _element(name: str, attributes: dict[str, Any], title: str = "") -> Markup:
    written = Markup(" ").join(
        Markup('{}="{}"').format(key, f"{value:.1f}" if isinstance(value, float) else value)
        for key, value in attributes.items()
    )
    inner = Markup("<title>{}</title>").format(title) if title else ""
    return Markup("<{0} {1}>{2}</{0}>").format(name, written, inner)


def _text(x: float, y: float, words: str, anchor: str) -> Markup:
    attributes = Markup('x="{:.1f}" y="{:.1f}" text-anchor="{}"').format(x, y, anchor)
    return Markup("<text {}>{}</text>").format(attributes, escape(words))
