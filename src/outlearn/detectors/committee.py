"""Several detectors as one: the mean of how surprising each finds a row beside those it compares with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outlearn.data.schema import Schema
from outlearn.decisions.calibrate import Calibrator
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.pool import POOL
from outlearn.detectors.saved import saved_class
from outlearn.detectors.tie_margin import calibrate_ranking
from outlearn.errors import ParameterError
from outlearn.learners.base import Scorer
from outlearn.learners.catalogue import CATALOGUE
from outlearn.learners.surprisal import ScoreSurprisal
from outlearn.rng import Seed, derive

__all__ = ["MEMBERS", "Committee"]

MEMBERS = ("maml", "knn", "knn:k=50")
MOST_MEMBERS = 100
Scores = NDArray[np.float64]
_WRITTEN = re.compile(r"\w+(?::\w+=\d+(?:,\w+=\d+)*)?")


@saved_class
class Committee(BaseDetector):
    """Mean, over several detectors, of how far out in the tail of a detector's own scores a row lies.

    Detectors fail in different places: what one ranks first for a reason of its own, such as a flood of a new
    kind of harmless traffic, the others do not. So this is the default for network traffic beside a reference
    of normal flows (`pipeline.detect`).

    Parameters
    ----------
    members : names of learners and of algorithms of the classical pool, these with whole numbers for
        parameters where wanted, such as "knn:k=50".
    contamination, false_alarm_rate, max_support, schema, random_state : as in `Detector`.

    Examples
    --------
    >>> X = np.r_[np.random.default_rng(0).normal(size=(60, 2)), [[8.0, 8.0]]]
    >>> int(Committee(("knn", "iforest"), random_state=0).fit(X).anomaly_score(X).argmax())
    60
    """

    def __init__(
        self,
        members: Sequence[str] = MEMBERS,
        *,
        contamination: float | str = "auto",
        false_alarm_rate: float | None = None,
        max_support: int | str = "auto",
        schema: Schema | str | Path | None = None,
        random_state: Seed = None,
    ) -> None:
        super().__init__(
            contamination=contamination,
            false_alarm_rate=false_alarm_rate,
            max_support=max_support,
            schema=schema,
            random_state=random_state,
        )
        self.members = members

    def _check_parameters(self) -> None:
        super()._check_parameters()
        members = self.members
        if (
            not isinstance(members, Sequence)
            or isinstance(members, str)
            or not 0 < len(members) <= MOST_MEMBERS
            or not all(
                isinstance(member, str) and _WRITTEN.fullmatch(member) and _known(member)
                for member in members
            )
        ):
            raise ParameterError(
                f"members is {self.members!r}; wanted some, {MOST_MEMBERS} at most, of "
                f"{', '.join([*CATALOGUE, *sorted(POOL)])}"
            )

    def _adapt(self, X: NDArray[np.float32], y: NDArray[np.int8]) -> Scorer:
        return CommitteeScorer(
            tuple(_Member.of(*_adapted(name, X, y, self.seed_), y) for name in self.members)
        )

    def _calibrate(self, raw: Scores) -> tuple[Calibrator, float]:
        return calibrate_ranking(raw, self.contamination)


def _known(member: str) -> bool:
    name, _, settings = member.partition(":")
    return name in POOL or (name in CATALOGUE and not settings)


def _adapted(member: str, X: NDArray[np.float32], y: NDArray[np.int8], seed: int) -> tuple[Scorer, Scores]:
    """Return a member adapted to a support, and its scores (n,) of the rows of that support."""
    name, _, settings = member.partition(":")
    if name in POOL:
        pairs = (setting.split("=") for setting in settings.split(",") if setting)
        scorer = POOL[name].fit(X, y, derive(seed), {key: int(value) for key, value in pairs})
        return scorer, scorer.score(X)
    from outlearn.learners.pretrained import load_learner

    learnt = load_learner(name).seeded(seed).adapt(X, y)
    return learnt, learnt.support_scores


@dataclass(frozen=True, slots=True)
class _Member:
    """A scorer, its scores of the support `own` (n,), and how far out a score is among usual ones."""

    scorer: Scorer
    own: Scores
    surprisal: ScoreSurprisal

    @classmethod
    def of(cls, scorer: Scorer, own: Scores, y: NDArray[np.int8]) -> _Member:
        return cls(scorer, own, ScoreSurprisal.of(own[y != 1] if (y != 1).any() else own))


class CommitteeScorer:
    """Scores rows against one support; `support_scores` (n,) are its own."""

    def __init__(self, members: tuple[_Member, ...]) -> None:
        self._members = members
        self.support_scores: Scores = np.mean([member.surprisal(member.own) for member in members], axis=0)

    def score(self, X: NDArray[np.float32]) -> Scores:
        """Score rows (m, d) → (m,), high = abnormal; a row scores the same alone or in a batch."""
        mean: Scores = np.mean([member.surprisal(member.scorer.score(X)) for member in self._members], axis=0)
        return mean
