"""Level and threshold of the scores of series: a score of .5, a share, a rare tail or a promised rate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from outlearn.decisions.calibrate import Calibrator, shift_to
from outlearn.decisions.threshold import by_expected_f1
from outlearn.detectors.labelled_series import LabelledSeries
from outlearn.detectors.series_scorers import FLEET, RANKING
from outlearn.detectors.tie_margin import ROUNDING, calibrate_ranking, clear_of
from outlearn.ranges import runs
from outlearn.series.mixture import LEADING
from outlearn.series.point_features import without

__all__ = ["calibrate", "normal_stretches", "own_threshold"]

Scores = NDArray[np.float64]
RARE = 0.01  # share of the reference that a learner of a fleet flags


def calibrate(detector: str, raw: Scores, contamination: float | str) -> Calibrator:
    """Return the map to [0, 1] of raw scores, from those (n,) of points that are no known anomalies."""
    if detector in RANKING:
        return calibrate_ranking(raw, contamination)[0]
    if contamination == "auto":
        return Calibrator.from_logits()
    return Calibrator.from_logits(shift=shift_to(raw, float(contamination)))


def own_threshold(detector: str, scores: Scores, contamination: float | str, *, normal: bool) -> float:
    """Return the threshold where no rate was promised, from the anomaly scores (n,) of the reference.

    normal : whether all points of the reference are known to be normal.
    """
    if contamination != "auto":
        count = max(round(float(contamination) * len(scores)), 1)
        cut = float(np.sort(scores)[-count])
    elif detector in FLEET:  # whose scores have no level of their own
        cut = float(np.quantile(scores, 1 - RARE))
    elif detector in RANKING or normal or (scores >= 0.5).any():
        return 0.5
    else:
        cut = by_expected_f1(scores)
    return clear_of(cut, scores, ROUNDING)


def normal_stretches(known: LabelledSeries, scores: Scores) -> Iterator[tuple[Scores, list[tuple[int, int]]]]:
    """Yield the scores, of those (n,) of a series, in stretches that share no window with a known anomaly."""
    far = [(start - max(LEADING), end + max(LEADING)) for start, end in runs(known.labels == 1)]
    for start, end in without(known.series.stretches, far):
        yield scores[start:end], [(0, end - start)]
