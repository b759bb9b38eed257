"""A network that tells how well configurations will do on a table, and adapts to what was seen of some.

It reads the meta-features of the table, the configuration, how it did on other tables, and, of those that
were tried, what was seen. MAML (`learners.maml`) trains it so that a few gradient steps on the tried make it
better on all. Without labels these steps go towards what the observations say together, each believed as
far as it was found to be worth across tables (`nets.trust`); with labels the average precision that was
seen is one more observation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from outlearn.learners.batch import stack
from outlearn.learners.fit import meta_fit
from outlearn.learners.gradient import GradientLearned
from outlearn.learners.loop import Training, warm_cosine
from outlearn.learners.maml import MAML
from outlearn.rng import derive
from outlearn.tasks.task import Task
from outlearn.tuning.observe import MEASURES, Observation
from outlearn.tuning.portfolio import average_precisions
from outlearn.tuning.space import vectors
from outlearn.tuning.table import PerformanceTable

if TYPE_CHECKING:
    from outlearn.learners.batch import Batch

__all__ = ["Surrogate"]

Floats = NDArray[np.float64]
UNIT = 0.2  # of average precision, that differences are told in
CLIP = 3.0
LABELS = 5  # anomalies whose labels are simulated
ENOUGH = 2 * LABELS  # anomalies of a query that some can be labelled of
SEEN = 3 * len(MEASURES) + 3  # columns that tell what was seen of a configuration
OBSERVED = len(MEASURES) + 1  # values that the inner loop believes more or less
BATCH = 8
FORGET = 0.2  # share of the tasks whose meta-features are hidden in training: there are few tables


@dataclass(frozen=True)
class Scaling:
    """Mean and spread of the meta-features over the tables learnt from."""

    mean: Floats
    spread: Floats

    def __call__(self, features: Floats) -> Floats:
        scaled: Floats = np.clip((features - self.mean) / self.spread, -CLIP, CLIP) / CLIP
        return scaled


class Surrogate:
    """Tells how far above the mean of all configurations the average precision of each will be.

    Parameters
    ----------
    table : what it learns from.
    steps : of meta-training. inner : gradient steps on what was seen; 0 for none.
    """

    def __init__(
        self, table: PerformanceTable, seed: int = 0, *, steps: int = 500, inner: int = 1, width: int = 64
    ) -> None:
        import torch

        from outlearn.nets.losses import squared_error
        from outlearn.nets.mlp import MLP
        from outlearn.nets.trust import Trust

        gains = _gains(table.precision)
        self._scaling = Scaling(table.features.mean(axis=0), table.features.std(axis=0) + 1e-6)
        self._vectors, self._prior = vectors(table.configs), gains.mean(axis=0)
        # In training a table may not tell of itself through the mean over tables.
        others = (gains.sum(axis=0) - gains) / max(len(gains) - 1, 1)
        columns = table.features.shape[1] + self._vectors.shape[1] + 1 + SEEN
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = MLP(columns, (width, width), 1, normalise=True)
        learner = MAML(
            module=net,
            loss=Trust(OBSERVED),
            query_loss=squared_error,
            steps=inner,
            rate=0.05,
            rates="one" if inner else "fixed",
        )
        recipe = Training(
            steps=steps,
            rate=2e-3,
            schedule=warm_cosine,
            clip=5.0,
            optimiser=lambda leaves, rate: torch.optim.AdamW(leaves, lr=rate, weight_decay=1e-2),
        )
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # a second thread makes steps of so small a network slower
        try:
            meta = meta_fit(learner, lambda step: self._batch(table, gains, others, seed, step), recipe)
        finally:
            torch.set_num_threads(threads)
        self._learned = GradientLearned(learner, meta)

    def expect(self, features: Floats, seen: Mapping[int, Observation]) -> Floats:
        """Return (C,) the gain expected of each configuration, in average precision.

        Parameters
        ----------
        features : (F,) of the table. seen : what was seen, by configuration.
        """
        tried = np.array(sorted(seen), dtype=np.int64)
        measures = np.array([seen[i].measures for i in tried]).reshape(len(tried), len(MEASURES))
        told = [seen[i].precision for i in tried]
        precision = None if any(value is None for value in told) or not told else np.array(told, dtype=float)
        rows, observed = self._rows(features, tried, measures, precision, self._prior)
        if not len(tried):
            nothing = np.zeros((1, OBSERVED), dtype=np.float32)
            scorer = self._learned.adapt(rows[:1], nothing, steps=0)
        else:
            scorer = self._learned.adapt(rows[tried], observed)
        return np.asarray(scorer.score(rows), dtype=np.float64).ravel() * UNIT

    def _rows(
        self,
        features: Floats,
        tried: NDArray[np.int64],
        measures: Floats,
        precision: Floats | None,
        prior: Floats,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what the network reads of all configurations, (C, …), and what was observed of the tried."""
        relative, ranks = _relative(measures), _ranks(measures)
        gain = np.zeros(len(tried)) if precision is None else np.clip(_gains(precision[None])[0], -CLIP, CLIP)
        seen = np.zeros((len(self._vectors), SEEN))
        known = float(precision is not None)
        if len(tried):
            seen[tried] = np.column_stack(
                [
                    relative / CLIP,
                    ranks,
                    np.clip(measures, -CLIP, CLIP) / CLIP,
                    np.ones(len(tried)),
                    gain,
                    np.full(len(tried), known),
                ]
            )
        shared = np.repeat(self._scaling(features)[None], len(seen), axis=0)
        rows = np.column_stack([shared, self._vectors, prior, seen]).astype(np.float32)
        return rows, np.column_stack([relative, gain]).astype(np.float32)

    def _batch(self, table: PerformanceTable, gains: Floats, priors: Floats, seed: int, step: int) -> Batch:
        rng = derive(seed, 0x5A6, step)
        return stack([self._task(table, gains, priors, int(t), rng) for t in rng.choice(len(gains), BATCH)])

    def _task(
        self, table: PerformanceTable, gains: Floats, priors: Floats, t: int, rng: np.random.Generator
    ) -> Task:
        """Return one table as a task: some configurations tried, all to be told."""
        count = len(table.configs)
        wanted = int(rng.integers(min(4, count), min(40, count) + 1))
        working = np.flatnonzero(~table.failed[t])
        tried = np.sort(rng.choice(working, min(wanted, len(working)), replace=False))
        truth, goal, precision = table.truths[t], gains[t], None
        if truth.sum() >= ENOUGH and rng.random() < 0.5:
            precision, goal = _labelled(table.ranks[t], truth, tried, rng)
        rows, observed = self._rows(table.features[t], tried, table.measures[t, tried], precision, priors[t])
        if rng.random() < FORGET:
            rows[:, : table.features.shape[1]] = 0.0
        weight = np.where(np.isin(np.arange(count), tried), 1.0, 0.3).astype(np.float32)
        return Task(rows[tried], observed, rows, goal.astype(np.float32), None, weight)


def _labelled(
    ranks: NDArray[np.floating], truth: NDArray[np.int8], tried: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Simulate labels of a few anomalies: the precision seen of those tried, and the gains on the rest."""
    odd = rng.permutation(np.flatnonzero(truth == 1))
    told, rest = np.zeros_like(truth), truth.copy()
    told[odd[:LABELS]] = 1
    rest[odd[:LABELS]] = 0
    kept = told == 0
    seen = average_precisions(told, ranks[tried])
    return seen, _gains(average_precisions(rest[kept], ranks[:, kept])[None])[0]


def _gains(precision: Floats) -> Floats:
    """Return average precisions (T, C) relative to the mean of all configurations of a task, in `UNIT`."""
    gains: Floats = (precision - precision.mean(axis=1, keepdims=True)) / UNIT
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
