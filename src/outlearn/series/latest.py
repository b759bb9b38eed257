"""The latest points of a series as it comes, compared by the windows that have ended by then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from outlearn.series.neighbours import strides
from outlearn.series.patches import WIDTHS
from outlearn.series.point_features import BESIDE, CASE_WIDTHS, PointFeatures, likeness_of

__all__ = ["Latest", "early"]

Floats = NDArray[np.float64]
ROOM = 16  # times the points that a window needs, which the buffer holds before it is moved up


def early(widths: Sequence[int]) -> tuple[int, ...]:
    """Return the widths that count until windows of these have ended, and these."""
    return tuple(width for width in WIDTHS if width <= max(widths))


class Latest:
    """The causal `Patches.profile` and `PointFeatures.likeness` of the last point, kept up to date.

    Parameters
    ----------
    widths : of `WIDTHS`, whose windows count. shares : whether each channel is compared too.
    """

    def __init__(self, features: PointFeatures, widths: Sequence[int], *, shares: bool) -> None:
        channels = features.basis.channels
        self._features, self._widths, self._shares = features, widths, shares
        self._early = early((*widths, *CASE_WIDTHS) if features.cases else widths)
        self._kept = max(self._early)
        self._buffer = np.zeros((ROOM * self._kept, channels))
        self._end = self._seen = 0
        self._rare = np.zeros((len(self._early), 1 + channels if shares else 1))
        self._known = np.zeros(len(self._early), dtype=np.bool_)
        self.likeness = np.zeros(len(CASE_WIDTHS))

    @property
    def nbytes(self) -> int:
        """Bytes of the points that are kept."""
        return int(self._buffer.nbytes)

    @property
    def point(self) -> Floats:
        """The last point (c,)."""
        return np.asarray(self._buffer[self._end - 1])

    @property
    def before(self) -> Floats:
        """The point (c,) before the last one; the first has itself."""
        return np.asarray(self._buffer[self._end - min(self._seen, 2)])

    def median(self) -> Floats:
        """Return (c,) as `point_features.latest_median` does."""
        latest = self._buffer[max(self._end - min(self._seen, BESIDE), 0) : self._end]
        if len(latest) < BESIDE:
            latest = np.concatenate([np.repeat(latest[:1], BESIDE - len(latest), axis=0), latest])
        return np.asarray(np.partition(latest, BESIDE // 2, axis=0)[BESIDE // 2])

    def rare(self) -> Floats:
        """Return how rare the last point is at each width, in all and in each channel: (1 or 1 + c, w).

        Where none of a width has ended yet the next narrower one counts, as in a batch; 0 where none has.
        """
        rare = np.zeros((self._rare.shape[1], len(self._widths)))
        for w, width in enumerate(self._widths):
            place = self._early.index(width)
            ended = np.flatnonzero(self._known[: place + 1])
            if len(ended):
                rare[:, w] = self._rare[ended[-1]]
        return rare

    def push(self, point: Floats) -> bool:
        """Take the next point (c,), on the scale of the basis; return whether a window that counts ended."""
        if self._end == len(self._buffer):
            self._buffer[: self._kept] = self._buffer[self._end - self._kept :]
            self._end = self._kept
        self._buffer[self._end] = point
        self._end += 1
        self._seen += 1
        looked = False
        for place, width in enumerate(self._early):
            if self._seen < width or (self._seen - width) % strides(width):
                continue
            cased = width in CASE_WIDTHS and bool(self._features.cases)
            if width in self._widths or cased or not self._known[place + 1 :].any():
                self._look(place, width, cased)
                looked = True
        return looked

    def _look(self, place: int, width: int, cased: bool) -> None:
        """Take in the window of a width that ends at the last point."""
        x, start = self._buffer[self._end - width : self._end], np.zeros(1, dtype=np.int64)
        reach = self._features.patches.reach(width)
        if self._shares:
            away, by_channel = reach.memory.by_channel(x, start)
            rare = reach.rare_of(np.column_stack([away, by_channel]))[0]
        else:
            away = reach.memory.distances(x, start)
            rare = reach.rare_of(away[:, None])[0]
        if np.isfinite(rare[0]):
            self._rare[place], self._known[place] = rare, True
        if cased:
            case = CASE_WIDTHS.index(width)
            like = self._features.cases[case].distances(x, start)
            self.likeness[case] = np.nan_to_num(likeness_of(away, like))[0]
