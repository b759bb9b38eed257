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

from outlearn.data.rows import canonical_order
from outlearn.learners.judged import label_effects, uncertainty_of
from outlearn.learners.profiles.summary import KINDS, SUMMARY, has_verdicts, kind_of, known_share, summarise
from outlearn.learners.rows.evidence import EVIDENCE, Evidence
from outlearn.learners.rows.lean import LEAN_STATISTICS, LeanProfile, LeanProfiler
from outlearn.learners.rows.lean_bank import LeanEpisode, lean_episode
from outlearn.learners.settings import seeded
from outlearn.rng import derive
from outlearn.tasks.episode import Episode

if TYPE_CHECKING:
    from torch import Tensor

    from outlearn.nets.rows import RowNet

__all__ = [
    "ARCHITECTURE",
    "Profiles",
    "ProfilesLearned",
    "ProfilesScorer",
    "Read",
    "order_of",
    "read_episode",
]

ARCHITECTURE = "profiles-1"
CHUNK = 8192  # rows profiled at once: bounds memory
GUARD = ({"standard.d20": 0.5, "isolation": 0.5}, {"standard.d1": 0.25, "standard.d5": 0.25})
"""Weights of deviations that hold the learnt order, of unlabelled supports and of references. Chosen by
networks trained on OddBench and OvRBench and judged on these (owners left out), ADBench and KEEL."""

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]


def order_of(net: RowNet, profile: Rows, normal: float) -> Floats:
    """Return the label-free order (m,) of rows by their profiles (m, 2F)."""
    import torch

    with torch.inference_mode():
        return np.asarray(net.order(torch.from_numpy(profile), normal).double().numpy())


@dataclass(frozen=True)
class _Reader:
    """From profiles to the order of rows, with the labels of the support as far as there are any."""

    net: RowNet
    normal: float
    evidence: Evidence | None

    def __call__(self, profile: LeanProfile) -> Floats:
        import torch

        order = order_of(self.net, profile.order(), self.normal)
        if self.evidence is None:
            return order
        with torch.inference_mode():
            told = torch.from_numpy(self.evidence.inputs(order, profile.labels.astype(np.float64)))
            return np.asarray(self.net.labelled(told).double().numpy())


@dataclass(frozen=True)
class Read:
    """An episode as a network reads it.

    own (n,), asked (m,) : order of the rows of support and query, labelled rows blind to their own label.
    summary : (len(SUMMARY),) of the support.
    """

    own: Floats
    asked: Floats
    summary: NDArray[np.float32]


def read_episode(net: RowNet, episode: LeanEpisode) -> Read:
    """Read an episode with the labels of its support."""
    y = episode.support_y
    reader, own = _Reader(net, known_share(y), None), _profile(episode.support, episode.support_labels)
    if has_verdicts(y):
        reader = replace(reader, evidence=Evidence(reader(own), own.labels.astype(np.float64), y))
    order = reader(own)
    asked = reader(_profile(episode.query, episode.query_labels))
    return Read(order, asked, summarise(order, own.order(), y, int(episode.columns)))


def _profile(rows: NDArray[np.float16], labels: NDArray[np.float16]) -> LeanProfile:
    tails, deviations = np.hsplit(rows.astype(np.float32), 2)
    return LeanProfile(tails, deviations, labels.astype(np.float32))


class ProfilesScorer:
    """Scores rows against one support; log-odds of being an anomaly, high = abnormal.

    contamination : the share of anomalies that is expected among unlabelled rows of the support.
    reach : the AUROC that is expected of the scores.
    strangeness : how unlike those trained on the support is; above 1 it is farther from their mean than 99 in
        100 of them.
    support_scores : (n,) scores of the support, in the order it came; `score` gives the same, at some cost.
    """

    def __init__(
        self,
        net: RowNet,
        profiler: LeanProfiler,
        reader: _Reader,
        summary: Tensor,
        support_scores: Floats,
        judged: tuple[float, float, float],
    ) -> None:
        self._net, self._profiler, self._reader, self._summary = net, profiler, reader, summary
        self.support_scores = support_scores
        self.contamination, self.reach, self.strangeness = judged

    @property
    def uncertainty(self) -> float:
        """How little the order of scores is to be trusted, 0 to 1; see `learners.judged`."""
        return uncertainty_of(self.reach, len(self.support_scores))

    def score(self, X: Rows) -> Floats:
        """Score rows (m, d) → (m,) log-odds."""
        return self._score(X, self._profiler)

    def label_effects(self, X: Rows, labelled: Rows) -> Floats:
        """Return how much each label moved the score of each row, (m, k); see `learners.judged`.

        The score is told anew with what a row looks like when one label is forgotten; how the labels as a
        whole bear each other out stays as it is.
        """
        return label_effects(self.score, self.score_without, X, labelled)

    def score_without(self, X: Rows, labelled: Rows) -> Floats:
        """Score rows (m, d) → (m,) as if the label of one row (d,) of the support were forgotten."""
        return self._score(X, self._profiler.without_label(labelled))

    def _score(self, X: Rows, profiler: LeanProfiler) -> Floats:
        out = np.empty(len(X))
        for start in range(0, len(X), CHUNK):
            order = self._reader(profiler.profile(X[start : start + CHUNK]))
            out[start : start + CHUNK] = _odds(self._net, order, self._summary)
        return out


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
        reader = _Reader(self.net, known_share(y), None)
        if has_verdicts(y):
            evidence = Evidence(reader(own), own.labels.astype(np.float64), y)
            reader = replace(reader, evidence=evidence)
        blind = reader(own)
        summary = torch.from_numpy(summarise(blind, own.order(), y, X.shape[1]))
        told = reader(profiler.profile_support(X, blind=False)) if has_verdicts(y) else blind
        scores = np.empty(len(y))
        scores[order] = _odds(self.net, told, summary)
        rest = (y == -1)[np.argsort(order)]
        chances = 1 / (1 + np.exp(-scores[rest if rest.any() else slice(None)]))
        with torch.inference_mode():
            reach = float(torch.sigmoid(self.net.expected(summary)))
            strange = float(self.net.strangeness(summary, kind_of(y)))
        judged = (float(np.clip(chances.mean(), 1e-4, 0.5)), reach, strange)
        return ProfilesScorer(self.net, profiler, reader, summary, scores, judged)


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

        deviations = torch.tensor([[each.get(name, 0.0) for name in LEAN_STATISTICS] for each in GUARD])
        guard = torch.hstack([torch.zeros_like(deviations), deviations])
        config = RowNetConfig(2 * len(LEAN_STATISTICS), len(EVIDENCE), len(SUMMARY), kinds=KINDS)
        with seeded(self.seed):
            return RowNet(config, guard).eval()

    def meta_fit(self, episodes: Iterable[Episode]) -> ProfilesLearned:
        """Train on episodes held in memory; `learners.training.metatrain` adds files and resume."""
        from outlearn.learners.profiles.fit import fit

        bank = [lean_episode(episode) for episode in episodes]
        net = self.network()
        fit(net, bank, [str(i) for i in range(len(bank))], seed=self.seed, steps=self.steps)
        return ProfilesLearned(net)
