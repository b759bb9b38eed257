"""Why a range of a series is odd: the stretch of the past that comes nearest to it, and how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.data.series.series import Series
from outlearn.decisions.alarms import Segment
from outlearn.series.mixture import LEADING
from outlearn.series.neighbours import Memory, strides
from outlearn.series.patches import WIDTHS
from outlearn.series.point_features import PointFeatures
from outlearn.series.windows import FEATURES, describe, feature_words, window_starts

__all__ = ["Difference", "SegmentExplanation", "compare_with_past"]

Floats = NDArray[np.float64]
MOST_DIFFERENCES = 2  # features that an explanation names
LEVELS = ("mean", "highest", "lowest")  # features on the scale of the channel; others are sizes
SECTION_MEAN = "mean of part"  # begins the names of features that are means of a section of a window
ROUNDED = 1e-5  # of the spread or level of a channel, below which a value is 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A feature of a window, in words, as it is in the range and in the past, in the unit of the channel."""

    feature: str
    here: float
    there: float


@dataclass(frozen=True, slots=True)
class SegmentExplanation:
    """A range beside the past.

    channel : the one that differs most. width : points that were compared at once.
    start, end : rows of the reference that come nearest; None where there are none. since, until : their
        times, if known.
    differences : the largest first. sentence : the same in words.
    """

    segment: Segment
    channel: str
    width: int
    start: int | None
    end: int | None
    since: np.datetime64 | None
    until: np.datetime64 | None
    differences: tuple[Difference, ...]
    sentence: str


def compare_with_past(
    points: PointFeatures, past: Sequence[Series], series: Series, segment: Segment, own: int | None
) -> SegmentExplanation:
    """Return how a range of a series differs from the stretch of the past that comes nearest to it.

    Parameters
    ----------
    points : their features. past : the series that they were fitted to, in the same order.
    own : which of them `series` is, if any.
    """
    x = points.basis.standard(series.values)
    name = segment.channels[0][0]
    channel = series.names.index(name)
    peak = int(series.places[np.searchsorted(series.rows, segment.peak)])
    oddest = _oddest(points, x, series, peak, own)
    if oddest is None:
        words = f"'{name}': there is no past to compare with"
        return SegmentExplanation(segment, name, 0, None, None, None, None, (), words)
    memory, at, place, apart = oddest
    there, start = past[int(memory.series[place])], int(memory.starts[place])
    rows = there.rows[(there.places >= start) & (there.places < start + memory.width)]
    differences = _differences(memory, x, at, place, apart[channel], points, channel)
    since = None if there.times is None else there.times[start]
    until = None if there.times is None else there.times[start + memory.width - 1]
    where = (
        f"rows {int(rows.min()):,} to {int(rows.max()):,}"
        if since is None and len(rows)
        else f"{str(since)[:19].replace('T', ' ')} to {str(until)[:19].replace('T', ' ')}"
    )
    differs = ", ".join(f"{d.feature} {d.here:.4g} instead of {d.there:.4g}" for d in differences)
    words = f"'{name}' over {memory.width} points: nearest is {where}, where {differs}"
    return SegmentExplanation(
        segment,
        name,
        memory.width,
        int(rows.min()) if len(rows) else None,
        int(rows.max()) if len(rows) else None,
        since,
        until,
        differences,
        words,
    )


def _oddest(
    points: PointFeatures, x: Floats, series: Series, peak: int, own: int | None
) -> tuple[Memory, int, int, Floats] | None:
    """Return the memory that a window over the peak lies farthest from, and the start of that window.

    Then the place in the memory of the window nearest to it, and how the two differ (c, f). None where no
    window can be compared.
    """
    farthest, oddest = -1.0, None
    shorter = tuple(width for width in reversed(WIDTHS) if width < min(LEADING))
    for width in (*LEADING, *shorter):
        if oddest is not None and width in shorter:  # for stretches that hold no wider one
            break
        reach = points.patches.reach(width)
        starts = window_starts(series.stretches, width, strides(width))
        over = starts[(starts <= peak) & (peak < starts + width)]
        away = reach.away(x, over, own)
        if not np.isfinite(away).any():
            continue
        at = int(over[np.nanargmax(away)])
        nearest = reach.memory.nearest(x, at, own)
        if nearest is not None and (oddest is None or float(np.nanmax(away)) > farthest):
            farthest, oddest = float(np.nanmax(away)), (reach.memory, at, *nearest)
    return oddest


def _differences(
    memory: Memory, x: Floats, at: int, place: int, apart: Floats, points: PointFeatures, channel: int
) -> tuple[Difference, ...]:
    here = describe(x[:, [channel]], np.array([at], dtype=np.int64), memory.width)[0, 0]
    past = points.basis.values[int(memory.series[place])][:, [channel]]
    there = describe(past, memory.starts[[place]], memory.width)[0, 0]
    size, middle = float(points.basis.scale[channel]), float(points.basis.centre[channel])
    differences = []
    for feature in np.argsort(-np.abs(apart), kind="stable")[:MOST_DIFFERENCES].tolist():
        shift = middle if FEATURES[feature] in LEVELS or FEATURES[feature].startswith(SECTION_MEAN) else 0.0
        pair = [float(side[feature]) * size + shift for side in (here, there)]
        # What rounding leaves of a 0 is no difference worth a word.
        pair = [0.0 if abs(value) < ROUNDED * max(size, abs(shift)) else value for value in pair]
        differences.append(Difference(feature_words(feature, memory.width), *pair))
    return tuple(differences)
