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
TOLD = 2  # features in which they differ, at most
LEVELS = ("mean", "highest", "lowest")  # features on the scale of the channel; others are sizes
PARTS = "mean of part"
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
    glance: PointFeatures, past: Sequence[Series], series: Series, segment: Segment, own: int | None
) -> SegmentExplanation:
    """Return what a range of a series is like.

    Parameters
    ----------
    past : the series that the glance was fitted to, in its order. own : which of them `series` is, if any.
    """
    x = glance.basis.standard(series.values)
    name = segment.channels[0][0]
    channel = series.names.index(name)
    peak = int(series.places[np.searchsorted(series.rows, segment.peak)])
    found = _oddest(glance, x, series, peak, own)
    if found is None:
        words = f"'{name}': there is no past to compare with"
        return SegmentExplanation(segment, name, 0, None, None, None, None, (), words)
    memory, at, place, apart = found
    there, start = past[int(memory.series[place])], int(memory.starts[place])
    rows = there.rows[(there.places >= start) & (there.places < start + memory.width)]
    told = _differences(memory, x, at, place, apart[channel], glance, channel)
    since = None if there.times is None else there.times[start]
    until = None if there.times is None else there.times[start + memory.width - 1]
    where = (
        f"rows {int(rows.min()):,} to {int(rows.max()):,}"
        if since is None and len(rows)
        else f"{str(since)[:19].replace('T', ' ')} to {str(until)[:19].replace('T', ' ')}"
    )
    differs = ", ".join(f"{d.feature} {d.here:.4g} instead of {d.there:.4g}" for d in told)
    words = f"'{name}' over {memory.width} points: nearest is {where}, where {differs}"
    return SegmentExplanation(
        segment,
        name,
        memory.width,
        int(rows.min()) if len(rows) else None,
        int(rows.max()) if len(rows) else None,
        since,
        until,
        told,
        words,
    )


def _oddest(
    glance: PointFeatures, x: Floats, series: Series, peak: int, own: int | None
) -> tuple[Memory, int, int, Floats] | None:
    """Return the memory, and the window over the peak, that is farthest from all it remembers.

    Then which of those is nearest, and how they differ (c, f).
    """
    best, found = -1.0, None
    shorter = tuple(width for width in reversed(WIDTHS) if width < min(LEADING))
    for width in (*LEADING, *shorter):
        if found is not None and width in shorter:  # for stretches that hold no wider one
            break
        reach = glance.patches.reach(width)
        starts = window_starts(series.stretches, width, strides(width))
        over = starts[(starts <= peak) & (peak < starts + width)]
        away = reach.away(x, over, own)
        if not np.isfinite(away).any():
            continue
        at = int(over[np.nanargmax(away)])
        nearest = reach.memory.nearest(x, at, own)
        if nearest is not None and (found is None or float(np.nanmax(away)) > best):
            best, found = float(np.nanmax(away)), (reach.memory, at, *nearest)
    return found


def _differences(
    memory: Memory, x: Floats, at: int, place: int, apart: Floats, glance: PointFeatures, channel: int
) -> tuple[Difference, ...]:
    here = describe(x[:, [channel]], np.array([at], dtype=np.int64), memory.width)[0, 0]
    past = glance.basis.values[int(memory.series[place])][:, [channel]]
    there = describe(past, memory.starts[[place]], memory.width)[0, 0]
    size, middle = float(glance.basis.scale[channel]), float(glance.basis.centre[channel])
    told = []
    for feature in np.argsort(-np.abs(apart), kind="stable")[:TOLD].tolist():
        shift = middle if FEATURES[feature] in LEVELS or FEATURES[feature].startswith(PARTS) else 0.0
        pair = [float(side[feature]) * size + shift for side in (here, there)]
        # What is left by rounding of a 0 is no difference to tell of.
        pair = [0.0 if abs(value) < ROUNDED * max(size, abs(shift)) else value for value in pair]
        told.append(Difference(feature_words(feature, memory.width), *pair))
    return tuple(told)
