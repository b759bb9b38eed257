"""Ranges of a series that are flagged: where, how odd, and which channels caused it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.data.series.series import Series
from outlearn.decisions.alarms import Segment, alarms

__all__ = ["MERGED", "ScoredSeries", "segments_above"]

Floats = NDArray[np.float64]
MOST_CHANNELS = 3  # that a segment names
LEAST_SHARE = 0.1  # of what is odd in a segment, for a channel to be named after the first
MERGED = 8  # points between two flagged ranges, up to which they are one


@dataclass(frozen=True, slots=True, eq=False)
class ScoredSeries:
    """A series, the anomaly score (n,) of each of its points, and its flagged ranges in order of time."""

    series: Series
    scores: Floats
    segments: list[Segment]


def segments_above(
    series: Series, scores: Floats, odd: Floats, threshold: float, merged: int
) -> list[Segment]:
    """Return the segments of a series whose points score at least the threshold, in order of time.

    scores : (n,). odd : (n, c) how odd each channel is, on one scale.
    """
    rows = np.full(len(series), -1, dtype=np.int64)
    rows[series.places[::-1]] = series.rows[::-1]  # the first of several rows of a point
    usual = np.median(odd, axis=0)
    segments = []
    for start, end in alarms(scores >= threshold, series.stretches, merged):
        own = np.flatnonzero(rows[start:end] >= 0) + start
        if not len(own):
            continue
        peak = int(own[scores[own].argmax()])
        above = np.maximum((odd[start:end] - usual).mean(axis=0), 0.0)
        shares = above / above.sum() if above.sum() > 0 else np.full(len(above), 1 / len(above))
        named = [int(c) for c in np.argsort(-shares, kind="stable")[:MOST_CHANNELS]]
        times = series.times
        segments.append(
            Segment(
                key=series.key,
                start=int(rows[own].min()),
                end=int(rows[own].max()),
                peak=int(rows[peak]),
                score=float(scores[peak]),
                since=None if times is None else times[own[0]],
                until=None if times is None else times[own[-1]],
                channels=tuple(
                    (series.names[c], float(shares[c]))
                    for i, c in enumerate(named)
                    if i == 0 or shares[c] >= LEAST_SHARE
                ),
            )
        )
    return segments
