"""The in-context learner: one forward pass reads a support, with whatever labels it has, and scores rows.

A row becomes a profile of fixed width relative to its support (`learners.profiles.profile`); a network that
does not depend on the order of rows (`nets.incontext`), meta-trained on many tasks, reads the profiles of the
support with their label state. Adapting takes no gradient step. Inductive: the score of a row depends on the
support and on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import canonical_order
from outlearn.learners.judged import label_effects, uncertainty_of
from outlearn.learners.profiles.bank import EpisodeProfiles, profile_episode, situation
from outlearn.learners.profiles.profile import LABEL_FEATURES, STATISTICS, Profiler
from outlearn.learners.training.loop import Training, train, warm_cosine
from outlearn.learners.training.settings import seeded
from outlearn.rng import derive
from outlearn.tasks.episode import Episode

if TYPE_CHECKING:
    from torch import Tensor

    from outlearn.nets.incontext import InContextNet

__all__ = ["ARCHITECTURE", "InContext", "InContextLearned", "InContextScorer"]

ARCHITECTURE = "incontext-4"
CHUNK = 8192  # rows profiled at once: bounds memory
UNUSED = -2.0  # log weight at the start of a statistic that is not named below
CONTAMINATED = dict.fromkeys(("standard.d50", "standard.clean20", "robust.d50", "robust.clean20"), 2.5)
NORMAL = {
    "standard.d1": 1.0,
    "standard.d5": 0.5,
    "standard.ratio20": 1.0,
    "rank.ratio5": 1.0,
    "robust.d5": 1.0,
    "whitened.d5": 0.5,
}
"""Mixtures to start from, as log weights: among anomalies broad views serve, among normal rows near ones."""


class InContextScorer:
    """Scores rows against one support; log-odds of being an anomaly, high = abnormal.

    contamination : the share of anomalies that the network reads in the support.
    reach : the AUROC that the network expects of its scores.
    strangeness : how unlike those trained on the support is; above 1 it is farther from their mean than 99
        in 100 of them.
    support_scores : (n,) scores of the support, in the order it came; `score` gives the same, at some cost.
    support_deviations : (n, F) each statistic of the support's rows, in that order, relative to all of them;
        see `profiles.profile.Profile`.
    """

    least_flagged: ClassVar[float] = 0.0  # see `ProfilesScorer`; a floor of .25 took F1 from .191 to .165

    def __init__(
        self,
        net: InContextNet,
        profiler: Profiler,
        read: tuple[Tensor, Tensor, Tensor],
        judged: tuple[float, float, float],
        support_scores: NDArray[np.float64],
        support_deviations: NDArray[np.float32],
    ) -> None:
        self._net, self._profiler, self._read = net, profiler, read
        self.contamination, self.reach, self.strangeness = judged
        self.support_scores, self.support_deviations = support_scores, support_deviations

    @property
    def uncertainty(self) -> float:
        """How little the order of scores is to be trusted, 0 to 1; see `learners.judged`."""
        return uncertainty_of(self.reach, len(self.support_scores), self.strangeness)

    def score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score rows (m, d) → (m,) log-odds."""
        return self._score(X, self._profiler)

    def label_effects(self, X: NDArray[np.float32], labelled: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return how much each label moved the score of each row, (m, k); see `learners.judged`.

        The score is told anew with what a row looks like when one label is forgotten; how the network reads
        the support as a whole stays as it is.
        """
        return label_effects(self.score, self.score_without, X, labelled)

    def score_without(self, X: NDArray[np.float32], labelled: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score rows (m, d) → (m,) as if the label of one row (d,) of the support were forgotten."""
        return self._score(X, self._profiler.without_label(labelled))

    def _score(self, X: NDArray[np.float32], profiler: Profiler) -> NDArray[np.float64]:
        import torch

        out = np.empty(len(X))
        with torch.inference_mode():
            for start in range(0, len(X), CHUNK):
                profile = profiler.profile(X[start : start + CHUNK]).stacked()
                logits = self._net.score(torch.from_numpy(profile)[None], *self._read)
                out[start : start + CHUNK] = logits[0].double().numpy()
        return out


@dataclass(frozen=True)
class InContextLearned:
    """A trained network. `seed` seeds the isolation forest of the profile."""

    net: InContextNet
    seed: int = 0

    def seeded(self, seed: int) -> InContextLearned:
        return replace(self, seed=seed)

    def adapt(self, X: NDArray[np.float32], y: NDArray[np.int8]) -> InContextScorer:
        """Read a support (n, d) with labels (n,) in {-1, 0, 1}; the order of rows makes no difference."""
        import torch

        order = canonical_order(X, y)
        X, y = X[order], y[order]
        profiler = Profiler(X, y, derive(self.seed), rich=True)
        with torch.inference_mode():
            profile = profiler.profile_support(X)
            support = torch.from_numpy(profile.stacked())[None]
            labels = torch.from_numpy(y.astype(np.int64))[None]
            where = torch.ones(1, len(y), dtype=torch.bool)
            about = torch.from_numpy(situation(X, y))[None]
            context = self.net.read(support, labels, where, about)
            trust = self.net.trust(support, labels, where, about)
            own = self.net.score(support, about, context, trust)
            share, reach = self.net.verdict(about, context, own, where)
            judged = (
                torch.sigmoid(share).item(),
                torch.sigmoid(reach).item(),
                self.net.strangeness(context, about).item(),
            )
            scores, deviations = np.empty(len(y)), np.empty_like(profile.deviations)
            scores[order], deviations[order] = own[0].double().numpy(), profile.deviations
        return InContextScorer(self.net, profiler, (about, context, trust), judged, scores, deviations)


@dataclass(frozen=True)
class InContext:
    """Meta-trains the network on episodes.

    Parameters
    ----------
    seed : of initialisation and batch order.
    epochs : passes over the episodes.
    width, latents, blocks : shape of the network.
    """

    seed: int = 0
    epochs: int = 4
    batch: int = 8
    rate: float = 1e-3
    width: int = 96
    latents: int = 16
    blocks: int = 2

    transductive: ClassVar[bool] = False

    def network(self) -> InContextNet:
        """Return the untrained network, the same for the same seed."""
        import torch

        from outlearn.nets.incontext import InContextConfig, InContextNet

        prior = torch.tensor(
            [[start.get(name, UNUSED) for name in STATISTICS] for start in (CONTAMINATED, NORMAL)]
        )
        config = InContextConfig(
            len(STATISTICS), len(LABEL_FEATURES), width=self.width, latents=self.latents, blocks=self.blocks
        )
        with seeded(self.seed):
            return InContextNet(config, prior)

    def meta_fit(self, episodes: Iterable[Episode]) -> InContextLearned:
        """Train on episodes held in memory; `learners.training.metatrain` adds files and resume."""
        bank = [profile_episode(episode, rich=True) for episode in episodes]
        net = self.network()
        self.train(net, bank, Training())
        return InContextLearned(net)

    def train(self, net: InContextNet, bank: list[EpisodeProfiles], how: Training) -> None:
        """Train a network in place; steps, rate and optimiser are the recipe's own."""
        import torch

        from outlearn.learners.incontext.loss import collate, episode_loss

        def objective(step: int) -> float:
            loss = episode_loss(net, self.batch_at(bank, step))
            net.zero_grad()
            torch.autograd.backward(loss)
            return float(loss.detach())

        recipe = replace(
            how,
            steps=self.epochs * max(len(bank) // self.batch, 1),
            rate=self.rate,
            schedule=warm_cosine,
            optimiser=lambda leaves, rate: torch.optim.AdamW(leaves, lr=rate, weight_decay=1e-2),
            clip=1.0,
        )
        net.train()
        train(dict(net.named_parameters()), objective, recipe)
        net.eval()
        with torch.inference_mode():
            contexts = [net.read(*collate([each])[:4]) for each in bank]
            net.remember(torch.cat(contexts), torch.from_numpy(np.stack([each.situation for each in bank])))

    def batch_at(self, bank: list[EpisodeProfiles], step: int) -> list[EpisodeProfiles]:
        """Return the batch of a step: a pure function of (seed, step), so that training resumes anywhere."""
        per_epoch = max(len(bank) // self.batch, 1)
        order = derive(self.seed, 1, step // per_epoch).permutation(len(bank))
        start = (step % per_epoch) * self.batch
        return [bank[i] for i in order[start : start + self.batch]]
