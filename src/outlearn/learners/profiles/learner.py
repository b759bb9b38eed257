"""Adapting and scoring by a trained network on row profiles; no gradient step is taken.

Inductive: the score of a row depends on the support and on nothing else. The label of a confirmed row counts
where the row, or an exact copy of it, is scored: a confirmed case is like itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from outlearn.data.rows import canonical_order, row_hash
from outlearn.learners.judged import label_effects, uncertainty_of
from outlearn.learners.profiles.evidence import EVIDENCE
from outlearn.learners.profiles.lean import LEAN_STATISTICS, VERSION, LeanProfile, LeanProfiler
from outlearn.learners.profiles.lean_bank import lean_episode
from outlearn.learners.profiles.reading import Reader
from outlearn.learners.profiles.summary import JUDGED, KINDS, SUMMARY, kind_of, summarise
from outlearn.learners.profiles.verdicts import has_verdicts
from outlearn.learners.training.settings import seeded
from outlearn.rng import derive
from outlearn.tasks.episode import Episode

if TYPE_CHECKING:
    from torch import Tensor

    from outlearn.nets.rows import RowNet

__all__ = [
    "ARCHITECTURE",
    "LEAST_FLAGGED",
    "Profiles",
    "ProfilesLearned",
    "ProfilesScorer",
]

ARCHITECTURE = f"profiles-{VERSION}"
SAMPLE = 1000  # rows of a support by which the effect of a forgotten label is measured
LEAST_FLAGGED = (
    0.3  # probability from which on a row is flagged: noise, clusters too, holds next to none above it
)
LEAST_SHARE = 1e-4  # of anomalies that is ever expected of a support
CHUNK = 8192  # rows profiled at once: bounds memory
GUARD = ({"log.d20": 0.5, "isolation": 0.5}, {"log.d1": 0.15, "log.d5": 0.15})
"""Weights of deviations that hold the learnt order, of unlabelled supports and of references. Chosen by
networks trained on OddBench and OvRBench and judged on these (owners left out), ADBench and KEEL."""

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Sample:
    """Rows of a support (n, d) with their labels (n,) and their profiles."""

    X: Rows
    y: NDArray[np.int8]
    profile: LeanProfile


class ProfilesScorer:
    """Scores rows against one support; log-odds of being an anomaly, high = abnormal.

    contamination : the share of anomalies that is expected in the support, labelled rows by label.
    reach : the AUROC that is expected of the scores.
    strangeness : how unlike those trained on the support is; above 1 it is farther from their mean than 99 in
        100 of them.
    support_scores : (n,) scores of the support, in the order it came; `score` gives the same, at some cost.
    least_flagged : probability below which no row should be flagged.
    """

    least_flagged: ClassVar[float] = LEAST_FLAGGED

    def __init__(
        self,
        net: RowNet,
        profiler: LeanProfiler,
        reader: Reader,
        summary: Tensor,
        sample: _Sample,
        support_scores: Floats,
        judged: tuple[float, float, float],
    ) -> None:
        self._net, self._profiler, self._reader, self._summary = net, profiler, reader, summary
        self._sample = sample
        self.support_scores = support_scores
        self.contamination, self.reach, self.strangeness = judged

    @property
    def uncertainty(self) -> float:
        """Return how little the order of scores is to be trusted, 0 to 1, with so many rows compared with."""
        return uncertainty_of(self.reach, int(self._profiler.kept.sum()), self.strangeness)

    def score(self, X: Rows) -> Floats:
        """Score rows (m, d) → (m,) log-odds."""
        return self._score(X, self._profiler, self._reader, self._summary)

    def label_effects(self, X: Rows, labelled: Rows) -> Floats:
        """Return how much each label moved the score of each row, (m, k); see `learners.judged`.

        The rows are scored anew with one label forgotten: see `score_without`.
        """
        return label_effects(self.score, self.score_without, X, labelled)

    def score_without(self, X: Rows, labelled: Rows) -> Floats:
        """Score rows (m, d) → (m,) as if the label of one row (d,) of the support were forgotten.

        How that changes evidence and level is read off some rows of the support, the labelled ones among
        them; the row stays out of, or in, what others are compared with.
        """
        some = self._sample
        y = np.where(row_hash(some.X) == row_hash(labelled[None]), -1, some.y).astype(np.int8)
        own = replace(some.profile, labels=self._profiler.blind_labels(some.X, labelled))
        reader = Reader.of(self._net, own, y)
        summary = _summary(reader(own), own, y, some.X.shape[1])
        return self._score(X, self._profiler.without_label(labelled), reader, summary)

    def _score(self, X: Rows, profiler: LeanProfiler, reader: Reader, summary: Tensor) -> Floats:
        out = np.empty(len(X))
        for start in range(0, len(X), CHUNK):
            order = reader(profiler.profile(X[start : start + CHUNK]))
            out[start : start + CHUNK] = _odds(self._net, order, summary)
        return out


def _summary(order: Floats, profile: LeanProfile, y: NDArray[np.int8], columns: int) -> Tensor:
    import torch

    return torch.from_numpy(summarise(order, profile.order(), y, columns))


def _odds(net: RowNet, order: Floats, summary: Tensor) -> Floats:
    import torch

    with torch.inference_mode():
        return np.asarray(net.odds(torch.from_numpy(order).float(), summary).double().numpy())


@dataclass(frozen=True)
class ProfilesLearned:
    """A trained network. `seed` seeds the isolation forest and the trees of the profile."""

    net: RowNet
    seed: int = 0

    def seeded(self, seed: int) -> ProfilesLearned:
        return replace(self, seed=seed)

    def adapt(self, X: Rows, y: NDArray[np.int8]) -> ProfilesScorer:
        """Read a support (n, d) with labels (n,) in {-1, 0, 1}; the order of rows makes no difference."""
        import torch

        order = canonical_order(X, y)
        X, y = X[order], y[order]
        profiler = LeanProfiler(X, y, derive(self.seed))
        own = profiler.profile_support(X, blind=True)
        reader = Reader.of(self.net, own, y)
        blind = reader(own)
        summary = _summary(blind, own, y, X.shape[1])
        informed = reader(profiler.profile_support(X, blind=False)) if has_verdicts(y) else blind
        scores = np.empty(len(y))
        scores[order] = _odds(self.net, informed, summary)
        chances = expit(scores[order][y == -1])
        share = float(chances.sum() + (y == 1).sum()) / len(y)
        with torch.inference_mode():
            reach = float(torch.sigmoid(self.net.expected(summary)))
            strange = float(self.net.strangeness(summary, kind_of(y)))
        judged = (min(max(share, LEAST_SHARE), 1.0), reach, strange)
        some = (y >= 0) | (np.arange(len(y)) < SAMPLE)
        profile = LeanProfile(own.tails[some], own.deviations[some], own.labels[some])
        sample = _Sample(X[some], y[some], profile)
        return ProfilesScorer(self.net, profiler, reader, summary, sample, scores, judged)


@dataclass(frozen=True)
class Profiles:
    """Meta-trains the network on episodes.

    Parameters
    ----------
    seed : of initialisation and of what each step sees.
    steps : of each of the three parts that order rows.
    """

    seed: int = 0
    steps: int = 1500

    transductive: ClassVar[bool] = False

    def network(self) -> RowNet:
        """Return the untrained network, the same for the same seed."""
        import torch

        from outlearn.nets.rows import RowNet, RowNetConfig

        deviations = torch.tensor([[case.get(name, 0.0) for name in LEAN_STATISTICS] for case in GUARD])
        guard = torch.hstack([torch.zeros_like(deviations), deviations])
        config = RowNetConfig(2 * len(LEAN_STATISTICS), len(EVIDENCE), len(SUMMARY), JUDGED, kinds=KINDS)
        with seeded(self.seed):
            return RowNet(config, guard).eval()

    def meta_fit(self, episodes: Iterable[Episode]) -> ProfilesLearned:
        """Train on episodes held in memory; `learners.training.metatrain` adds files and resume."""
        from outlearn.learners.profiles.fit import fit

        bank = [lean_episode(episode) for episode in episodes]
        net = self.network()
        fit(net, bank, [str(i) for i in range(len(bank))], seed=self.seed, steps=self.steps)
        return ProfilesLearned(net)
