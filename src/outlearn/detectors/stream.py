"""A series scored point by point as it comes, in bounded memory, as the causal scores of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.errors import InputError
from outlearn.series.glance import CASE_WIDTHS, Glance, likeness_of
from outlearn.series.mixture import LEADING, LIKENESS, log_odds
from outlearn.series.neighbours import strides
from outlearn.series.patches import WIDTHS, log_of

if TYPE_CHECKING:
    from outlearn.detectors.series import SeriesDetector

__all__ = ["SeriesStream"]

Floats = NDArray[np.float64]
KEPT = max(*LEADING, *CASE_WIDTHS)  # points that a window needs
ROOM = 16 * KEPT  # points of the buffer, which is moved up when it is full
EARLY = tuple(width for width in WIDTHS if width <= KEPT)  # that count until a wider window has ended


class SeriesStream:
    """Scores one point after another. Make one with `SeriesDetector.stream`.

    The score of a point is that of `SeriesDetector.anomaly_score(X, causal=True)`: windows that have ended by
    then count, at each width the last of them.
    """

    def __init__(self, detector: SeriesDetector, glance: Glance) -> None:
        self._detector, self._glance, self._calibrator = detector, glance, detector.calibrator_
        self._counters = [detector.reader_.channels.index(name) for name in detector.reader_.counters]
        self.reset()

    def reset(self) -> None:
        """Forget the points so far, as after a gap; the next point is the first."""
        channels = self._glance.basis.channels
        self._buffer = np.zeros((ROOM, channels))
        self._end = self._seen = 0
        self._last = np.full(channels, np.nan)
        self._rare: dict[int, float] = {}  # by width, of the window that ended last
        self._alike: dict[int, float] = {}
        self._score = self._told()

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
            When the number of channels is another, or one is no number.
        """
        try:
            point = np.atleast_1d(np.asarray(x, dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise InputError(f"{x!r} came; wanted a number, or one of each channel") from error
        if point.shape != self._last.shape:
            names = ", ".join(self._detector.reader_.channels)
            raise InputError(
                f"a point of shape {point.shape} came; wanted {len(self._last)} numbers: {names}"
            )
        self._push(self._risen(point))
        if self._look():
            self._score = self._told()
        return self._score

    def _told(self) -> float:
        """Return the score by the windows that have ended."""
        odd, narrower = 0.0, 0.0
        for width in EARLY:  # where none of a width has ended yet, as a batch does
            narrower = self._rare.get(width, narrower)
            odd += narrower * (width in LEADING) / len(LEADING)
        odd += LIKENESS * max(self._alike.get(width, 0.0) for width in CASE_WIDTHS)
        return float(self._calibrator.apply(log_odds(np.array([odd])))[0])

    def _risen(self, point: Floats) -> Floats:
        """Return what is read of a point: increments of counters, the last value where one is missing."""
        point = np.where(np.isfinite(point), point, self._last)
        read = point.copy()
        for c in self._counters:
            rose = point[c] - self._last[c]
            read[c] = point[c] if rose < 0 else rose
        self._last = point
        # What is not known yet is as usual: the first increment of a counter, and values that are missing.
        return np.where(np.isfinite(read), read, self._glance.basis.centre)

    def _push(self, read: Floats) -> None:
        if self._end == ROOM:
            self._buffer[:KEPT] = self._buffer[ROOM - KEPT :]
            self._end = KEPT
        self._buffer[self._end] = self._glance.basis.standard(read)
        self._end += 1
        self._seen += 1

    def _look(self) -> bool:
        """Describe the windows that end here, of widths whose turn it is; say whether there are any."""
        glance, looked = self._glance, False
        early = self._seen <= KEPT
        for width in EARLY:
            cased = width in CASE_WIDTHS and bool(glance.cases)
            if self._seen < width or (self._seen - width) % strides(width):
                continue
            wider = any(other > width for other in self._rare)
            if not (early or width in LEADING or cased or not wider):
                continue
            looked = True
            x, start = self._buffer[self._end - width : self._end], np.zeros(1, dtype=np.int64)
            reach = glance.patches.reach(width)
            away = reach.memory.distances(x, start)
            rare = float(log_of((away - reach.level[0]) / reach.unit[0])[0])
            if np.isfinite(rare):
                self._rare[width] = rare
            if cased:
                like = likeness_of(away, glance.cases[CASE_WIDTHS.index(width)].distances(x, start))
                self._alike[width] = float(np.nan_to_num(like)[0])
        return looked
