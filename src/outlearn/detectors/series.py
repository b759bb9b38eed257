"""The detector of series: learnt across series, compared with a past or with the series itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, validate_data

from outlearn.data.series import Series, SeriesReader
from outlearn.decisions.alarms import AlarmRate, Segment
from outlearn.decisions.calibrate import Calibrator, shift_to
from outlearn.decisions.threshold import by_expected_f1
from outlearn.detectors.inputs import as_frame, read_labels
from outlearn.detectors.labelled_series import Known, part, point_labels
from outlearn.detectors.outlier_mixin import SignedOutlierMixin
from outlearn.detectors.segments import segments_above
from outlearn.detectors.series_reasons import Comparison, compare_with_past
from outlearn.detectors.stream import SeriesStream
from outlearn.detectors.tie_margin import ROUNDING, calibrate_ranking, clear_of
from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.learners.catalogue import CATALOGUE
from outlearn.learners.fleet import FleetScorer
from outlearn.learners.pretrained import load_table_learner
from outlearn.learners.sequence import SequenceScorer, load_sequence
from outlearn.ranges import runs
from outlearn.rng import Seed, generator
from outlearn.series.basis import Basis
from outlearn.series.glance import Glance, without
from outlearn.series.mixture import LEADING, Mixture
from outlearn.series.patches import WIDTHS
from outlearn.series.pool import POOL, PoolScorer

__all__ = ["DISTANCES", "FLEET", "MERGED", "Scored", "SeriesDetector"]

Scores = NDArray[np.float64]
DISTANCES, SEQUENCE = "distances", "sequence"
FLEET = tuple(
    n for n, kind in CATALOGUE.items() if kind.family in ("gradient", "metric")
)  # trained on one's own machines
RANKING = (*FLEET, *sorted(POOL))  # whose scores rank and are no log-odds
PointScorer = Mixture | SequenceScorer | FleetScorer | PoolScorer
FEWEST = 2  # points
ALONE = 256  # points of a series from which on it is compared with its own past, not with that of all
HELD_OUT = 0.3  # of each reference series, its end, where a promise needs it
TOO_SHORT = (
    f"the reference is too short: no two windows of {WIDTHS[0]} points in it lie apart, so nothing tells "
    "what is usual, and all points score alike"
)
RARE = 0.01  # share of the reference that a learner of a fleet flags
MERGED = 8  # points between two flagged ranges, up to which they are one


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A series, the anomaly score (n,) of each of its points, and its flagged ranges in order of time."""

    series: Series
    scores: Scores
    segments: list[Segment]


class SeriesDetector(SignedOutlierMixin):
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

    Examples
    --------
    >>> import numpy as np
    >>> x = np.sin(np.arange(1200) / 5)
    >>> x[800:830] = 0.0
    >>> found = SeriesDetector().fit(x).segments(x)
    >>> any(790 <= each.peak <= 840 for each in found)
    True
    """

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
        frame = self._frame(X, reset=True)
        labels = read_labels(y, frame.height)
        if frame.height < FEWEST:
            raise InputError(
                f"the series has {frame.height} points (n_samples = {frame.height}); wanted {FEWEST} or more"
            )
        self.seed_ = int(generator(self.random_state).integers(2**31 - 1))
        self.reader_, told = SeriesReader.fit(
            frame, time_column=self.time_column, series_column=self.series_column, ignore=self.ignore
        )
        found, repaired = self.reader_.read(frame)
        self.notes_ = (*told, *repaired)
        known = [Known(each, point_labels(each, labels)) for each in found]
        self.normal_ = bool((labels == 0).any() and not (labels == -1).any())
        self.calibration_: list[Known] = []
        if rate is not None:
            known, self.calibration_ = self._held_out(known)
        if all((each.labels == 1).all() for each in known):
            raise LabelError(
                "all points are labelled anomalies, of those that are learnt from; wanted normal or "
                "unlabelled ones beside them"
            )
        return self.learn(known)

    def _held_out(self, known: list[Known]) -> tuple[list[Known], list[Known]]:
        """Part the known normal past into what is learnt from and its end, which is calibrated on."""
        if self.time_column is None or not self.normal_:
            raise ParameterError(
                f"false_alarms={self.false_alarms!r} needs a time column and a past that is known to be "
                "normal (y all 0)"
            )
        learnt, kept = [], []
        for each in known:
            n = len(each.series)
            cut = max(int(n * (1 - HELD_OUT)), 1)
            learnt.append(Known(part(each.series, 0, cut), each.labels[:cut]))
            if cut < n:
                kept.append(Known(part(each.series, cut, n), each.labels[cut:]))
        return learnt, kept

    def learn(self, known: list[Known]) -> Self:
        """Learn from series that were read already, and set the threshold anew.

        A scorer is adapted to each long series, and one to all, for those that are short or new.
        """
        rate = self._check_parameters()
        self.known_ = known
        own = {each.series.key for each in known if self._tells(each) >= ALONE}
        self.scorers_ = {
            key: self._adapted([each for each in known if each.series.key == key]) for key in sorted(own)
        }
        self.common_ = (
            next(iter(self.scorers_.values()))
            if len(own) == 1 and all(each.series.key in own for each in known)
            else self._adapted(known)
        )
        scorers = (*self.scorers_.values(), self.common_)
        if not all(each.glance.patches.tells() for each in scorers if isinstance(each, Mixture)):
            self.notes_ = tuple(dict.fromkeys((*self.notes_, TOO_SHORT)))
        raw = np.concatenate([self._raw(each.series) for each in known])
        free = raw[np.concatenate([each.labels for each in known]) != 1]
        if self.detector in RANKING:
            self.calibrator_, _ = calibrate_ranking(free, self.contamination)
        elif self.contamination == "auto":
            self.calibrator_ = Calibrator.from_logits()
        else:
            self.calibrator_ = Calibrator.from_logits(shift=shift_to(free, float(self.contamination)))
        self.support_scores_ = self.calibrator_.apply(free)
        self._set_threshold(rate)
        return self

    def _tells(self, known: Known) -> int:
        """Return how many points of a series show what is usual."""
        return int(np.sum(known.labels == 0 if self.normal_ else known.labels != 1))

    def _adapted(self, known: Sequence[Known]) -> PointScorer:
        cases = [runs(each.labels == 1) for each in known]
        # Beside a normal past only what is known to be normal is usual: of a later series maybe little.
        apart = [runs(each.labels != 0) if self.normal_ else runs(each.labels == 1) for each in known]
        whole = Basis.of([each.series for each in known])
        usual = [without(each, told) for each, told in zip(whole.stretches, apart, strict=True)]
        if self.detector in POOL:
            return PoolScorer(self.detector, replace(whole, stretches=usual), self.seed_)
        glance = Glance.fit(whole, cases, usual=usual, seed=self.seed_)
        if self.detector == DISTANCES:
            return Mixture(glance, self.normal_)
        weights = Path(self.weights or "")
        if self.detector == SEQUENCE:
            return load_sequence(weights).adapt(glance, normal=self.normal_)
        told = [(each.series, each.labels) for each in known]
        return FleetScorer.of(load_table_learner(self.detector, weights), glance, told)

    def _set_threshold(self, rate: AlarmRate | None) -> None:
        self.promise_ = None
        if rate is not None:
            scored = [part for each in self.calibration_ for part in self._normal_scores(each)]
            if not scored:
                raise LabelError(
                    "the points kept out to calibrate false alarms on are all labelled anomalies, or beside "
                    "them; give a normal past that ends in normal points"
                )
            self.threshold_, self.promise_ = rate.threshold(
                scored,
                step=self.reader_.step,
                merged=MERGED,
            )
        elif self.contamination != "auto":
            share = float(self.contamination)
            count = max(round(share * len(self.support_scores_)), 1)
            cut = float(np.sort(self.support_scores_)[-count])
            self.threshold_ = clear_of(cut, self.support_scores_, ROUNDING)
        elif self.detector in FLEET:  # whose scores have no level of their own
            cut = float(np.quantile(self.support_scores_, 1 - RARE))
            self.threshold_ = clear_of(cut, self.support_scores_, ROUNDING)
        elif self.detector in RANKING or self.normal_ or (self.support_scores_ >= 0.5).any():
            self.threshold_ = 0.5
        else:
            self.threshold_ = clear_of(by_expected_f1(self.support_scores_), self.support_scores_, ROUNDING)

    def _normal_scores(self, known: Known) -> Iterator[tuple[Scores, list[tuple[int, int]]]]:
        """Yield scores of the stretches of a series that share no window with a labelled anomaly."""
        scores = self.calibrator_.apply(self._raw(known.series))
        far = [(a - max(LEADING), b + max(LEADING)) for a, b in runs(known.labels == 1)]
        for start, end in without(known.series.stretches, far):
            yield scores[start:end], [(0, end - start)]

    def _check_parameters(self) -> AlarmRate | None:
        if self.detector not in (DISTANCES, SEQUENCE, *RANKING):
            names = ", ".join((DISTANCES, SEQUENCE, *RANKING))
            raise ParameterError(f"detector is {self.detector!r}; wanted one of {names}")
        if self.detector in (SEQUENCE, *FLEET) and self.weights is None:
            command = "learn-series" if self.detector == SEQUENCE else "learn-fleet"
            raise ParameterError(
                f"detector is {self.detector!r} and no weights came: none ship with the package, for on real "
                f"series plain distances rank better; train some with `outlearn {command}` and name the file"
            )
        if self.weights is not None and self.detector not in (SEQUENCE, *FLEET):
            raise ParameterError(
                f"weights came ({self.weights}) and detector is {self.detector!r}, which takes none; name "
                f"the one that they are of: {', '.join((SEQUENCE, *FLEET))}"
            )
        if self.false_alarms is not None and self.contamination != "auto":
            raise ParameterError("contamination and false_alarms both set the threshold; give one of them")
        share = self.contamination
        number = isinstance(share, (int, float)) and not isinstance(share, bool)
        if not (share == "auto" or (number and 0 < float(share) <= 0.5)):
            raise ParameterError(
                f"contamination is {share!r}; wanted 'auto' or a share in (0, 0.5], e.g. 0.02"
            )
        return None if self.false_alarms is None else AlarmRate.parse(self.false_alarms)

    def _frame(self, X: Any, *, reset: bool) -> pl.DataFrame:
        """Return a polars frame of a table or an array; sets or checks what was seen in the fit."""
        table = as_frame(X)
        if table is not None:
            if reset:
                self.n_features_in_ = len(table.columns)
                self.feature_names_in_ = np.asarray(table.columns, dtype=object)
            return table.to_polars()
        values = np.asarray(X) if not hasattr(X, "toarray") else X
        if getattr(values, "ndim", 2) == 1 and not reset and getattr(self, "n_features_in_", 1) != 1:
            raise InputError(
                f"a vector came, which is one channel; wanted {self.n_features_in_}, as in the fit: "
                f"Reshape your data to (n, {self.n_features_in_})"
            )
        if getattr(values, "ndim", 2) == 1 and len(values) and not isinstance(X, (list, tuple)):
            values = values[:, None]
        values = validate_data(
            self, values, reset=reset, dtype=np.float64, ensure_all_finite=False, accept_sparse=False
        )
        if reset and values.size and not np.isfinite(values).any():
            raise InputError("no value is finite: every one is infinite or missing; nothing can be learnt")
        if reset and hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return pl.DataFrame(values, schema=[f"x{i}" for i in range(values.shape[1])])

    def _series(self, X: Any) -> tuple[list[Series], int]:
        check_is_fitted(self, "scorers_")
        frame = self._frame(X, reset=False)
        found, _ = self.reader_.read(frame)
        return found, frame.height

    def _raw(self, series: Series) -> Scores:
        return self._odd(series)[0]

    def _odd(self, series: Series) -> tuple[Scores, Scores]:
        """Return (n,) raw scores, and (n, c) how odd each channel is."""
        scorer, _, own = self._scorer_of(series)
        return scorer.channels(series, own)

    def _scorer_of(self, series: Series) -> tuple[PointScorer, list[Known], int | None]:
        """Return the scorer of a series, what it compares with, and which of those the series is, if any."""
        scorer = self.scorers_.get(series.key, self.common_)
        mates = [e for e in self.known_ if scorer is self.common_ or e.series.key == series.key]
        # What is known to be normal is compared with itself too; a learner is to see it as it sees others.
        if self.normal_ and not isinstance(scorer, FleetScorer):
            return scorer, mates, None
        same = (i for i, e in enumerate(mates) if np.array_equal(e.series.values, series.values))
        return scorer, mates, next(same, None)

    def anomaly_score(self, X: Any, *, causal: bool = False) -> Scores:
        """Return (m,) scores in [0, 1] of the rows, high = abnormal; 0 for rows that tell of no point.

        causal : whether only what lies before a point counts, as in `stream`; only "distances" and
            "sequence" can do that.
        """
        found, rows = self._series(X)
        scores = np.zeros(rows)
        for each in found:
            if causal:
                raw, _ = self._causal(each.key).channels(each, causal=True)
            else:
                raw = self._raw(each)
            scores[each.rows] = self.calibrator_.apply(raw)[each.places]
        return scores

    def stream(self, key: str = "") -> SeriesStream:
        """Return a scorer of points as they come, of a series that was learnt from or a new one.

        Raises
        ------
        ParameterError
            When the detector is another than "distances" and "sequence".
        """
        check_is_fitted(self, "scorers_")
        return SeriesStream(self, self._causal(key))

    def _causal(self, key: str) -> Mixture | SequenceScorer:
        scorer = self.scorers_.get(key, self.common_)
        if not isinstance(scorer, (Mixture, SequenceScorer)):
            raise ParameterError(
                f"detector is {self.detector!r}, which judges whole series; wanted 'distances' or 'sequence' "
                "to go point by point"
            )
        return scorer

    def segments(self, X: Any) -> list[Segment]:
        """Return the ranges that are flagged, the oddest first."""
        told = [segment for each in self.score_series(X) for segment in each.segments]
        return sorted(told, key=lambda segment: -segment.score)

    def score_series(self, X: Any) -> Iterator[Scored]:
        """Yield, for each series of a table, what was found: as `anomaly_score` and `segments` tell it."""
        found, _ = self._series(X)
        for each in found:
            raw, odd = self._odd(each)
            scores = self.calibrator_.apply(raw)
            yield Scored(each, scores, segments_above(each, scores, odd, self.threshold_, MERGED))

    def explain(self, X: Any, segments: Sequence[Segment] | None = None) -> list[Comparison]:
        """Say why ranges are odd: in which channel, beside which stretch of the past, in what they differ.

        segments : of `segments(X)`; all of them by default.
        """
        found, _ = self._series(X)
        chosen = self.segments(X) if segments is None else list(segments)
        by_key = {each.key: each for each in found}
        told = []
        for segment in chosen:
            series = by_key[segment.key]
            scorer, mates, own = self._scorer_of(series)
            told.append(
                compare_with_past(scorer.glance, [each.series for each in mates], series, segment, own)
            )
        return told

    def update(self, X: Any, y: ArrayLike) -> Self:
        """Return a detector that has also learnt from labelled points; this one stays as it is.

        How tables are read and the threshold rule stay.
        Labels of a series that was learnt from are added to those it has; another series joins the reference
        with the ranges that its labels tell of.

        Raises
        ------
        LabelError
            When no point carries a label of 1 or 0.
        """
        found, rows = self._series(X)
        labels = read_labels(y, rows)
        if not (labels >= 0).any():
            raise LabelError(
                "no label came: every value is -1; give 1 (anomaly) or 0 (normal) for some points"
            )
        known = list(self.known_)
        for each in found:
            told = self._unheld(each, point_labels(each, labels))
            same = [i for i, e in enumerate(known) if np.array_equal(e.series.values, each.values)]
            if same:
                merged = np.where(told >= 0, told, known[same[0]].labels).astype(np.int8)
                known[same[0]] = Known(known[same[0]].series, merged)
            elif (told >= 0).any():
                known.append(Known(each, told))
        return copy(self).learn(known)  # which replaces fitted attributes, and changes none in place

    def _unheld(self, series: Series, labels: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return labels (n,) without those of normal points that the promise rests on.

        To learn from the points that were kept out would make them as usual as can be, and to learn twice
        from the others would make all else odd: either way the promise would be void.
        """
        for each in (*self.calibration_, *(self.known_ if self.calibration_ else ())):
            held, times = each.series.times, series.times
            if each.series.key == series.key and held is not None and times is not None:
                inside = (times >= held[0]) & (times <= held[-1]) & (labels == 0)
                labels = np.where(inside, -1, labels).astype(np.int8)
        return labels

    def save(self, path: str | Path) -> None:
        """Write the fitted detector to one file without pickle; it holds the series that it learnt from."""
        from outlearn.detectors.persist_series import save_series

        check_is_fitted(self, "scorers_")
        save_series(self, Path(path))

    @staticmethod
    def load(path: str | Path) -> SeriesDetector:
        """Read a detector written by `save`."""
        from outlearn.detectors.persist_series import load_series

        return load_series(Path(path))
