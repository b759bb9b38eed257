"""Volume under the surface: ranking of the points of a series when labelled ranges have soft edges.

Paparrizos et al., "Volume under the surface", VLDB 2022, as the TSB-AD board computes it: 250 thresholds, all
edge widths from 0 to a window, the window read off the series by `edge_window`. Other packages compute other
figures under the same name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.decisions.checks import as_scores
from outlearn.errors import LabelError, ParameterError
from outlearn.evaluate.rows import binary_labels
from outlearn.ranges import runs

__all__ = ["Volume", "edge_window", "volume"]

Floats = NDArray[np.float64]
THRESHOLDS = 250
LAGS = 400  # of the autocorrelation that the window is read off
FIRST_LAG = 3
LONGEST = 300
USUAL = 125  # where the series has no period within reach
READ = 20_000  # points


@dataclass(frozen=True, slots=True)
class Volume:
    """VUS-ROC and VUS-PR, each in [0, 1], high = good."""

    roc: float
    pr: float


def edge_window(values: ArrayLike) -> int:
    """Return the widest soft edge for a series (n,): its period as TSB-AD reads it, in points.

    The lag, from 3 to 400, at which the autocorrelation of the first 20,000 points has its highest local
    peak; 125 where there is none up to 303. Of several channels the board takes the first.
    """
    x = np.asarray(values, dtype=np.float64)[:READ]
    curve = _autocorrelation(x, min(LAGS, len(x) - 1))[FIRST_LAG:]
    peaks = 1 + np.flatnonzero((curve[1:-1] > curve[:-2]) & (curve[1:-1] > curve[2:]))
    if not len(peaks):
        return USUAL
    best = int(peaks[np.argmax(curve[peaks])])
    return best + FIRST_LAG if 3 <= best <= LONGEST else USUAL


def _autocorrelation(x: Floats, lags: int) -> Floats:
    centred = x - x.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(x))) ** 2
    curve = np.fft.irfft(power)[: lags + 1]
    return np.asarray(curve / curve[0] if curve[0] > 0 else np.zeros_like(curve))


def volume(y: ArrayLike, scores: ArrayLike, window: int) -> Volume:
    """Return the volumes under the ROC and the precision-recall surface.

    Parameters
    ----------
    y : (n,) truth of each point, 1 anomaly, 0 normal; both must occur.
    scores : (n,) high = abnormal.
    window : widest soft edge; half of it lies before a range and half after.

    Raises
    ------
    LabelError
        When a label is not 0 or 1, or one of the classes is absent.
    InputError
        When lengths disagree or a score is not finite.
    ParameterError
        When the window is negative.
    """
    if window < 0:
        raise ParameterError(f"window={window}; wanted 0 or more points")
    values = as_scores(scores, "scores")
    truth = binary_labels(y, len(values))
    if not 0 < truth.sum() < len(truth):
        raise LabelError("the series needs both anomalous and normal points to tell how well they are ranked")
    n, inside = len(truth), truth == 1
    cuts = np.sort(values)[::-1][np.linspace(0, n - 1, THRESHOLDS).astype(int)]  # descending
    predicted = n - np.searchsorted(np.sort(values), cuts)
    first = np.searchsorted(-cuts, -values)  # the first threshold that each point reaches
    hits = _by_threshold(first[inside])
    edges = _Edges.of(truth, values, window // 2)
    roc = pr = 0.0
    for width in range(window + 1):
        near, weights = edges.weights(width)
        soft = _by_threshold(first[near], weights)
        positives = inside.sum() + soft / 2
        caught = (hits + soft) / positives
        recall = np.minimum(caught, 1.0) * edges.reached(width // 2, cuts)
        alarms = (predicted - hits - soft) / (n - positives)
        up, along = np.r_[0.0, recall, 1.0], np.r_[0.0, alarms, 1.0]
        roc += float(np.dot(np.diff(along), (up[1:] + up[:-1]) / 2))
        pr += float(np.dot(np.diff(up[:-1]), (hits + soft) / predicted))
    return Volume(roc / (window + 1), pr / (window + 1))


def _by_threshold(first: NDArray[np.int64], weights: Floats | None = None) -> Floats:
    """Return (THRESHOLDS,) the weight of the points that reach each threshold."""
    counts = np.bincount(first, weights=weights, minlength=THRESHOLDS)
    return np.cumsum(counts[:THRESHOLDS], dtype=np.float64)


@dataclass(frozen=True)
class _Edges:
    """Points outside the ranges, by distance.

    near : (m,) places of the points within reach of a range, the nearest first; distances : (m, 2) to the two
    nearest ranges. starts, ends : (r,) of the ranges, both inclusive. peaks : (reach + 1, r) highest score
    within each range widened so far.
    """

    near: NDArray[np.int64]
    distances: Floats
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    peaks: Floats

    @classmethod
    def of(cls, truth: NDArray[np.int8], scores: Floats, reach: int) -> _Edges:
        ranges = np.array(runs(truth), dtype=np.int64)
        starts, ends = ranges[:, 0], ranges[:, 1] - 1
        places = np.flatnonzero(truth == 0)
        after = np.searchsorted(starts, places)
        far = np.full(2, 2 * (len(truth) + reach))  # stands for a range beyond reach
        ahead = np.r_[starts, starts[-1] + far][after[:, None] + np.arange(2)] - places[:, None]
        behind = places[:, None] - np.r_[ends[0] - far, ends][after[:, None] + np.arange(2)]
        distances = np.sort(np.hstack([ahead, behind]), axis=1)[:, :2]
        kept = np.flatnonzero(distances[:, 0] <= reach)
        kept = kept[np.argsort(distances[kept, 0], kind="stable")]
        peaks = np.empty((reach + 1, len(ranges)))
        peaks[0] = np.maximum.reduceat(np.r_[scores, -np.inf], ranges.ravel())[::2]
        for h in range(1, reach + 1):
            sides = np.maximum(
                scores[np.maximum(starts - h, 0)], scores[np.minimum(ends + h, len(scores) - 1)]
            )
            peaks[h] = np.maximum(peaks[h - 1], sides)
        return cls(places[kept], distances[kept].astype(np.float64), starts, ends, peaks)

    def weights(self, width: int) -> tuple[NDArray[np.int64], Floats]:
        """Return the points that an edge of some width reaches, and how far each counts as anomalous."""
        reach = width // 2
        count = int(np.searchsorted(self.distances[:, 0], reach, side="right"))
        if not reach:
            return self.near[:0], np.empty(0)
        distances = self.distances[:count]
        shares = np.where(distances <= reach, np.sqrt(1 - np.minimum(distances, reach) / width), 0.0)
        return self.near[:count], np.minimum(shares.sum(axis=1), 1.0)

    def reached(self, reach: int, cuts: Floats) -> Floats:
        """Return (THRESHOLDS,) the share of the widened ranges, merged where they meet, that are found."""
        apart = self.ends[:-1] + reach < self.starts[1:] - reach
        peaks = np.maximum.reduceat(self.peaks[reach], np.r_[0, 1 + np.flatnonzero(apart)])
        share: Floats = (peaks[:, None] >= cuts).mean(axis=0)
        return share
