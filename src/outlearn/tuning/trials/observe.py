"""Observations of a configuration on a table: without labels, and with a few.

Rows are parted into some that candidates are fitted on and some that they are judged by, so that a candidate
that only remembers rows gains nothing. Without labels a candidate is seen to agree more or less with what
quick, broad scores and the pretrained in-context learner say, to have scores with a longer or shorter tail,
and to tell pseudo-anomalies from rows. How far each of these is to be believed is learnt across tables.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from outlearn.learners.pretrained import load_incontext
from outlearn.learners.profiles.profile import STATISTICS
from outlearn.rng import derive
from outlearn.tuning.space import Config
from outlearn.tuning.trials.candidate import fitted, scores
from outlearn.tuning.trials.pseudo import KINDS, pseudo_anomalies

__all__ = ["LANDMARKS", "MEASURES", "Landmarks", "Observation", "Observer", "TableSample"]

Floats = NDArray[np.float64]
LANDMARKS = (
    "incontext",
    "standard.d50",
    "standard.clean20",
    "isolation",
    "whitened.d20",
    "rank.ratio20",
    "tail.mean",
)
TOP = (0.05, 0.1)  # shares of the rows that the in-context learner finds oddest
MEASURES = (
    *(f"agree.{name}" for name in LANDMARKS),
    *(f"top{round(100 * share)}" for share in TOP),
    *(f"pseudo.{kind}" for kind in KINDS),
    "tail",
    "peak",
    "distinct",
)
MOST_SAMPLED = 1000  # of a table that candidates are fitted and judged on
HELD_OUT = 0.3  # share of the rows that candidates are judged on
PSEUDO_ROWS = 60  # rows of each kind


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Quick scores of the rows of a table, each row judged by the others.

    scores : (n, L) columns as `LANDMARKS`, high = abnormal.
    share, reach : what the in-context learner takes the share of anomalies, and its own AUROC, to be.
    """

    scores: Floats
    share: float
    reach: float

    @classmethod
    def of(cls, X: NDArray[np.float32], seed: int = 0) -> Landmarks:
        """Score the rows (n, d) of a table."""
        learned = load_incontext().seeded(seed)
        scorer = learned.adapt(X, np.full(len(X), -1, dtype=np.int8))
        columns = [scorer.support_deviations[:, STATISTICS.index(name)] for name in LANDMARKS[1:]]
        values = np.column_stack([scorer.support_scores, *columns]).astype(np.float64)
        return cls(values, scorer.contamination, scorer.reach)


@dataclass(frozen=True, slots=True)
class Observation:
    """Observations of one configuration.

    measures : (len(MEASURES),).
    precision : average precision of the labelled anomalies among the held-out rows; None without labels.
    seconds : fitting and scoring.
    """

    measures: Floats
    precision: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class TableSample:
    """Rows of a table to look at it by.

    total : rows of the table that are not known anomalies. rows (n, d) : some of them, in random order.
    anomalies : (k, d) the known ones. landmarks : of `rows`.
    """

    total: int
    rows: NDArray[np.float32]
    anomalies: NDArray[np.float32]
    landmarks: Landmarks

    @classmethod
    def of(cls, X: NDArray[np.float32], y: NDArray[np.int8], seed: int = 0) -> TableSample:
        """Draw from a table X (n, d) finite float32 with labels y (n,) in {-1, 0, 1}."""
        rest = derive(seed, 0x0B5).permutation(np.flatnonzero(y != 1))
        rows = X[rest[:MOST_SAMPLED]]
        return cls(len(rest), rows, X[y == 1], Landmarks.of(rows, seed))


class Observer:
    """Tries configurations on a table.

    Parameters
    ----------
    sample : of its rows; known anomalies are never fitted on, and always judged by.
    like : estimators by the name of their space, whose class and other settings are kept.
    """

    def __init__(self, sample: TableSample, *, seed: int = 0, like: Mapping[str, Any] | None = None) -> None:
        held = max(round(HELD_OUT * len(sample.rows)), 1)
        self._seed, self._like = seed, like or {}
        self._judged, self._fitted = sample.rows[:held], sample.rows[held:]
        self._anomalies, self._landmarks = sample.anomalies, sample.landmarks.scores[:held]
        made = pseudo_anomalies(self._fitted.astype(np.float64), PSEUDO_ROWS, derive(seed, 0x95E))
        self._pseudo = np.concatenate([made[kind] for kind in KINDS])

    def look(self, config: Config) -> Observation:
        """Fit a configuration on some of the rows and look at what it makes of the others.

        Errors of the library behind it pass unchanged.
        """
        started = time.perf_counter()
        like = self._like.get(config["detector"])
        pipeline = fitted(config, self._fitted, seed=self._seed, like=like)
        rows = np.concatenate([self._judged, self._pseudo, self._anomalies]).astype(np.float64)
        row_scores = scores(pipeline, rows)
        seconds = time.perf_counter() - started
        if not np.isfinite(row_scores).all():
            raise FloatingPointError("its scores are not finite")
        held = len(self._judged)
        own, pseudo = row_scores[:held], row_scores[held : held + len(self._pseudo)]
        precision = None
        if len(self._anomalies):
            odd = np.r_[np.zeros(held), np.ones(len(self._anomalies))]
            precision = float(
                average_precision_score(odd, np.r_[own, row_scores[held + len(self._pseudo) :]])
            )
        return Observation(self._measures(own, pseudo), precision, seconds)

    def _measures(self, own: Floats, pseudo: Floats) -> Floats:
        ranks = rankdata(own)
        landmarks = rankdata(self._landmarks, axis=0)
        agree = _correlations(ranks, landmarks)
        teacher = self._landmarks[:, 0]
        top = [
            average_precision_score(teacher >= np.sort(teacher)[-max(round(share * len(own)), 1)], own)
            for share in TOP
        ]
        ordered = np.sort(own)
        parts = pseudo.reshape(len(KINDS), -1)
        both = np.searchsorted(ordered, parts, "left") + np.searchsorted(ordered, parts, "right")
        aurocs = both.mean(axis=1) / (2 * len(own))  # AUROC of each kind against the held-out rows
        low, middle, high, far = np.quantile(own, (0.25, 0.5, 0.75, 0.98))
        unit = max(high - low, 1e-9 * max(abs(middle), 1e-9))
        tail = np.log1p((far - middle) / unit)
        peak = np.log1p((own.max() - far) / unit)
        distinct = len(np.unique(own.round(9))) / len(own)
        return np.array([*agree, *top, *aurocs, min(tail, 10.0), min(peak, 10.0), distinct])


def _correlations(ranks: Floats, others: Floats) -> Floats:
    """Return Spearman's correlation of ranks (m,) with columns of ranks (m, L); 0 where one is constant."""
    a, b = ranks - ranks.mean(), others - others.mean(axis=0)
    norm = np.sqrt((a**2).sum() * (b**2).sum(axis=0))
    correlations: Floats = np.where(norm > 0, a @ b / np.maximum(norm, 1e-12), 0.0)
    return correlations
