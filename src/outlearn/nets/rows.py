"""A small network that scores rows by their profiles, one row at a time.

Letters: M rows, P = 2F numbers of a lean profile, V numbers of evidence, S numbers that sum a support up.

The order of rows is a function of each row's own profile and of nothing else: what reads a table as a whole
learns what marks the tables it was trained on. Labels move it by what they say of the row and by how well
they bear each other out. A reading of the support as a whole sets the level of all scores, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from outlearn.nets.familiar import distance_from, measure_of
from outlearn.nets.mlp import MLP

__all__ = ["PLACE", "RowNet", "RowNetConfig"]

UNLIKE = 4.0  # standard deviations that a number of a summary counts as off, at most
PLACE = 2  # first numbers of a summary, which say where a gap is
STEEPNESS = 4.0  # of the step at a gap, by its half width: 98 % of it lie within the gap
LATER = 4.0  # what holds that step near nothing before training
MOST_LIFTED = 8.0  # log-odds
SOFT = 0.3  # profiles of far outliers are unbounded; the network needs to know "very far", not how far


@dataclass(frozen=True, slots=True)
class RowNetConfig:
    """Shape of the network.

    profile : P. evidence : V. summary : S, of which the first two are the middle of the widest gap between
    the oddest rows of the support and half the width of the gap. widths : of the hidden layers that order
    rows. judged : the last numbers of a summary, from which the AUROC to expect is read. level : hidden
    units of what reads a summary. kinds : of supports that are remembered apart.
    """

    profile: int
    evidence: int
    summary: int
    judged: int
    widths: tuple[int, ...] = (32, 32)
    level: int = 32
    kinds: int = 4


class Skip(nn.Module):
    """Hidden layers beside a linear map, (…, inputs) → (…); before training it adds nothing."""

    def __init__(self, inputs: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.deep, self.straight = MLP(inputs, widths, 1), nn.Linear(inputs, 1)
        for head in (self.deep.head, self.straight):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = (self.deep(x) + self.straight(x)).squeeze(-1)
        return out

    def ignore(self, inputs: Tensor) -> None:
        """Take all weight from some of the inputs, (inputs,) bool: those that were never seen in training."""
        with torch.no_grad():
            for layer in (self.deep.get_submodule("body.linear0"), self.straight):
                layer.get_parameter("weight")[:, inputs] = 0.0


class RowNet(nn.Module):
    """Profiles, evidence and summaries → order, log-odds and expected AUROC.

    Parameters
    ----------
    guard : (2, P) weights in the order, beside what is learnt, of unlabelled supports and of references; nil
        by default. Before training they are all that orders rows.
    """

    guard: Tensor
    centre: Tensor
    spread: Tensor
    seen: Tensor
    unlike: Tensor

    def __init__(self, config: RowNetConfig, guard: Tensor | None = None) -> None:
        super().__init__()
        self.config = config
        self.unlabelled = Skip(config.profile, config.widths)
        self.reference = Skip(config.profile, config.widths)
        self.verdicts = Skip(config.evidence, config.widths)
        self.level = MLP(config.summary, (config.level,), 3)
        self.judge = MLP(config.judged, (config.level,), 1)
        self.register_buffer("guard", torch.zeros(2, config.profile) if guard is None else guard.clone())
        self.register_buffer("centre", torch.zeros(config.summary))
        self.register_buffer("spread", torch.ones(config.summary))
        self.register_buffer("seen", torch.zeros(config.kinds, config.summary))
        self.register_buffer("unlike", torch.zeros(config.kinds, config.summary, config.summary))
        for head in (self.level.head, self.judge.head):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    @staticmethod
    def soften(profile: Tensor) -> Tensor:
        """Return profiles (M, P) as the parts that order rows read them."""
        return profile.clamp(-8.0, 12.0) * SOFT

    def order(self, profile: Tensor, normal: float) -> Tensor:
        """Order rows without labels: (M, P) → (M,).

        The guard holds back the learnt part; it is right more often on tables unlike those learnt from.

        normal : share of the support's rows that are known to be normal, anomalies apart.
        """
        soft = self.soften(profile)
        parts = ((self.unlabelled, self.guard[0], 1 - normal), (self.reference, self.guard[1], normal))
        shares = [share * (net(soft) + profile @ guard) for net, guard, share in parts if share > 0]
        out: Tensor = torch.stack(shares).sum(0)
        return out

    def labelled(self, order: Tensor, evidence: Tensor) -> Tensor:
        """Move the order (…, M) that needs no labels by evidence (…, M, V) from labels → (…, M)."""
        out: Tensor = order + self.verdicts(evidence)
        return out

    def odds(self, order: Tensor, summary: Tensor) -> Tensor:
        """Turn orders (…, M) into log-odds (…, M), by summaries (…, S) of their supports.

        A straight line, and a step up at the gap that parts the oddest rows from the others.
        """
        slope, shift, step = self.level(self._relative(summary)).split(1, dim=-1)  # (…, 1) each
        middle, half = summary[..., :1], summary[..., 1:2]
        lift = nn.functional.softplus(step - LATER).clamp(max=MOST_LIFTED)
        beyond = torch.sigmoid(STEEPNESS * (order - middle) / half)
        out: Tensor = torch.exp(slope.clamp(-3.0, 3.0)) * order + shift + lift * beyond
        return out

    def expected(self, summary: Tensor) -> Tensor:
        """Return the log-odds of the AUROC to expect, by summaries (…, S) of supports: (…,)."""
        out: Tensor = self.judge(self._relative(summary)[..., -self.config.judged :]).squeeze(-1)
        return out

    def _relative(self, summary: Tensor) -> Tensor:
        out: Tensor = ((summary - self.centre) / self.spread).clamp(-UNLIKE, UNLIKE)
        return out

    def scale(self, summaries: Tensor) -> None:
        """Let level and judge read summaries relative to those trained on, (T, S)."""
        self.centre.copy_(summaries.mean(0))
        self.spread.copy_(summaries.std(0, correction=0) + 1e-6)

    def remember(self, summaries: Sequence[Tensor], kinds: Sequence[int]) -> None:
        """Keep what supports trained on look like, for `strangeness`."""
        for kind in sorted(set(kinds)):
            there = torch.stack([s for s, k in zip(summaries, kinds, strict=True) if k == kind])
            self.seen[kind], self.unlike[kind] = measure_of(there)

    def strangeness(self, summary: Tensor, kind: int) -> Tensor:
        """Return the Mahalanobis distance () of a summary (S,) from those trained on of its kind.

        1 is the distance of the farthest hundredth of these; 0 where the network remembers none.
        """
        return distance_from(self.seen[[kind]], self.unlike[[kind]], summary[None])[0]
