"""A policy over a set of things of any number: what it does with one depends on all, and on no order."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Pointer"]


class Pointer(nn.Module):
    """Rows (B, A, F) and which of them are there (B, A) → logits (B, A, kinds) and values (B,).

    Each row is embedded, and judged beside the mean and the largest of all embeddings.

    Parameters
    ----------
    features : F. kinds : of things that can be done with a row.
    base : a column that is a good order already; the logits are what is learnt to add to a multiple of it.
    sure : that multiple at the start. lean : what is added to the logits of each kind at the start.

    >>> logits, values = Pointer(3, 2)(torch.zeros(4, 7, 3), torch.ones(4, 7, dtype=torch.bool))
    >>> logits.shape, values.shape
    (torch.Size([4, 7, 2]), torch.Size([4]))
    """

    def __init__(
        self,
        features: int,
        kinds: int = 1,
        width: int = 64,
        *,
        base: int | None = None,
        sure: float = 1.0,
        lean: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.base = base
        self.log_sure = nn.Parameter(torch.tensor(sure).log()) if base is not None else None
        self.embed = nn.Sequential(
            nn.Linear(features, width), nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        last = nn.Linear(width, kinds)
        self.act = nn.Sequential(nn.Linear(3 * width, width), nn.ReLU(), last)
        self.judge = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 1))
        # A policy starts near indifference: an early preference would only be chance.
        with torch.no_grad():
            last.weight.mul_(0.01)
            if lean is not None:
                last.bias.copy_(torch.tensor(lean))

    def forward(self, rows: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        embedded = self.embed(rows)
        kept = embedded * there[..., None]
        count = there.sum(dim=1, keepdim=True).clamp(min=1)
        # Embeddings are not negative, so absent rows, set to zero, change no maximum.
        pooled = torch.cat([kept.sum(dim=1) / count, kept.amax(dim=1)], dim=-1)
        beside = pooled[:, None].expand(-1, rows.shape[1], -1)
        logits = self.act(torch.cat([embedded, beside], dim=-1))
        if self.log_sure is not None:
            logits = logits + self.log_sure.exp() * rows[..., self.base, None]
        return logits, self.judge(pooled).squeeze(-1)
