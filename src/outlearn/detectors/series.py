"""The detector of series: learnt across series, compared with a past or with the series itself."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from outlearn import plain
from outlearn.data.series import SeriesReader
from outlearn.decisions.alarms import AlarmRate
from outlearn.detectors.inputs import labels_to_fit, read_labels, read_series_frame
from outlearn.detectors.labelled_series import (
    LabelledSeries,
    hold_out,
    pack,
    point_labels,
    unheld,
    unpack,
    with_labels,
)
from outlearn.detectors.model_file import Arrays, State
from outlearn.detectors.parameters import check_contamination, drawn_seed
from outlearn.detectors.saved import (
    Saved,
    columns_state,
    kept_params,
    load_as,
    save,
    saved_class,
    with_params,
)
from outlearn.detectors.segments import MERGED
from outlearn.detectors.series_judge import SeriesJudge
from outlearn.detectors.series_scorers import (
    DISTANCES,
    PointScorer,
    Scorers,
    adapt_scorer,
    check_detector,
)
from outlearn.detectors.series_threshold import calibrate, normal_stretches, own_threshold
from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.rng import Seed
from outlearn.series.patches import WIDTHS

__all__ = ["SeriesDetector"]

Scores = NDArray[np.float64]
FEWEST_POINTS = 2
HELD_OUT_END = 0.3  # of each reference series, its end, where a promise needs it
TOO_SHORT = (
    f"the reference is too short: no two windows of {WIDTHS[0]} points in it lie apart, so nothing tells "
    "what is usual, and all points score alike"
)


@saved_class
class SeriesDetector(SeriesJudge, Saved):
    """Anomaly detector for series, whose rows are points in order of time.

    The situations are told apart by `y`, as in `Detector`: a past that is known to be normal (`y` all 0), a
    series that may hold anomalies (`y` None), and a few labelled ranges (1 where they lie). A point scores by
    what surrounds it, so unlike a row of a table it does not score the same alone.

    Parameters
    ----------
    detector : "distances" (`series.mixture`); "sequence", a transformer trained by `outlearn learn-series`,
        whose checkpoint `weights` names; a learner such as "maml" or "reptile", trained on alike machines by
        `outlearn learn-fleet`, with its `weights`; or a name in `series.pool.POOL`: those make no use of
        labels but for leaving labelled anomalies out of the reference. Scores of both rank.
    time_column, series_column : columns of a dataframe that hold the time of a point and the series that it
        belongs to; None where rows are in order, of one series. All other columns of numbers are channels.
    ignore : columns to leave out.
    contamination : share of anomalous points where it is known, in (0, 0.5]; "auto" as in `Detector`.
    false_alarms : alarms a day, such as 1, or "2/hour", that a normal series may raise; needs a time column
        and known normal points, the last 30 % of which are kept out to calibrate on.
    weights : path of a checkpoint, for "sequence" and learners.
    random_state : seed of all randomness.

    Attributes
    ----------
    reader_ : how tables are read. threshold_ : a point is flagged when its anomaly score is at least this.
    notes_ : sentences on what was set aside and repaired in the fit. promise_ : a `Promise`, or None.
    known_ : the series that were learnt from, with their labels; calibration_ : those kept out of that.
    scorers_ : what scores points. seed_ : the seed that was used.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.sin(np.arange(1200) / 5)
    >>> x[800:830] = 0.0
    >>> segments = SeriesDetector().fit(x).segments(x)
    >>> any(790 <= segment.peak <= 840 for segment in segments)
    True
    """

    model_kind: ClassVar[str] = "series"

    def __init__(
        self,
        detector: str = DISTANCES,
        *,
        time_column: str | None = None,
        series_column: str | None = None,
        ignore: Sequence[str] = (),
        contamination: float | str = "auto",
        false_alarms: float | str | None = None,
        weights: str | Path | None = None,
        random_state: Seed = None,
    ) -> None:
        self.detector = detector
        self.time_column = time_column
        self.series_column = series_column
        self.ignore = ignore
        self.contamination = contamination
        self.false_alarms = false_alarms
        self.weights = weights
        self.random_state = random_state

    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Learn what is usual.

        Parameters
        ----------
        X : (n,) or (n, c) array of one series, or a dataframe.
        y : (n,) 1 known anomaly, 0 known normal, -1 unlabelled; None when nothing is labelled.

        Raises
        ------
        InputError
            For a table from which nothing can be learnt; `LabelError` for labels outside their values.
        """
        rate = self._check_parameters()
        frame = read_series_frame(self, X, reset=True)
        labels = labels_to_fit(y, frame.height)
        if frame.height < FEWEST_POINTS:
            raise InputError(
                f"the series has {frame.height} points (n_samples = {frame.height}); "
                f"wanted {FEWEST_POINTS} or more"
            )
        self.seed_ = drawn_seed(self.random_state)
        self.reader_, set_aside = SeriesReader.fit(
            frame, time_column=self.time_column, series_column=self.series_column, ignore=self.ignore
        )
        all_series, repaired = self.reader_.read(frame)
        self.notes_ = (*set_aside, *repaired)
        known = [LabelledSeries(series, point_labels(series, labels)) for series in all_series]
        self.normal_ = bool((labels == 0).any() and not (labels == -1).any())
        self.calibration_: list[LabelledSeries] = []
        if rate is not None:
            if self.time_column is None or not self.normal_:
                raise ParameterError(
                    f"false_alarms={self.false_alarms!r} needs a time column and a past that is known to be "
                    "normal (y all 0)"
                )
            known, self.calibration_ = hold_out(known, HELD_OUT_END)
        if all((labelled.labels == 1).all() for labelled in known):
            raise LabelError(
                "all points are labelled anomalies, of those that are learnt from; wanted normal or "
                "unlabelled ones beside them"
            )
        return self._learn(known)

    def _learn(self, known: list[LabelledSeries]) -> Self:
        """Learn from series that were read already, and set the threshold anew."""
        rate = self._check_parameters()
        self.known_, self.scorers_ = known, Scorers.adapt(known, self.normal_, self._adapted)
        if not self.scorers_.tell:
            self.notes_ = tuple(dict.fromkeys((*self.notes_, TOO_SHORT)))
        raw = np.concatenate([self.scorers_.score(labelled.series)[0] for labelled in known])
        free = raw[np.concatenate([labelled.labels for labelled in known]) != 1]
        self.calibrator_ = calibrate(self.detector, free, self.contamination)
        self.support_scores_ = self.calibrator_.apply(free)
        self._set_threshold(rate)
        return self

    def _adapted(self, known: Sequence[LabelledSeries]) -> PointScorer:
        return adapt_scorer(self.detector, self.weights, known, normal=self.normal_, seed=self.seed_)

    def _set_threshold(self, rate: AlarmRate | None) -> None:
        if rate is None:
            scores, share = self.support_scores_, self.contamination
            self.threshold_ = own_threshold(self.detector, scores, share, normal=self.normal_)
            self.promise_ = None
            return
        normal = [
            stretch
            for kept in self.calibration_
            for stretch in normal_stretches(kept, self._scores(kept.series))
        ]
        if not normal:
            raise LabelError(
                "the points kept out to calibrate false alarms on are all labelled anomalies, or beside "
                "them; give a normal past that ends in normal points"
            )
        self.threshold_, self.promise_ = rate.threshold(normal, step=self.reader_.step, merged=MERGED)

    def _check_parameters(self) -> AlarmRate | None:
        check_detector(self.detector, self.weights)
        for column in (self.time_column, self.series_column):
            if not isinstance(column, str | None):
                raise ParameterError(f"a column of time or series is {column!r}; wanted its name, or None")
        if self.false_alarms is not None and self.contamination != "auto":
            raise ParameterError("contamination and false_alarms both set the threshold; give one of them")
        check_contamination(self.contamination)
        return None if self.false_alarms is None else AlarmRate.parse(self.false_alarms)

    def update(self, X: Any, y: ArrayLike) -> Self:
        """Return a detector that has also learnt from labelled points; this one stays as it is.

        The reader of tables and the threshold rule stay. Labels of a series that was learnt from are added to
        those it has; another series joins the reference with the ranges that it has labels for.

        Raises
        ------
        LabelError
            When no point carries a label of 1 or 0.
        """
        all_series, rows = self._series(X)
        labels = read_labels(y, rows)
        if not (labels >= 0).any():
            raise LabelError(
                "no label came: every value is -1; give 1 (anomaly) or 0 (normal) for some points"
            )
        # To learn from the points that were kept out would make them as usual as can be, and to learn twice
        # from the others would make all else odd: either way the promise would be void.
        held = (*self.calibration_, *self.known_) if self.calibration_ else ()
        known = list(self.known_)
        for series in all_series:
            known = with_labels(known, series, unheld(series, point_labels(series, labels), held))
        return copy(self)._learn(known)  # which replaces fitted attributes, and changes none in place

    def to_state(self) -> tuple[State, Arrays]:
        """Return what rebuilds the fitted detector: values that JSON can keep, and arrays by name.

        They hold the series that it learnt from, with the labels of their points. A checkpoint is kept by its
        path, and a seed replaces a generator.
        """
        check_is_fitted(self, "scorers_")
        params = kept_params(self)
        params["weights"] = None if self.weights is None else str(Path(self.weights).resolve())
        state = {
            "params": params,
            "reader": self.reader_.to_state(),
            **columns_state(self),
            "seed": self.seed_,
            "normal": self.normal_,
            "notes": list(self.notes_),
            "known": [labelled.series.key for labelled in self.known_],
            "calibration": [labelled.series.key for labelled in self.calibration_],
        }
        return state, {**pack("known", self.known_), **pack("calibration", self.calibration_)}

    @classmethod
    def from_state(cls, state: State, arrays: Arrays) -> Self:
        """Return the detector whose `to_state` gave these values and arrays.

        It learns from its series again, which with the same seed gives the same scores.

        Raises
        ------
        ValueError
            When a value or an array is missing or unfit; errors of other kinds where it does not fit the
            others.
        """
        detector = with_params(cls, state)
        reader = SeriesReader.from_state(plain.record(plain.entry(state, "reader"), "'reader'"))
        if (reader.time_column, reader.series_column) != (detector.time_column, detector.series_column):
            raise ValueError("its reader of tables has other columns of time or series than its parameters")
        apart = {reader.time_column, reader.series_column} - {None}
        if not apart <= set(getattr(detector, "feature_names_in_", ())):
            raise ValueError("its columns of time and series are none of its features")
        detector.seed_, detector.normal_ = plain.whole(state, "seed"), plain.flag(state, "normal")
        detector.notes_ = plain.texts(state, "notes")
        kept, known = (
            unpack(name, plain.texts(state, name), reader.names, arrays) for name in ("calibration", "known")
        )
        if not known:
            raise ValueError("it holds no series to compare with")
        if any((one.series.times is None) != (reader.time_column is None) for one in (*kept, *known)):
            raise ValueError("its series have times and its reader reads none, or the other way about")
        detector.reader_, detector.calibration_ = reader, kept
        return detector._learn(known)

    def save(self, path: str | Path) -> None:
        """Write the fitted detector to one file without pickle; it holds the series that it learnt from."""
        save(self, Path(path))

    @staticmethod
    def load(path: str | Path) -> SeriesDetector:
        """Read a detector written by `save`."""
        return load_as(SeriesDetector, Path(path))
