"""How a fitted detector of series judges tables: scores, ranges, reasons, and points as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from outlearn.data.series import Series, SeriesReader
from outlearn.decisions.alarms import Segment
from outlearn.decisions.calibrate import Calibrator
from outlearn.detectors.inputs import read_series_frame
from outlearn.detectors.outlier_mixin import SignedOutlierMixin
from outlearn.detectors.segments import MERGED, ScoredSeries, segments_above
from outlearn.detectors.series_reasons import SegmentExplanation, compare_with_past
from outlearn.detectors.series_scorers import CausalScorer, Scorers
from outlearn.detectors.stream import SeriesStream
from outlearn.errors import ParameterError

__all__ = ["SeriesJudge"]

Scores = NDArray[np.float64]


class SeriesJudge(SignedOutlierMixin):
    """The judging half of `SeriesDetector`, which learns what these attributes hold."""

    detector: str
    reader_: SeriesReader
    scorers_: Scorers
    calibrator_: Calibrator

    def _series(self, X: Any) -> tuple[list[Series], int]:
        """Return the series of a table, and how many rows it has."""
        check_is_fitted(self, "scorers_")
        frame = read_series_frame(self, X, reset=False)
        series, _ = self.reader_.read(frame)
        return series, frame.height

    def anomaly_score(self, X: Any, *, causal: bool = False) -> Scores:
        """Return (m,) scores in [0, 1] of the rows, high = abnormal; 0 for rows of no point.

        causal : whether only what lies before a point counts, as in `stream`; only "distances" and
            "sequence" can do that.
        """
        all_series, rows = self._series(X)
        scores = np.zeros(rows)
        for series in all_series:
            of_points = self._causal_scores(series) if causal else self._scores(series)
            scores[series.rows] = of_points[series.places]
        return scores

    def _scores(self, series: Series) -> Scores:
        """Return the anomaly scores (n,) of the points of a series."""
        return self.calibrator_.apply(self.scorers_.score(series)[0])

    def _causal_scores(self, series: Series) -> Scores:
        raw, _ = self._causal(series.key).channels(series, causal=True)
        return self.calibrator_.apply(raw)

    def _causal(self, key: str) -> CausalScorer:
        scorer = self.scorers_.of_key(key)
        if not isinstance(scorer, CausalScorer):
            raise ParameterError(
                f"detector is {self.detector!r}, which judges whole series; wanted 'distances' or 'sequence' "
                "to go point by point"
            )
        return scorer

    def stream(self, key: str = "") -> SeriesStream:
        """Return a scorer of points as they come, of a series that was learnt from or a new one.

        Raises
        ------
        ParameterError
            When the detector is another than "distances" and "sequence".
        """
        check_is_fitted(self, "scorers_")
        return SeriesStream(self._causal(key), self.calibrator_, self.reader_)

    def segments(self, X: Any) -> list[Segment]:
        """Return the ranges that are flagged, the oddest first."""
        flagged = [segment for scored in self.score_series(X) for segment in scored.segments]
        return sorted(flagged, key=lambda segment: -segment.score)

    def score_series(self, X: Any) -> Iterator[ScoredSeries]:
        """Yield each series of a table with the scores of its points and its flagged ranges."""
        all_series, _ = self._series(X)
        for series in all_series:
            raw, odd = self.scorers_.score(series)
            scores = self.calibrator_.apply(raw)
            yield ScoredSeries(series, scores, segments_above(series, scores, odd, self.threshold_, MERGED))

    def explain(self, X: Any, segments: Sequence[Segment] | None = None) -> list[SegmentExplanation]:
        """Return why ranges are odd: in which channel, beside which stretch of the past, in what they differ.

        segments : of `segments(X)`; all of them by default.
        """
        by_key = {series.key: series for series in self._series(X)[0]}
        reasons = []
        for segment in self.segments(X) if segments is None else segments:
            series = by_key[segment.key]
            scorer, mates, own = self.scorers_.of(series)
            past = [mate.series for mate in mates]
            reasons.append(compare_with_past(scorer.point_features, past, series, segment, own))
        return reasons
