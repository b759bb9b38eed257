"""The learnt detector: pretrained across data sets, adapted to a table in one pass."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from outlearn.data.schema import Schema
from outlearn.decisions.calibrate import Calibrator, shift_to
from outlearn.decisions.threshold import by_expected_f1
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.modalities import modalities_of
from outlearn.detectors.saved import saved_class
from outlearn.detectors.tie_margin import ROUNDING, calibrate_ranking, clear_of
from outlearn.errors import ParameterError
from outlearn.learners.base import ProbabilisticScorer, Scorer
from outlearn.learners.catalogue import CATALOGUE
from outlearn.rng import Seed
from outlearn.weights.checkpoint import shipped

if TYPE_CHECKING:
    from outlearn.learners.incontext.fusion import Fused, Modality

__all__ = ["Detector"]

DOUBTFUL = 0.8  # uncertainty from which on nothing should be claimed: an AUROC below .6 is expected


@saved_class
class Detector(BaseDetector):
    """Anomaly detector that has learnt, across many tables, how to detect anomalies.

    One model for three situations, told apart by `y` alone: a support of normals only (`y` all 0), an
    unlabelled and maybe contaminated one (`y` None or all -1), and one with a few labels.

    Parameters
    ----------
    learner : a name of `learners.catalogue`: "profiles", a small network trained on hundreds of real tables;
        "incontext", which reads the support as a whole; or "maml", "anil", "metasgd", "fomaml", "reptile",
        which adapt by gradient steps, the last two with `weights` of one's own; or "protonet", "siamese",
        "triplet", which compare by distances.
    contamination : the share of anomalies in the support, in (0, 0.5], where it is known: so many rows of it
        are flagged, and probabilities are those at that share. "auto": where the support may hold anomalies
        "profiles" flags the rows of the best expected F1, at most as many as it expects anomalies, and none
        that is less likely than 30 %; "incontext" does so, however unlikely they are, where no row is more
        likely an anomaly than not. Else both flag rows that are more likely anomalies than not. Other
        learners flag at a rough estimate of the share.
    false_alarm_rate : flag at most this share of normal rows; needs known normal rows (`y` 0), of which 30 %
        are kept out of the support to calibrate on. Overrides `contamination`.
    max_support : rows that new rows are compared with, at most; a larger table is sampled. "auto": 5,000, and
        8,192 where all of them are known to be normal.
    schema : how to read the columns of a dataframe: a `Schema`, or the path of a TOML file of overrides;
        inferred when None. The columns of an array are numbers, whatever the schema.
    weights : path of another checkpoint; the shipped one when None.
    fusion : "auto" judges the modalities of a record (numbers and categories together, each text, list of
        numbers and sequence of events) apart and weighs what they say, where a column holds lists or
        sequences and the learner gives odds: each is judged by the in-context learner then; "none" puts all
        their columns side by side.
    random_state : seed of all randomness.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = np.vstack([rng.normal(size=(200, 4)), np.full((1, 4), 9.0)])
    >>> detector = Detector(random_state=0).fit(X)
    >>> int(detector.anomaly_score(X).argmax())
    200
    """

    def __init__(
        self,
        learner: str = "profiles",
        *,
        contamination: float | str = "auto",
        false_alarm_rate: float | None = None,
        max_support: int | str = "auto",
        schema: Schema | str | Path | None = None,
        weights: str | Path | None = None,
        fusion: str = "auto",
        random_state: Seed = None,
    ) -> None:
        super().__init__(
            contamination=contamination,
            false_alarm_rate=false_alarm_rate,
            max_support=max_support,
            schema=schema,
            random_state=random_state,
        )
        self.learner = learner
        self.weights = weights
        self.fusion = fusion

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if not isinstance(self.learner, str) or self.learner not in CATALOGUE:
            raise ParameterError(f"learner is {self.learner!r}; wanted one of {', '.join(CATALOGUE)}")
        if not isinstance(self.weights, str | Path | None):
            raise ParameterError(f"weights is {self.weights!r}; wanted None or the path of a checkpoint")
        if self.fusion not in ("auto", "none"):
            raise ParameterError(f"fusion is {self.fusion!r}; wanted 'auto' or 'none'")

    def _adapt(self, X: NDArray[np.float32], y: NDArray[np.int8]) -> Scorer:
        from outlearn.learners.pretrained import load_learner

        fused = self.probabilistic and self.fusion == "auto"
        modalities = modalities_of(self.encoder_, self.counted_.places.tolist()) if fused else ()
        if len(modalities) > 1:
            return self._fused(modalities).seeded(self.seed_).adapt(X, y)
        learned = load_learner(self.learner, self._weights)
        return learned.seeded(self.seed_).adapt(X, y)

    @property
    def _weights(self) -> Path | None:
        return None if self.weights is None else Path(self.weights)

    def _fused(self, modalities: tuple[Modality, ...]) -> Fused:
        """Return a learner that judges each modality apart, with the one that fusion was trained on.

        Raises
        ------
        ParameterError
            When `weights` are of another learner.
        """
        from outlearn.learners.incontext.fusion import LEARNER, Fused, load_fusion
        from outlearn.learners.pretrained import load_incontext

        if self.weights is not None and self.learner != LEARNER:
            raise ParameterError(
                f"weights={str(self._weights)!r} are of the learner {self.learner!r}, and records of several "
                f"modalities are judged by {LEARNER!r}; leave weights out, or give fusion='none'"
            )
        return Fused(load_incontext(self._weights), load_fusion(shipped("fusion")), modalities)

    @property
    def probabilistic(self) -> bool:
        """Whether scores are probabilities on tables like those learnt from; else they rank."""
        return CATALOGUE[self.learner].probabilistic

    @property
    def _odds(self) -> ProbabilisticScorer | None:
        """The scorer, where it gives log-odds."""
        return self.scorer_ if isinstance(self.scorer_, ProbabilisticScorer) else None

    @property
    def least_flagged_(self) -> float:
        """The probability that a flagged row has at least, by the learner's own rule; 0 for any."""
        return 0.0 if self._odds is None else self._odds.least_flagged

    @property
    def uncertainty_(self) -> float:
        """How little the order of scores is to be trusted, 0 to 1; NaN for learners that cannot say."""
        return math.nan if self._odds is None else self._odds.uncertainty

    @property
    def doubt_(self) -> str:
        """Why the scores may tell nothing, in a sentence; empty where nothing speaks against them."""
        few, scorer = super().doubt_, self._odds
        if few or scorer is None:
            return few
        if scorer.strangeness > 1:
            return (
                "the table is unlike those that the model learnt from, farther from their middle than 99 in "
                "100 of them"
            )
        if scorer.uncertainty > DOUBTFUL:
            return (
                f"from {len(self.support_):,} rows like these the model expects to tell anomalies from usual "
                f"rows hardly better than by chance (an AUROC of {scorer.reach:.2f}, less for few rows)"
            )
        return ""

    def _calibrate(self, raw: NDArray[np.float64]) -> tuple[Calibrator, float]:
        if self._odds is None:
            return calibrate_ranking(raw, self.contamination)
        unknown = raw[self.support_y_ == -1]
        if self.contamination == "auto" or len(unknown) == 0:
            return Calibrator.from_logits(), self._odds.contamination
        share = float(self.contamination)
        return Calibrator.from_logits(shift=shift_to(unknown, share)), share

    def _own_threshold(self) -> float:
        unknown = self.support_scores_[self.support_y_ == -1]
        if self._odds is None or len(unknown) == 0:
            return 0.5
        if not self.least_flagged_ and (unknown >= 0.5).any():
            return 0.5
        return clear_of(by_expected_f1(unknown, self.least_flagged_), self.support_scores_, ROUNDING)
