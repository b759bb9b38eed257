"""How well ranges of a series are found: which of them at so many false alarms, how late, how near.

Point-adjusted scores are left out on purpose: a random score does well by them (Kim et al., AAAI 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.decisions.alarms import alarms
from outlearn.decisions.checks import as_scores
from outlearn.errors import LabelError, ParameterError
from outlearn.evaluate.rows import binary_labels
from outlearn.ranges import runs

__all__ = ["Affiliation", "Events", "affiliation", "events_at", "events_within"]

Floats = NDArray[np.float64]
MERGED = 8  # points between two alarms, up to which they are one
HOLD = 128  # points that an alarm stands for: a window
CUTS = 500  # thresholds that are tried, denser at the top


@dataclass(frozen=True, slots=True)
class Events:
    """The anomalous ranges of a series that one threshold finds.

    delays : of each range, in order, points from its start to the first that is flagged; None where none is.
    false_alarms : flagged ranges that touch no anomalous one; see `events_at`.
    threshold : points at or above it are flagged.
    """

    delays: tuple[int | None, ...]
    false_alarms: int
    threshold: float

    @property
    def recall(self) -> float:
        """Share of the ranges that were found."""
        return sum(delay is not None for delay in self.delays) / len(self.delays)


def events_at(
    y: ArrayLike, scores: ArrayLike, threshold: float, *, merged: int = MERGED, hold: int = HOLD
) -> Events:
    """Return the ranges that a threshold finds.

    A flagged range that touches no anomalous one is a false alarm, and one more for each further `hold`
    points that it lasts. One that does may reach `hold` points beyond; what lies farther off counts alike, so
    that flagging everything is no way to find all.

    Parameters
    ----------
    y : (n,) truth of each point, 1 anomaly, 0 normal. scores : (n,) high = abnormal.
    merged : points between two flagged ranges, up to which they are one alarm. hold : points that an alarm
        stands for, 1 or more.

    Raises
    ------
    LabelError
        When a label is not 0 or 1, or no point is anomalous.
    ParameterError
        When `hold` is less than 1.
    """
    _check_hold(hold)
    values, ranges = _ranges(y, scores)
    return _events_of(ranges, values, threshold, merged, hold)


def events_within(
    y: ArrayLike, scores: ArrayLike, false_alarms: int, *, merged: int = MERGED, hold: int = HOLD
) -> Events:
    """Return the most ranges that a threshold finds that raises at most so many false alarms.

    Thresholds are tried from the top down, until one raises more. Parameters and errors as for `events_at`;
    `ParameterError` when `false_alarms` is negative.
    """
    if false_alarms < 0:
        raise ParameterError(f"false_alarms={false_alarms}; wanted 0 or more")
    _check_hold(hold)
    values, ranges = _ranges(y, scores)
    falling = np.sort(values)[::-1]
    best = _events_of(ranges, values, np.inf, merged, hold)
    ranks = np.unique(np.geomspace(1, len(falling), CUTS).astype(np.int64))
    for cut in dict.fromkeys(falling[ranks - 1].tolist()):
        events = _events_of(ranges, values, cut, merged, hold)
        if events.false_alarms > false_alarms:
            break
        best = events
    return best


def _check_hold(hold: int) -> None:
    if hold < 1:
        raise ParameterError(f"hold={hold}; wanted 1 point or more")


def _ranges(y: ArrayLike, scores: ArrayLike) -> tuple[Floats, list[tuple[int, int]]]:
    values = as_scores(scores, "scores")
    ranges = runs(binary_labels(y, len(values)))
    if not ranges:
        raise LabelError("no point is anomalous; without a range there is nothing to find")
    return values, ranges


def _events_of(
    ranges: Sequence[tuple[int, int]], scores: Floats, threshold: float, merged: int, hold: int
) -> Events:
    flagged = scores >= threshold
    inside, near = np.zeros(len(scores), dtype=bool), np.zeros(len(scores), dtype=bool)
    delays: list[int | None] = []
    for start, end in ranges:
        own = flagged[start:end]
        delays.append(int(own.argmax()) if own.any() else None)
        inside[start:end] = True
        near[max(start - hold, 0) : end + hold] = True
    false = 0
    for a, b in alarms(flagged, [(0, len(flagged))], merged):
        beyond = runs(~near[a:b]) if inside[a:b].any() else [(a, b)]
        false += sum(-(-(end - start) // hold) for start, end in beyond)
    return Events(tuple(delays), false, threshold)


@dataclass(frozen=True, slots=True)
class Affiliation:
    """How near flagged points lie to anomalous ranges, against points drawn at random; each in [0, 1].

    Only beside the figures of a random score do these tell anything: its F1 is about .68.
    """

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total > 0 else 0.0


def affiliation(y: ArrayLike, flagged: ArrayLike) -> Affiliation:
    """Return the affiliation of flagged points with the anomalous ranges (Huet et al., KDD 2022).

    Each range has the zone of points that lie nearer to it than to another. Precision: for each flagged point
    of a zone, the chance that one drawn from the zone lies farther from the range; recall: for each point of
    the range, the chance that one drawn from the zone lies farther from it than the nearest flagged one does.
    Means over the zones; those without a flagged point have a recall of 0 and no precision.

    Parameters
    ----------
    y : (n,) 1 anomaly, 0 normal. flagged : (n,) true or false.
    """
    marks = np.asarray(flagged, dtype=np.float64)
    values, ranges = _ranges(y, marks)
    cuts = [0, *((a[1] + b[0]) // 2 for a, b in pairwise(ranges)), len(values)]
    precisions, recalls = [], []
    for (start, end), (first, last) in zip(ranges, pairwise(cuts), strict=True):
        places = np.flatnonzero(values[first:last] > 0) + first
        if not len(places):
            recalls.append(0.0)
            continue
        zone = np.arange(first, last)
        away = np.maximum(np.maximum(start - zone, zone - (end - 1)), 0)
        precisions.append(float(np.mean(_farther(away, away[places - first]))))
        inside = np.arange(start, end)
        after = np.searchsorted(places, inside)
        left = np.abs(inside - places[np.maximum(after - 1, 0)])
        right = np.abs(inside - places[np.minimum(after, len(places) - 1)])
        recalls.append(float(np.mean(_around(inside - first, np.minimum(left, right), len(zone)))))
    return Affiliation(float(np.mean(precisions)) if precisions else 0.0, float(np.mean(recalls)))


def _farther(away: NDArray[np.int64], asked: NDArray[np.int64]) -> Floats:
    """Return the chance that one of `away` (z,) is larger than each asked: equal ones by half, 1 at 0."""
    ordered = np.sort(away)
    above = len(ordered) - np.searchsorted(ordered, asked, side="right")
    equal = np.searchsorted(ordered, asked, side="right") - np.searchsorted(ordered, asked, side="left")
    return np.where(asked == 0, 1.0, (above + equal / 2) / len(ordered))


def _around(places: NDArray[np.int64], gaps: NDArray[np.int64], size: int) -> Floats:
    """Return the chance that a point of a zone of `size` lies farther off each place than its gap."""
    nearer = np.minimum(places, gaps - 1) + np.minimum(size - 1 - places, gaps - 1) + 1
    equal = (places >= gaps).astype(int) + (places + gaps < size)
    return np.where(gaps == 0, 1.0, (size - nearer - equal / 2) / size)
