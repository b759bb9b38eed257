"""Findings of series, as values without a word of rendering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.decisions.alarms import Segment
from outlearn.decisions.promise import Promise
from outlearn.findings.table import Origin

__all__ = ["BINS", "Panel", "SeriesFindings", "panel_of"]

Floats = NDArray[np.float64]
BINS = 40_000  # bins that a plot holds of a channel: each shows its lowest and highest value
PLOTTED = 6  # channels of a series


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
    """The outcome of one run over the series of a table.

    source, reference : what was read, and what it was compared with; None where that are the same rows.
    points, flagged : counts. series : how many series there are.
    threshold : the score in [0, 1] from which a point is flagged.
    segments : ranges that are flagged, the oddest first; reasons : a sentence for each of the first of them.
    panels : the series with the oddest ranges, thinned for a plot.
    promise : None where none was asked for. seconds : wall time.
    """

    source: Origin
    reference: Origin | None
    points: int
    series: int
    flagged: int
    threshold: float
    segments: tuple[Segment, ...]
    reasons: tuple[str, ...]
    panels: tuple[Panel, ...]
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
    width = -(-len(values) // BINS)
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
