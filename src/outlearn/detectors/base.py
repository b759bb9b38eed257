"""The estimator contract that users touch, shared by the learnt detector and the classical ones."""

from __future__ import annotations

import io
from abc import abstractmethod
from copy import copy
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from outlearn import plain
from outlearn.data.encode import Encoder
from outlearn.data.rows import canonical_order, row_hash
from outlearn.data.schema import Schema
from outlearn.decisions.calibrate import Calibrator
from outlearn.decisions.decide import decide
from outlearn.decisions.rule import Rule
from outlearn.detectors.counted import CountedColumns
from outlearn.detectors.inputs import (
    append_rows,
    cells_of,
    fit_encoder,
    labels_to_fit,
    open_fit,
    read_cells,
    read_labels,
    read_matrix,
)
from outlearn.detectors.model_file import Arrays, State, checked_array
from outlearn.detectors.outlier_mixin import SignedOutlierMixin
from outlearn.detectors.parameters import (
    check_contamination,
    check_false_alarm_rate,
    check_max_support,
    check_schema,
    drawn_seed,
)
from outlearn.detectors.provenance import Provenance
from outlearn.detectors.reasons import Grounds, explain_matrix
from outlearn.detectors.saved import Saved, columns_state, kept_params, load_as, save, with_params
from outlearn.detectors.support import choose_support
from outlearn.detectors.tie_margin import ROUNDING, clear_of
from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.explain.explanation import Explanation
from outlearn.learners.base import ProbabilisticScorer, Scorer, SupportScorer
from outlearn.rng import Seed

__all__ = ["BaseDetector"]

Scores = NDArray[np.float64]
_PROBED = 4  # rows that a detector of a file must be able to read and score
FEWEST_COMPARED = 20  # rows in the support, below which nobody can say what is usual


class BaseDetector(SignedOutlierMixin, Saved):
    """Encode → adapt → score → decide.

    Attributes
    ----------
    support_ : (n, d) float32, the encoded rows that new rows are compared with; `support_y_` (n,) their
        labels.
    support_raw_ : (n,) raw scores of the support, on the scale of the learner.
    support_scores_ : (n,) anomaly scores of the support, each row judged against the others.
    calibration_ : (k, d) known normal rows that were kept out of the support; k may be 0.
        `calibration_scores_` : (k,) their anomaly scores.
    threshold_ : a row is flagged when its anomaly score is at least this.
    counted_ : the columns of `support_` that the learner does not read, and what they are worth.
    support_cells_ : polars frame of the raw cells behind `support_`.
    schema_ : Schema of the table; after a fit on an array, its columns are x0, x1, ….
    seed_ : the seed that was used.
    """

    model_kind: ClassVar[str] = "rows"

    def __init__(
        self,
        *,
        contamination: float | str = "auto",
        false_alarm_rate: float | None = None,
        max_support: int | str = "auto",
        schema: Schema | str | Path | None = None,
        random_state: Seed = None,
    ) -> None:
        self.contamination = contamination
        self.false_alarm_rate = false_alarm_rate
        self.max_support = max_support
        self.schema = schema
        self.random_state = random_state

    @abstractmethod
    def _adapt(self, X: NDArray[np.float32], y: NDArray[np.int8]) -> Scorer:
        """Adapt to a support in canonical order."""

    @abstractmethod
    def _calibrate(self, raw: Scores) -> tuple[Calibrator, float]:
        """Return the map from raw scores to [0, 1] and the share of anomalies to assume, from the raw scores
        of the support (n,)."""

    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Adapt to the rows of `X`.

        Parameters
        ----------
        X : array (n, d), or a dataframe of any library.
        y : (n,) 1 known anomaly, 0 known normal, -1 unlabelled; None when nothing is labelled.

        Raises
        ------
        InputError
            For a table from which nothing can be learnt; `LabelError` for labels outside their values.
        """
        self._check_parameters()
        rows, schema = open_fit(self, X, self.schema)
        labels = labels_to_fit(y, len(rows))
        if len(rows) < 2:
            raise InputError(
                "the table has 1 row (n_samples = 1); at least 2 are needed to say what is usual"
            )
        encoder = fit_encoder(rows, schema, labels)
        values = encoder.transform(rows).values
        self.seed_ = drawn_seed(self.random_state)
        chosen = choose_support(
            values,
            labels,
            limit=None if isinstance(self.max_support, str) else self.max_support,
            hold_out=self.false_alarm_rate is not None,
        )
        if len(chosen.calibration):
            # Rows that calibrate must be to everything fitted what new rows will be: not seen. A category of
            # theirs that the encoder knows would look less odd than one that comes later.
            seen = np.setdiff1d(np.arange(len(rows)), chosen.calibration)
            encoder = fit_encoder(rows[seen], schema, labels[seen])
            values = encoder.transform(rows).values
        self.encoder_, self.schema_, self.chosen_ = encoder, encoder.schema, chosen
        cells = cells_of(encoder, rows)
        self._set_support(values[chosen.support], labels[chosen.support], cells[chosen.support])
        self.calibrator_, self.contamination_ = self._calibrate(self.support_raw_)
        self._set_calibration(values[chosen.calibration])
        return self

    def _set_support(self, X: NDArray[np.float32], y: NDArray[np.int8], cells: pl.DataFrame) -> None:
        self.support_, self.support_y_, self.support_cells_ = X, y, cells
        # A support that grew by labels adapts as one that had them from the start, whatever came first.
        order = canonical_order(X, y)
        self.counted_ = CountedColumns.of(self.encoder_, X, y)
        learnt = self.counted_.without(X[order])
        self.scorer_ = self._adapt(learnt, y[order])
        self.support_raw_ = np.empty(len(X))
        self.support_raw_[order] = self._score_support(learnt)

    def _score_support(self, X: NDArray[np.float32]) -> Scores:
        """Return the raw scores of the support that `scorer_` has just adapted to."""
        scorer = self.scorer_
        return scorer.support_scores if isinstance(scorer, SupportScorer) else scorer.score(X)

    def _set_calibration(self, X: NDArray[np.float32]) -> None:
        self.calibration_ = X
        self.support_scores_ = self.calibrator_.apply(self.support_raw_ + self._lift(self.support_))
        self.calibration_scores_ = self.score_encoded(X)
        self._set_threshold()

    def _check_parameters(self) -> None:
        check_contamination(self.contamination)
        check_false_alarm_rate(self.false_alarm_rate)
        check_max_support(self.max_support)
        check_schema(self.schema)

    def _set_threshold(self) -> None:
        rule = self.rule_
        if rule is None:
            self.threshold_, self.promise_ = self._own_threshold(), None
        else:
            decision = decide(
                self.support_scores_,
                rule=rule,
                support_scores=self.support_scores_,
                reference_scores=self.calibration_scores_ if len(self.calibration_scores_) else None,
            )
            judged = self.calibration_scores_ if len(self.calibration_scores_) else self.support_scores_
            self.threshold_ = clear_of(decision.threshold, judged, ROUNDING)
            self.promise_ = decision.promise

    def _own_threshold(self) -> float:
        """Return the threshold where no rule was asked for."""
        return 0.5

    @property
    def doubt_(self) -> str:
        """Why the scores may tell nothing, in a sentence; empty where nothing speaks against them."""
        n = len(self.support_)
        if n < FEWEST_COMPARED:
            return (
                f"there are only {n:,} rows to compare with, and what is usual takes {FEWEST_COMPARED} or "
                "more to see"
            )
        return ""

    @property
    def probabilistic(self) -> bool:
        """Whether scores are probabilities on tables like those learnt from; else they rank."""
        return False

    @property
    def least_flagged_(self) -> float:
        """The probability that a flagged row has at least, by the detector's own rule; 0 for any."""
        return 0.0

    @property
    def rule_(self) -> Rule | None:
        """How the threshold is set; None when the detector sets it by its scores alone."""
        if self.false_alarm_rate is not None:
            return Rule.false_alarm_rate(self.false_alarm_rate)
        if self.contamination != "auto":
            return Rule.contamination(float(self.contamination))
        return None

    def anomaly_score(self, X: Any) -> Scores:
        """Return (m,) scores in [0, 1], high = abnormal; a row scores the same alone or in a batch."""
        return self.score_encoded(self._values(X))

    def _values(self, X: Any) -> NDArray[np.float32]:
        check_is_fitted(self, "scorer_")
        return read_matrix(self, self.encoder_, X).values

    def score_encoded(self, values: NDArray[np.float32]) -> Scores:
        """Score rows (m, d) as `encoder_` encodes them: see `anomaly_score`."""
        return self.calibrator_.apply(self._raw(values))

    def _raw(self, values: NDArray[np.float32]) -> Scores:
        """Return the raw scores (m,) of encoded rows: of the learner, and for what is counted."""
        return self.scorer_.score(self.counted_.without(values)) + self._lift(values)

    def _lift(self, values: NDArray[np.float32]) -> Scores:
        """Return how much encoded rows gain, on the scale of raw scores, by what is counted: (m,)."""
        return self.calibrator_.scale * self.counted_.surprise(values)

    def update(self, X: Any, y: ArrayLike) -> Self:
        """Return a detector that has also learnt from labelled rows; this one stays as it is.

        Nothing is fitted anew: encoder, threshold rule and calibration rows stay. A row that is in the
        support already takes its new label there, and so does each copy of it; others join the support. A
        row that calibrates stays there if it is normal, and leaves if it is an anomaly.

        Raises
        ------
        LabelError
            When no row carries a label of 1 or 0.
        """
        values = self._values(X)
        labels = read_labels(y, len(values))
        labelled = np.flatnonzero(labels >= 0)
        if len(labelled) == 0:
            raise LabelError("no label came: every value is -1; give 1 (anomaly) or 0 (normal) for some row")
        hashes, wanted = row_hash(self.support_), row_hash(values[labelled])
        # Of two verdicts on equal rows the last counts.
        by_hash = dict(zip(wanted.tolist(), labels[labelled].tolist(), strict=True))
        there = np.array([by_hash.get(h, y) for h, y in zip(hashes.tolist(), self.support_y_, strict=True)])
        # A row that calibrates is known to be normal, and is no longer new to a support that it joins.
        kept_back = row_hash(self.calibration_)
        known = np.isin(wanted, kept_back) & (labels[labelled] == 0)
        fresh = labelled[~np.isin(wanted, hashes) & ~known]
        updated = copy(self)  # fitted attributes are replaced, never changed in place
        updated._set_support(
            np.concatenate([self.support_, values[fresh]]),
            np.concatenate([there.astype(np.int8), labels[fresh]]),
            append_rows(self.support_cells_, read_cells(self, self.encoder_, X)[fresh]),
        )
        if self.probabilistic:  # labels move the level of raw scores; probabilities keep to the share
            updated.calibrator_, _ = updated._calibrate(updated.support_raw_)
        anomalies = [h for h, label in by_hash.items() if label == 1]
        updated._set_calibration(self.calibration_[~np.isin(kept_back, np.array(anomalies, dtype=np.uint64))])
        return updated

    def explain(self, X: Any, rows: ArrayLike | None = None, *, columns: int = 5) -> list[Explanation]:
        """Return why rows are odd.

        Parameters
        ----------
        rows : positions of the rows to explain; the flagged ones by default.
        columns : at most so many columns a row.
        """
        values = self._values(X)
        if rows is None:
            rows = np.flatnonzero(self.score_encoded(values) >= self.threshold_)
        if columns < 1:
            raise ParameterError(f"columns is {columns!r}; wanted at least 1")
        chosen = np.atleast_1d(np.asarray(rows))
        if len(chosen) and chosen.dtype.kind not in "iu":
            raise InputError(f"rows are {chosen.dtype} values; wanted positions: whole numbers, from 0")
        outside = chosen[(chosen < 0) | (chosen >= len(values))]
        if len(outside):
            raise InputError(
                f"row {int(outside[0])} was asked for; the table has rows 0 to {len(values) - 1}"
            )
        # A row that is asked for twice is explained once: the last bits of a score vary with its place.
        once, place = np.unique(chosen.astype(np.int64), return_inverse=True)
        cells = read_cells(self, self.encoder_, X)[once]
        reasons = explain_matrix(self._grounds(), values[once], cells, once, columns)
        return [reasons[i] for i in place]

    def _grounds(self) -> Grounds:
        scorer = self.scorer_
        return Grounds(
            encoder=self.encoder_,
            support=self.support_,
            y=self.support_y_,
            raw=self.support_raw_,
            cells=self.support_cells_,
            score=self._raw,
            anomaly_score=self.score_encoded,
            label_effects=self._label_effects if isinstance(scorer, ProbabilisticScorer) else None,
        )

    def _label_effects(self, values: NDArray[np.float32], labelled: NDArray[np.float32]) -> Scores:
        """Return how much each label moved each row, as `ProbabilisticScorer` says."""
        scorer, without = self.scorer_, self.counted_.without
        assert isinstance(scorer, ProbabilisticScorer)
        return scorer.label_effects(without(values), without(labelled))

    def to_state(self) -> tuple[State, Arrays]:
        """Return what rebuilds the fitted detector: values that JSON can keep, and arrays by name.

        They hold the support, its labels, the encoder and the decision. The fitted schema replaces the one
        given, and a seed replaces a generator.
        """
        check_is_fitted(self, "scorer_")
        state = {
            "params": {**kept_params(self), "schema": None},
            "encoder": self.encoder_.to_state(),
            **columns_state(self),
            "seed": self.seed_,
            "calibrator": self.calibrator_.to_dict(),
            "contamination": self.contamination_,
        }
        arrays: Arrays = {
            "support": self.support_,
            "support_y": self.support_y_,
            "calibration": self.calibration_,
            "cells": _as_bytes(self.support_cells_),
        }
        return state, arrays

    @classmethod
    def from_state(cls, state: State, arrays: Arrays) -> Self:
        """Return the detector whose `to_state` gave these values and arrays.

        It adapts to its support again, which with the same seed gives the same scores.

        Raises
        ------
        ValueError
            When a value or an array is missing or unfit; errors of other kinds where it does not fit the
            others.
        """
        detector = with_params(cls, state)
        detector.encoder_ = Encoder.from_state(plain.entry(state, "encoder"))
        detector.schema_ = detector.encoder_.schema
        detector.seed_ = plain.whole(state, "seed")
        detector.calibrator_ = Calibrator.from_dict(plain.entry(state, "calibrator"))
        detector.contamination_ = plain.real(state, "contamination")
        width = len(detector.encoder_.columns)
        support = checked_array(arrays, "support", np.float32, (None, width))
        y = checked_array(arrays, "support_y", np.int8, (len(support),))
        if not len(y) or not np.isin(y, (-1, 0, 1)).all():
            raise ValueError("the labels of its rows are not 1, 0 or -1, or it has no rows")
        detector._set_support(support, y, _from_bytes(checked_array(arrays, "cells", np.uint8, (None,))))
        detector._set_calibration(checked_array(arrays, "calibration", np.float32, (None, width)))
        detector._check_rebuilt()
        return detector

    def _check_rebuilt(self) -> None:
        """Refuse a detector of a file whose parts do not go together: it must read and score its own rows.

        Raises
        ------
        ValueError
            When they do not; other kinds of errors where they cannot be used at all.
        """
        cells = self.support_cells_
        if cells.height != len(self.support_):
            raise ValueError(
                f"it holds the cells of {cells.height} rows and compares with {len(self.support_)}"
            )
        values = self.encoder_.transform(cells.head(_PROBED)).values
        scores = np.concatenate([self.score_encoded(values), [self.threshold_]])
        if not (np.isfinite(values).all() and np.isfinite(scores).all()):
            raise ValueError("its own rows have no scores by it")

    def save(self, path: str | Path, provenance: Provenance | None = None) -> None:
        """Write the fitted detector to one file without pickle; it holds the support rows themselves.

        provenance : what is known of the support, which `registry.load` gives back.
        """
        save(self, Path(path), provenance)

    @staticmethod
    def load(path: str | Path) -> BaseDetector:
        """Read a detector of rows, of any class, written by `save`."""
        return load_as(BaseDetector, Path(path))  # type: ignore[type-abstract]


def _as_bytes(cells: pl.DataFrame) -> NDArray[np.uint8]:
    """Return a frame as bytes, in an array."""
    buffer = io.BytesIO()
    # Whole numbers past 64 bits are written as floating point, for Arrow has none.
    plain_cells = [cell.cast(pl.Float64) if cell.dtype == pl.Int128 else cell for cell in cells]
    pl.DataFrame(plain_cells).write_ipc(buffer)
    return np.frombuffer(buffer.getvalue(), dtype=np.uint8)


def _from_bytes(content: NDArray[np.uint8]) -> pl.DataFrame:
    """Return the frame that `_as_bytes` was given.

    Raises
    ------
    ValueError
        When the bytes are none.
    """
    data = content.tobytes()
    try:
        # What is made up is found out here: polars ends the process over sizes that are not there.
        pa.ipc.open_file(pa.BufferReader(data)).read_all().validate(full=True)
        return pl.read_ipc(io.BytesIO(data))
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise ValueError(f"the cells of its rows are damaged: {error}") from error
