"""A small network that reads a support of row profiles and scores query rows.

Letters: B episodes, N support rows, M query rows, F statistics, P = 2F + L profile width, E width, K latents.
It is invariant to the order of support rows, and a query row never sees another query row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["InContextConfig", "InContextNet"]


@dataclass(frozen=True, slots=True)
class InContextConfig:
    """Shape of the network.

    statistics : F, statistics a row; tails come first in a profile, then deviations, then label features.
    labels : L, label features a row.
    """

    statistics: int
    labels: int
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

    The log-odds are a context-gated mean of the tail ranks (a learnt choice among classical statistics) plus
    a correction; at the start of training the correction is nil and the gate is `prior_gate`.
    """

    def __init__(self, config: InContextConfig, prior_gate: Tensor | None = None) -> None:
        super().__init__()
        self.config = config
        E = config.width
        self.embed = nn.Sequential(nn.Linear(config.profile, E), nn.GELU(), nn.Linear(E, E))
        self.label = nn.Embedding(3, E)
        self.situation = nn.Linear(5, E)
        self.latents = nn.Parameter(torch.randn(config.latents, E) * 0.2)
        self.gather = nn.ModuleList(Attend(E, config.heads) for _ in range(config.blocks))
        self.spread = nn.ModuleList(Attend(E, config.heads) for _ in range(config.blocks))
        self.norm = nn.RMSNorm(E)
        self.gate = nn.Linear(E, config.statistics)
        self.slope = nn.Linear(E, 2)
        self.correct = nn.Sequential(nn.RMSNorm(E), nn.Linear(E, E), nn.GELU(), nn.Linear(E, 1))
        self.contamination = nn.Linear(E, 1)
        for head in (self.gate, self.slope, cast(nn.Linear, self.correct[-1])):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        with torch.no_grad():
            if prior_gate is not None:
                self.gate.bias.copy_(torch.log(prior_gate + 1e-3))
            self.slope.bias.copy_(torch.tensor([0.0, -3.0]))

    def read(
        self, profile: Tensor, y: Tensor, mask: Tensor, situation: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Read supports: profile (B, N, P), y (B, N) in {-1, 0, 1}, mask (B, N), situation (B, 5).

        Returns the context (B, E) and the latents of each block (B, K, E): all that scoring needs.
        """
        rows = self.embed(_soft(profile)) + self.label(y + 1)  # (B, N, E)
        latents = self.latents + self.situation(situation)[:, None, :]  # (B, K, E)
        kept = []
        for gather, spread in zip(self.gather, self.spread, strict=True):
            latents = gather(latents, rows, mask)
            rows = spread(rows, latents)
            kept.append(latents)
        return self.norm(latents).mean(dim=1), kept

    def score(self, profile: Tensor, context: Tensor, latents: list[Tensor]) -> Tensor:
        """Score query rows: profile (B, M, P) → log-odds (B, M)."""
        rows = self.embed(_soft(profile))  # (B, M, E)
        for spread, block in zip(self.spread, latents, strict=True):
            rows = spread(rows, block)
        gate = torch.softmax(self.gate(context), dim=-1)  # (B, F)
        tails = profile[..., : self.config.statistics]  # (B, M, F)
        base = (tails * gate[:, None, :]).sum(-1)  # (B, M)
        slope, shift = self.slope(context).unbind(-1)  # (B,)
        logit: Tensor = torch.exp(slope)[:, None] * base + shift[:, None] + self.correct(rows).squeeze(-1)
        return logit

    def forward(
        self, support: Tensor, y: Tensor, mask: Tensor, situation: Tensor, query: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return query log-odds (B, M) and the log-odds of the contamination of the support (B,)."""
        context, latents = self.read(support, y, mask, situation)
        return self.score(query, context, latents), self.contamination(context).squeeze(-1)


def _soft(profile: Tensor) -> Tensor:
    # Tails of far outliers are unbounded; the network needs to know "very far", not how far.
    return profile.clamp(-8.0, 12.0) * 0.4
