"""A series scored point by point as it comes, in bounded memory, as the causal scores of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.errors import InputError
from outlearn.series.glance import CASE_WIDTHS, Glance, likeness_of
from outlearn.series.mixture import WEIGHTS, pooled
from outlearn.series.neighbours import strides
from outlearn.series.patches import WIDTHS

if TYPE_CHECKING:
    from outlearn.detectors.series import SeriesDetector

__all__ = ["SeriesStream"]

Floats = NDArray[np.float64]
KEPT = max(*WIDTHS, *CASE_WIDTHS)  # points that a window needs
ROOM = 16 * KEPT  # points of the buffer, which is moved up when it is full
LEADING = tuple(w for w, weight in enumerate(WEIGHTS[: len(WIDTHS)]) if weight)


class SeriesStream:
    """Scores one point after another. Make one with `SeriesDetector.stream`.

    The score of a point is that of `SeriesDetector.anomaly_score(X, causal=True)`: windows that have ended by
    then count, at each width the last of them.
    """

    def __init__(self, detector: SeriesDetector, glance: Glance) -> None:
        self._detector, self._glance = detector, glance
        self._counters = [detector.reader_.channels.index(name) for name in detector.reader_.counters]
        self.reset()

    def reset(self) -> None:
        """Forget the points so far, as after a gap; the next point is the first."""
        channels = self._glance.basis.channels
        self._buffer = np.zeros((ROOM, channels))
        self._end = self._seen = 0
        self._last = np.full(channels, np.nan)
        self._distances = np.full((channels, len(WIDTHS)), np.nan)
        self._likeness = np.full((channels, len(CASE_WIDTHS)), np.nan)

    @property
    def nbytes(self) -> int:
        """Bytes that the points kept take; the reference is the detector's."""
        return int(self._buffer.nbytes)

    def score_next(self, x: ArrayLike) -> float:
        """Return the anomaly score, in [0, 1], of the next point.

        Parameters
        ----------
        x : a number, or (c,) numbers in the order of the channels that were learnt from; a missing one (NaN)
            is taken to be as the last.

        Raises
        ------
        InputError
            When the number of channels is another.
        """
        point = np.atleast_1d(np.asarray(x, dtype=np.float64))
        if point.shape != self._last.shape:
            names = ", ".join(self._detector.reader_.channels)
            raise InputError(
                f"a point of shape {point.shape} came; wanted {len(self._last)} numbers: {names}"
            )
        self._push(self._risen(point))
        self._look()
        told = self._distances.copy()
        for w in range(1, len(WIDTHS)):  # as a batch does where no window of a width has ended yet
            told[:, w] = np.where(np.isnan(told[:, w]), told[:, w - 1], told[:, w])
        odd = np.nan_to_num(told) @ np.array(WEIGHTS[: len(WIDTHS)])
        odd += WEIGHTS[-1] * np.nan_to_num(self._likeness).max(axis=1)
        return float(self._detector.calibrator_.apply(pooled(odd[None]))[0])

    def _risen(self, point: Floats) -> Floats:
        """Return what is read of a point: increments of counters, the last value where one is missing."""
        point = np.where(np.isfinite(point), point, self._last)
        read = point.copy()
        for c in self._counters:
            rose = point[c] - self._last[c]
            read[c] = point[c] if rose < 0 else rose
        self._last = point
        return np.nan_to_num(read)

    def _push(self, read: Floats) -> None:
        if self._end == ROOM:
            self._buffer[:KEPT] = self._buffer[ROOM - KEPT :]
            self._end = KEPT
        self._buffer[self._end] = self._glance.basis.standard(read)
        self._end += 1
        self._seen += 1

    def _look(self) -> None:
        """Describe the windows that end here, of widths whose turn it is."""
        patches = self._glance.patches
        early = self._seen <= KEPT
        for w, width in enumerate(WIDTHS):
            cased = width in CASE_WIDTHS and bool(self._glance.cases)
            if self._seen < width or (self._seen - width) % strides(width):
                continue
            if not (early or w in LEADING or cased):
                continue
            start = np.array([self._end - width], dtype=np.int64)
            for c, row in enumerate(patches.memories):
                x = self._buffer[: self._end, c]
                away = row[w].distances(x, start)
                rare = (away[0] - patches.level[c, w]) / patches.unit[c, w]
                self._distances[c, w] = np.log1p(max(rare, 0.0)) if np.isfinite(rare) else np.nan
                if cased:
                    k = CASE_WIDTHS.index(width)
                    like = self._glance.cases[c][k].distances(x, start)
                    self._likeness[c, k] = likeness_of(away, like)[0]
