"""The scorers of points of series: which there are, how one adapts, and which scores which series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from outlearn.data.series import Series
from outlearn.detectors.labelled_series import LabelledSeries
from outlearn.errors import ParameterError
from outlearn.learners.catalogue import CATALOGUE
from outlearn.learners.pretrained import load_table_learner
from outlearn.learners.series.fleet import FleetScorer
from outlearn.learners.series.transformer import SequenceScorer, load_sequence
from outlearn.ranges import runs
from outlearn.series.basis import Basis
from outlearn.series.mixture import Mixture
from outlearn.series.point_features import PointFeatures, without
from outlearn.series.pool import POOL, PoolScorer

__all__ = [
    "DISTANCES",
    "FLEET",
    "RANKING",
    "SEQUENCE",
    "CausalScorer",
    "PointScorer",
    "Scorers",
    "adapt_scorer",
    "check_detector",
]

Floats = NDArray[np.float64]
DISTANCES, SEQUENCE = "distances", "sequence"
FLEET = tuple(
    name for name, kind in CATALOGUE.items() if kind.family in ("gradient", "metric")
)  # trained on one's own machines
RANKING = (*FLEET, *sorted(POOL))  # whose scores rank and are no log-odds
ALONE = 256  # points of a series from which on it is compared with its own past, not with that of all
CausalScorer = Mixture | SequenceScorer
PointScorer = CausalScorer | FleetScorer | PoolScorer


def check_detector(detector: str, weights: str | Path | None) -> None:
    """Refuse a detector that there is not, and weights that are missing or would be left unread."""
    if detector not in (DISTANCES, SEQUENCE, *RANKING):
        names = ", ".join((DISTANCES, SEQUENCE, *RANKING))
        raise ParameterError(f"detector is {detector!r}; wanted one of {names}")
    trained = (SEQUENCE, *FLEET)
    if detector in trained and weights is None:
        command = "learn-series" if detector == SEQUENCE else "learn-fleet"
        raise ParameterError(
            f"detector is {detector!r} and no weights came: none ship with the package, for on real "
            f"series plain distances rank better; train some with `outlearn {command}` and name the file"
        )
    if weights is not None and detector not in trained:
        raise ParameterError(
            f"weights came ({weights}) and detector is {detector!r}, which takes none; name "
            f"the one that they are of: {', '.join(trained)}"
        )


def adapt_scorer(
    detector: str, weights: str | Path | None, known: Sequence[LabelledSeries], *, normal: bool, seed: int
) -> PointScorer:
    """Adapt a detector to series.

    weights : path of its checkpoint. normal : whether all points of the past are known to be normal.

    Raises
    ------
    WeightsError
        When the checkpoint cannot be used, or was trained on another number of channels.
    """
    cases = [runs(labelled.labels == 1) for labelled in known]
    # Beside a normal past only what is known to be normal is usual: of a later series maybe little.
    apart = [runs(labelled.labels != 0) if normal else runs(labelled.labels == 1) for labelled in known]
    whole = Basis.of([labelled.series for labelled in known])
    usual = [without(stretches, away) for stretches, away in zip(whole.stretches, apart, strict=True)]
    if detector in POOL:
        return PoolScorer(detector, replace(whole, stretches=usual), seed)
    points = PointFeatures.fit(whole, cases, usual=usual, seed=seed)
    if detector == DISTANCES:
        return Mixture(points, normal)
    path = Path(weights or "")
    if detector == SEQUENCE:
        return load_sequence(path).adapt(points, normal=normal)
    past = [(labelled.series, labelled.labels) for labelled in known]
    return FleetScorer.of(load_table_learner(detector, path), points, past)


@dataclass(frozen=True, slots=True, eq=False)
class Scorers:
    """The scorers of a fitted detector: one a long series, and one to all, for those short or new.

    known : the series that were learnt from. normal : whether their points are known to be. own : scorers of
    long series, by their key. common : the one to all.
    """

    known: tuple[LabelledSeries, ...]
    normal: bool
    own: Mapping[str, PointScorer]
    common: PointScorer

    @classmethod
    def adapt(
        cls,
        known: Sequence[LabelledSeries],
        normal: bool,
        make: Callable[[Sequence[LabelledSeries]], PointScorer],
    ) -> Self:
        """Adapt a scorer, by `make`, to each long series and one to all."""
        long = {
            labelled.series.key for labelled in known if _telling(labelled.labels, normal=normal) >= ALONE
        }
        own = {
            key: make([labelled for labelled in known if labelled.series.key == key]) for key in sorted(long)
        }
        alone = len(long) == 1 and all(labelled.series.key in long for labelled in known)
        return cls(tuple(known), normal, own, next(iter(own.values())) if alone else make(known))

    @property
    def tell(self) -> bool:
        """Whether every mixture among the scorers has two windows of its past to compare."""
        return all(
            scorer.point_features.patches.tells()
            for scorer in (*self.own.values(), self.common)
            if isinstance(scorer, Mixture)
        )

    def of_key(self, key: str) -> PointScorer:
        """Return the scorer of the series with a key."""
        return self.own.get(key, self.common)

    def of(self, series: Series) -> tuple[PointScorer, list[LabelledSeries], int | None]:
        """Return the scorer of a series, what it compares with, and which of those the series is, if any."""
        scorer = self.of_key(series.key)
        mates = [
            labelled for labelled in self.known if scorer is self.common or labelled.series.key == series.key
        ]
        # What is known to be normal is compared with itself too; a learner is to see it as it sees others.
        if self.normal and not isinstance(scorer, FleetScorer):
            return scorer, mates, None
        return scorer, mates, next((i for i, mate in enumerate(mates) if mate.is_of(series)), None)

    def score(self, series: Series) -> tuple[Floats, Floats]:
        """Return (n,) raw scores of points, high = abnormal, and (n, c) how odd each channel is."""
        scorer, _, own = self.of(series)
        return scorer.channels(series, own)


def _telling(labels: NDArray[np.int8], *, normal: bool) -> int:
    """Return how many points (n,) of a series show what is usual."""
    return int(np.sum(labels == 0 if normal else labels != 1))
