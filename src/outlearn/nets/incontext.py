"""A small network that reads a support of row profiles and scores query rows.

Letters: B episodes, N support rows, M query rows, F statistics, P = 2F + L profile width, E width, K latents.
It is invariant to the order of support rows, and a query row never sees another query row.

The order of scores comes from a learnt mixture of classical statistics, chosen by what is known of the
support: all normal or not, and how wide; with labelled anomalies from that mixture, the verdicts of trees
on them and the distance to the nearest of them, each the more the better it ranks them among the rest of the
support. What more a network read there to choose by, or to move single rows, it did worse with on unlike
tables (`docs/pretraining.md`). What attention reads moves the level of all scores. Beside the
scores, a small judge tells the share of anomalies in the support and how well the scores will tell them
apart; it reads and steers nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from outlearn.nets.familiar import distance_from, measure_of
from outlearn.nets.mlp import MLP

__all__ = [
    "FIRM",
    "LEAST",
    "LOG_COLUMNS",
    "NARROW",
    "SITUATION",
    "SPARSE",
    "TRUTH",
    "USUAL",
    "InContextConfig",
    "InContextNet",
]

SITUATION = 5  # numbers that tell the situation of a support: see `learners.profiles.bank.situation`
LOG_COLUMNS = 4.0  # the second of them is the logarithm of the number of columns over this
NARROW, WIDE = 64, 6  # columns of a table up to which one mixture serves; hidden units that choose beyond
SWIFT = 5.0  # how much faster the choice beyond, and the judge, are learnt than the rest
ENOUGH = 256  # rows of a support whose scores the judge is trained on
JUDGE = 32  # hidden units of the judge
SHAPE = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 1.0)  # quantiles of the support's scores that it reads
WITNESSES = 3  # with labels: the mixture, the verdicts of trees, the nearness of labelled anomalies
USUAL = (0.75, 0.85, 0.8)  # AUROC that each of them is taken to reach on the labelled rows, untold
TRUTH = 2.0  # labels that this counts as
FIRM = (1.0, 2.0, 2.0)  # power of the evidence: where labels tell nothing, what they tell leaves first
SPARSE = 4.0  # labels at which what they tell counts half in a table far beyond NARROW columns
LEAST = 0.2  # weight that the mixture, which needs no labels, keeps in any case
KINDS = 3  # of situations; see `_kind`


@dataclass(frozen=True, slots=True)
class InContextConfig:
    """Shape of the network.

    statistics : F, statistics a row; tails come first in a profile, then deviations, then label features.
    labels : L, label features a row: log distance ratios, every third from the first on to the nearest
        labelled anomaly; the last `verdicts` are log-odds of being like the labelled anomalies.
    """

    statistics: int
    labels: int
    verdicts: int = 2
    width: int = 96
    latents: int = 16
    heads: int = 4
    blocks: int = 2

    @property
    def profile(self) -> int:
        return 2 * self.statistics + self.labels


class Attend(nn.Module):
    """Pre-norm cross-attention followed by a feed-forward layer, both residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_to, self.norm_from, self.norm_out = (nn.RMSNorm(width) for _ in range(3))
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, to: Tensor, source: Tensor, mask: Tensor | None = None) -> Tensor:
        """to (B, T, E), source (B, S, E), mask (B, S) true where a source row exists → (B, T, E)."""
        seen = self.norm_from(source)  # (B, S, E)

        def split(x: Tensor) -> Tensor:  # (B, T, E) → (B, H, T, E/H)
            return x.view(*x.shape[:-1], self.heads, -1).transpose(1, 2)

        out = functional.scaled_dot_product_attention(
            split(self.q(self.norm_to(to))),
            split(self.k(seen)),
            split(self.v(seen)),
            attn_mask=None if mask is None else mask[:, None, None, :],
        )  # (B, H, T, E/H)
        to = to + self.o(out.transpose(1, 2).flatten(-2))
        return to + self.feed(self.norm_out(to))  # type: ignore[no-any-return]


class InContextNet(nn.Module):
    """Support profiles with label states → context; query profile and context → log-odds of being an anomaly.

    Parameters
    ----------
    prior : (2, F) log weights of the mixture to start from: of a support that may hold anomalies, and of one
        that is known to be normal; nil by default.
    """

    start: Tensor
    seen: Tensor
    unlike: Tensor

    def __init__(self, config: InContextConfig, prior: Tensor | None = None) -> None:
        super().__init__()
        self.config = config
        E, F = config.width, config.statistics
        self.embed = nn.Sequential(nn.Linear(config.profile, E), nn.GELU(), nn.Linear(E, E))
        self.label = nn.Embedding(3, E)
        self.situation = nn.Linear(SITUATION, E)
        self.latents = nn.Parameter(torch.randn(config.latents, E) * 0.2)
        self.gather = nn.ModuleList(Attend(E, config.heads) for _ in range(config.blocks))
        self.spread = nn.ModuleList(Attend(E, config.heads) for _ in range(config.blocks - 1))
        self.norm = nn.RMSNorm(E)
        self.register_buffer("start", torch.zeros(2, F) if prior is None else prior.clone())
        self.prior = nn.Parameter(self.start.clone())
        self.wide = MLP(2, (WIDE,), F)
        self.share = nn.Parameter(torch.tensor(1.5))
        self.level = nn.Linear(E, 2)
        self.balance = nn.Parameter(torch.zeros(WITNESSES))
        self.beyond = nn.Parameter(torch.zeros(()))
        self.labelled = nn.Parameter(torch.tensor([-1.0, -1.0]))
        self.judge = MLP(E + SITUATION + len(SHAPE), (JUDGE,), 2)
        self.register_buffer("seen", torch.zeros(KINDS, E))
        self.register_buffer("unlike", torch.zeros(KINDS, E, E))
        for head in (self.wide.head, self.level, self.judge.head):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        with torch.no_grad():
            self.level.bias.copy_(torch.tensor([0.0, -3.0]))

    def read(self, profile: Tensor, y: Tensor, mask: Tensor, situation: Tensor) -> Tensor:
        """Read supports: profile (B, N, P), y (B, N) in {-1, 0, 1}, mask (B, N), situation (B, 5).

        Returns the context (B, E). With the situation that is all that scoring needs.
        """
        rows = self.embed(_soft(profile)) + self.label(y + 1)  # (B, N, E)
        latents = self.latents + self.situation(situation)[:, None, :]  # (B, K, E)
        latents = self.gather[0](latents, rows, mask)
        for gather, spread in zip(self.gather[1:], self.spread, strict=True):
            rows = spread(rows, latents)
            latents = gather(latents, rows, mask)
        context: Tensor = self.norm(latents).mean(dim=1)
        return context

    def mixture(self, situation: Tensor) -> Tensor:
        """Return the weights of the statistics, (B, F), which add up to 1, for situations (B, 5)."""
        normal = situation[:, 2:3]  # share of known normal rows
        prior = self.prior[0] * (1 - normal) + self.prior[1] * normal
        # Tables ask for one mixture up to NARROW columns; embeddings, which are wide, for another.
        beyond = _beyond(situation)
        wide = self.wide(torch.cat([beyond, normal], -1)) - self.wide(torch.cat([0 * beyond, normal], -1))
        mixed: Tensor = torch.softmax(prior + SWIFT * wide, -1)
        return mixed

    def witnesses(self, profile: Tensor, situation: Tensor) -> Tensor:
        """Return what tells rows (B, M, P) apart where anomalies are labelled: (B, M, 3), high = abnormal."""
        F, verdicts = self.config.statistics, self.config.profile - self.config.verdicts
        normal = situation[:, 2, None, None]
        tails, deviations = profile[..., :F], profile[..., F : 2 * F]  # (B, M, F)
        # Deviations tell how far; where all is known to be normal, ranks tell something besides.
        ranked = normal * torch.sigmoid(-self.share)
        evidence = (1 - ranked) * deviations + ranked * tails
        base = (evidence * self.mixture(situation)[:, None, :]).sum(-1)  # (B, M)
        near = -profile[..., 2 * F : verdicts : 3].mean(-1)
        return torch.stack([base, profile[..., verdicts:].sum(-1), near], -1)

    @torch.no_grad()
    def trust(self, support: Tensor, y: Tensor, mask: Tensor, situation: Tensor) -> Tensor:
        """Weigh the witnesses, (B, 3), by how well each ranks the labelled anomalies of the support itself.

        The features of a labelled row are told without its own label, so this is evidence, not memory; of a
        single label only the mixture can be judged. 1 is the weight at a usual AUROC, 0 at one of .5. Few
        labels tell little where there are many directions: beyond NARROW columns they count less.
        Arguments as of `read`.
        """
        told = self.witnesses(support, situation)
        usual = torch.tensor(USUAL)
        weights = torch.ones(len(told), WITNESSES)
        for i, labelled in enumerate((y == 1) & mask):
            count = int(labelled.sum())
            if count == 0 or bool((labelled == mask[i]).all()):
                continue
            reached = _auroc(told[i][labelled], told[i][mask[i] & ~labelled])  # (3,)
            heard = torch.tensor([count, count - 1, count - 1])
            expected = (heard * reached + TRUTH * usual) / (heard + TRUTH)
            odds = torch.logit(expected.clamp(0.5, 0.995)) / torch.logit(usual)
            weights[i] = odds ** torch.tensor(FIRM)
            weights[i, 1:] *= count / (count + SPARSE * _beyond(situation)[i])
        weights[:, 0].clamp_(min=LEAST)
        return weights

    def score(self, profile: Tensor, situation: Tensor, context: Tensor, trust: Tensor) -> Tensor:
        """Score query rows: profile (B, M, P) → log-odds (B, M)."""
        told = self.witnesses(profile, situation)
        labelled = (situation[:, 4] > 0).float()
        # The wider the table, the more the mixture counts beside what labels tell.
        weight = self.balance + SWIFT * self.beyond * _beyond(situation) * torch.eye(WITNESSES)[0]  # (B, 3)
        heard = (told * (trust * torch.exp(weight))[:, None, :]).sum(-1)  # (B, M)
        order = torch.where(labelled[:, None] > 0, heard, told[..., 0])
        slope, shift = (self.level(context) + labelled[:, None] * self.labelled).unbind(-1)  # (B,)
        logit: Tensor = torch.exp(slope)[:, None] * order + shift[:, None]
        return logit

    def verdict(
        self, situation: Tensor, context: Tensor, scores: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Judge supports by their own scores (B, N), mask (B, N).

        Returns the log-odds of the share of anomalies, (B,), and of the probability that an anomaly scores
        above a normal row (its AUROC), (B,).
        """
        points = torch.tensor(SHAPE, dtype=scores.dtype)
        shape = torch.stack([_soft(torch.quantile(z[m], points)) for z, m in zip(scores, mask, strict=True)])
        share, reach = SWIFT * self.judge(torch.cat([context, situation, shape], -1).detach()).T
        return share, reach

    def forward(
        self, support: Tensor, y: Tensor, mask: Tensor, situation: Tensor, query: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return query log-odds (B, M) and the two of `verdict`, (B,) each."""
        context = self.read(support, y, mask, situation)
        trust = self.trust(support, y, mask, situation)
        with torch.no_grad():
            # Rows of a support come in random order: some tell the shape of all.
            own = self.score(support[:, :ENOUGH], situation, context, trust)
        share, reach = self.verdict(situation, context, own, mask[:, :ENOUGH])
        return self.score(query, situation, context, trust), share, reach

    def remember(self, contexts: Tensor, situations: Tensor) -> None:
        """Keep what supports trained on look like, for `strangeness`: contexts (S, E), situations (S, 5)."""
        kinds = _kind(situations)
        for kind in sorted(set(kinds.tolist())):
            self.seen[kind], self.unlike[kind] = measure_of(contexts[kinds == kind])

    def strangeness(self, context: Tensor, situation: Tensor) -> Tensor:
        """Return the Mahalanobis distances (B,) of contexts (B, E) from those trained on in such a situation.

        1 is the distance of the farthest hundredth of these; 0 where the network remembers none.
        """
        kind = _kind(situation)
        return distance_from(self.seen[kind], self.unlike[kind], context)

    def drift(self) -> Tensor:
        """Return how far the mixtures for narrow tables went from their start: () squared distance."""
        moved = torch.softmax(self.prior, -1) - torch.softmax(self.start, -1)
        both: Tensor = moved.square().sum() + self.balance.square().sum()
        return both


def _auroc(anomalies: Tensor, others: Tensor) -> Tensor:
    """Return the AUROC of each column: anomalies (k, C), others (n, C) → (C,)."""
    ordered = others.T.sort(-1).values.contiguous()  # (C, n)
    values = anomalies.T.contiguous()  # (C, k)
    below = torch.searchsorted(ordered, values) + torch.searchsorted(ordered, values, right=True)
    return below.float().mean(-1) / (2 * len(others))


def _kind(situation: Tensor) -> Tensor:
    """Tell supports (B, 5) apart: 0 nothing known, 1 mostly known normal, 2 with labelled anomalies."""
    labelled, normal = situation[:, 4] > 0, situation[:, 2] > 0.5
    kinds: Tensor = torch.where(labelled, 2, normal.long())
    return kinds


def _beyond(situation: Tensor) -> Tensor:
    """Return how far supports (B, 5) are beyond NARROW columns, 0 to 1: (B, 1)."""
    return (situation[:, 1:2] * LOG_COLUMNS - math.log(NARROW)).clamp(0.0, 2.0) / 2


def _soft(profile: Tensor) -> Tensor:
    # Tails of far outliers are unbounded; the network needs to know "very far", not how far.
    return profile.clamp(-8.0, 12.0) * 0.4
