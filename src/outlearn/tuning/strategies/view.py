"""Rows that networks read of configurations: table, settings, results elsewhere, observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from outlearn.tuning.space import Config, vectors
from outlearn.tuning.table import PerformanceTable
from outlearn.tuning.trials.observe import MEASURES, Observation

__all__ = ["OBSERVED", "UNIT", "Seen", "View", "relative_gains"]

Floats = NDArray[np.float64]
UNIT = 0.2  # of average precision, the unit of differences
CLIP = 3.0  # of scaled values, beyond which they count as the bound
SEEN = 3 * len(MEASURES) + 3  # columns that say what was seen of a configuration
OBSERVED = len(MEASURES) + 1  # values that were observed of each that was tried


@dataclass(frozen=True, slots=True)
class Seen:
    """Observations of some configurations.

    places : (K,) ascending, among those that are to choose from. measures : (K, M).
    precision : (K,) average precision of labelled anomalies; None without labels.
    """

    places: NDArray[np.int64]
    measures: Floats
    precision: Floats | None

    @classmethod
    def of(cls, seen: Mapping[int, Observation], among: NDArray[np.int64]) -> Seen:
        """Gather observations, which are numbered by place among all configurations."""
        tried = np.array(sorted(seen), dtype=np.int64)
        measures = np.array([seen[i].measures for i in tried]).reshape(len(tried), len(MEASURES))
        precisions = [seen[i].precision for i in tried]
        unlabelled = not precisions or any(value is None for value in precisions)
        precision = None if unlabelled else np.array(precisions, dtype=float)
        return cls(np.searchsorted(among, tried), measures, precision)

    @property
    def observed(self) -> NDArray[np.float32]:
        """(K, OBSERVED) measures relative to those of the others that were tried, and what labels say."""
        return np.column_stack([_relative(self.measures), self._gain]).astype(np.float32)

    @property
    def _gain(self) -> Floats:
        if self.precision is None or not len(self.places):
            return np.zeros(len(self.places))
        return np.clip(relative_gains(self.precision), -CLIP, CLIP)

    def columns(self, count: int) -> Floats:
        """Return (count, SEEN): zeros for what was not tried."""
        cells = np.zeros((count, SEEN))
        if len(self.places):
            cells[self.places] = np.column_stack(
                [
                    _relative(self.measures) / CLIP,
                    _ranks(self.measures),
                    np.clip(self.measures, -CLIP, CLIP) / CLIP,
                    np.ones(len(self.places)),
                    self._gain,
                    np.full(len(self.places), float(self.precision is not None)),
                ]
            )
        return cells


@dataclass(frozen=True)
class View:
    """Makes rows for networks.

    mean, spread : (F,) of the meta-features over the tables learnt from.
    vectors : (C, W) configurations as numbers. prior : (C,) mean average precision on those tables.
    """

    mean: Floats
    spread: Floats
    vectors: Floats
    prior: Floats

    @classmethod
    def of(cls, table: PerformanceTable) -> Self:
        """Learn the scales from a table."""
        return cls(
            table.features.mean(axis=0),
            table.features.std(axis=0) + 1e-6,
            vectors(table.configs),
            table.precision.mean(axis=0),
        )

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], configs: Sequence[Config]) -> Self:
        """Return the view that `state` describes, for the same configurations."""
        return cls(state["mean"], state["spread"], vectors(configs), state["prior"])

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the scales and the prior as arrays."""
        return {"mean": self.mean, "spread": self.spread, "prior": self.prior}

    @property
    def known(self) -> int:
        """The column of how a configuration did on other tables."""
        return len(self.mean) + int(self.vectors.shape[1])

    @property
    def width(self) -> int:
        """Number of columns of a row; the first are the meta-features."""
        return self.known + 1 + SEEN

    def rows(
        self, features: Floats, among: NDArray[np.int64], seen: Seen, prior: Floats | None = None
    ) -> NDArray[np.float32]:
        """Return (K, width) for configurations at the places `among` (K,), ascending.

        Parameters
        ----------
        features : (F,) of the table. prior : (C,) in place of that of the tables learnt from.
        """
        scaled = np.clip((features - self.mean) / self.spread, -CLIP, CLIP) / CLIP
        shared = np.repeat(scaled[None], len(among), axis=0)
        gains = relative_gains((self.prior if prior is None else prior)[among])
        return np.column_stack([shared, self.vectors[among], gains, seen.columns(len(among))]).astype(
            np.float32
        )


def relative_gains(precision: Floats) -> Floats:
    """Return average precisions (K,) relative to their mean, in `UNIT`."""
    gains: Floats = (precision - precision.mean()) / UNIT
    return gains


def _relative(measures: Floats) -> Floats:
    """Return measures (K, M) relative to those of the others that were tried."""
    if not len(measures):
        return measures
    spread = measures.std(axis=0) + 0.02
    relative: Floats = np.clip((measures - measures.mean(axis=0)) / spread, -CLIP, CLIP)
    return relative


def _ranks(measures: Floats) -> Floats:
    if not len(measures):
        return measures
    ranks: Floats = 2 * (rankdata(measures, axis=0) - 0.5) / len(measures) - 1
    return ranks
