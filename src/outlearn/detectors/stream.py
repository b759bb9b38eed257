"""A series scored point by point as it comes, in bounded memory, as the causal scores of a batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.data.series import SeriesReader
from outlearn.decisions.calibrate import Calibrator
from outlearn.errors import InputError
from outlearn.learners.series.transformer import SequenceScorer
from outlearn.series.latest import Latest
from outlearn.series.mixture import LEADING, LIKENESS, Mixture, log_odds
from outlearn.series.patches import WIDTHS

__all__ = ["SeriesStream"]

Floats = NDArray[np.float64]


class SeriesStream:
    """Scores one point after another. Make one with `SeriesDetector.stream`.

    The score of a point is that of `SeriesDetector.anomaly_score(X, causal=True)`: windows that have ended by
    then count, at each width the last of them.
    """

    def __init__(
        self, scorer: Mixture | SequenceScorer, calibrator: Calibrator, reader: SeriesReader
    ) -> None:
        self._scorer, self._calibrator, self._channels = scorer, calibrator, reader.channels
        self._counters = [reader.channels.index(name) for name in reader.counters]
        self.reset()

    def reset(self) -> None:
        """Forget the points so far, as after a gap; the next point is the first."""
        basis = self._scorer.point_features.basis
        self._last = np.full(basis.channels, np.nan)
        self._odd: _ByMixture | _ByNetwork = (
            _ByMixture(self._scorer) if isinstance(self._scorer, Mixture) else _ByNetwork(self._scorer)
        )

    @property
    def nbytes(self) -> int:
        """Bytes that the points kept take; the reference is the detector's."""
        return self._odd.nbytes

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
            names = ", ".join(self._channels)
            raise InputError(
                f"a point of shape {point.shape} came; wanted {len(self._last)} numbers: {names}"
            )
        standard = self._scorer.point_features.basis.standard(self._risen(point))
        return float(self._calibrator.apply(self._odd(standard))[0])

    def _risen(self, point: Floats) -> Floats:
        """Return what is read of a point: increments of counters, the last value where one is missing."""
        point = np.where(np.isfinite(point), point, self._last)
        read = point.copy()
        for c in self._counters:
            rose = point[c] - self._last[c]
            read[c] = point[c] if rose < 0 else rose
        self._last = point
        # What is not known yet is as usual: the first increment of a counter, and values that are missing.
        return np.where(np.isfinite(read), read, self._scorer.point_features.basis.centre)


class _ByMixture:
    """Log-odds (1,) of points as they come, on the scale of the basis, by the plain mixture."""

    def __init__(self, scorer: Mixture) -> None:
        self._latest = Latest(scorer.point_features, LEADING, shares=False)
        self._log_odds = log_odds(np.zeros(1))

    @property
    def nbytes(self) -> int:
        return self._latest.nbytes

    def __call__(self, point: Floats) -> Floats:
        if self._latest.push(point):
            odd = self._latest.rare()[0].mean() + LIKENESS * self._latest.likeness.max()
            self._log_odds = log_odds(np.array([odd]))
        return self._log_odds


class _ByNetwork:
    """The same by the network."""

    def __init__(self, scorer: SequenceScorer) -> None:
        self._scorer, self._past = scorer, scorer.past()
        self._latest = Latest(scorer.point_features, WIDTHS, shares=True)

    @property
    def nbytes(self) -> int:
        return self._latest.nbytes + self._past.nbytes

    def __call__(self, point: Floats) -> Floats:
        latest = self._latest
        latest.push(point)
        rare, likeness = latest.rare().astype(np.float32)[None], latest.likeness[None]
        seen = self._scorer.point_features.of_points(
            latest.point[None], latest.median()[None], latest.before[None], rare, likeness
        )
        return self._scorer.pooled(self._past.next(seen[0])[None])
