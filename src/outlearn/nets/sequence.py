"""A small transformer over the time and the channels of a series.

Letters: T tokens of a stretch, C channels, S points a token, M tokens of the reference, F numbers a token,
G numbers a point, E width, H heads.

It reads the features of each point (`series.point_features`), and moves the plain mixture of `series.mixture`
up or down by what these numbers tell there. Untrained it is that mixture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SequenceConfig", "SequenceNet"]


@dataclass(frozen=True, slots=True)
class SequenceConfig:
    """Shape of the network.

    token : F. points : G. step : S. start : (G,) how much each number of a point counts at first, sharp how
    far the oddest channel speaks for all, level : slope and shift to log-odds. bound : how far what is learnt
    moves the mixture.
    """

    token: int
    points: int
    step: int
    start: tuple[float, ...]
    sharp: float
    level: tuple[float, float]
    bound: float = 0.5
    width: int = 128
    heads: int = 4
    blocks: int = 4


class SequenceNet(nn.Module):
    """Scores of points: log-odds of being anomalous, up to a shift."""

    def __init__(self, config: SequenceConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.token, config.width)
        self.blocks = nn.ModuleList(_Block(config.width, config.heads) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, config.points + 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.start: Tensor
        self.register_buffer("start", torch.tensor(config.start))
        # How far the oddest channel speaks for all; then slope and shift to log-odds.
        self.sharpness = nn.Parameter(torch.tensor(config.sharp).log())
        self.level = nn.Parameter(torch.tensor(config.level))

    def forward(self, tokens: Tensor, points: Tensor, memory: Tensor | None = None) -> Tensor:
        """Return (N,) log-odds.

        Parameters
        ----------
        tokens : (T, C, F). points : (N, C, G), N at most T·S. memory : (M, C, F) tokens of the reference.
        """
        return self.pooled(self.channels(tokens, points, memory))

    def channels(self, tokens: Tensor, points: Tensor, memory: Tensor | None = None) -> Tensor:
        """Return (N, C) how odd each channel is at each point."""
        told = _per_point(self.told(tokens, memory), self.config.step)
        return self.odd(told[: len(points)], points)

    def told(self, tokens: Tensor, memory: Tensor | None = None) -> Tensor:
        """Return (T, C, G + 1) how much more each number of a point counts at each token, and a residual."""
        x = self.embed(tokens).transpose(0, 1)  # (C, T, E)
        kept = None if memory is None else self.embed(memory).transpose(0, 1)  # (C, M, E)
        for block in self.blocks:
            x, kept = block(x, kept)
        found: Tensor = self.head(self.norm(x)).transpose(0, 1)
        return found

    def odd(self, told: Tensor, points: Tensor) -> Tensor:
        """Return (N, C) how odd channels are, by what was told (N, C, G + 1) of their numbers (N, C, G).

        What was learnt moves the plain mixture by `bound` at most.
        """
        more, bound = (told[..., :-1] * points).sum(-1) + told[..., -1], self.config.bound
        return (self.start * points).sum(-1) + bound * torch.tanh(more / bound)

    def pooled(self, odd: Tensor) -> Tensor:
        """Return (N,) log-odds of points from how odd their channels (N, C) are."""
        sharp = self.sharpness.exp()
        count = torch.log(torch.tensor(float(odd.shape[1])))
        together = (torch.logsumexp(sharp * odd, dim=1) - count) / sharp
        return self.level[0] * together + self.level[1]


def _per_point(told: Tensor, step: int) -> Tensor:
    """Return (T·S, C, K) values of tokens (T, C, K), on a line between the middles of tokens."""
    flat = told.flatten(1).T[None]  # (1, C·K, T)
    wide = functional.interpolate(flat, scale_factor=float(step), mode="linear", align_corners=False)
    return wide[0].T.reshape(-1, *told.shape[1:])


class _Block(nn.Module):
    """Attention over time, with the reference at hand, then over channels, then a feed-forward layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.time, self.across = _Attention(width, heads), _Attention(width, heads)
        self.before = nn.LayerNorm(width)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor | None]:
        x = x + self.time(x, memory, turned=True)  # (C, T, E)
        if memory is not None:
            memory = memory + self.time(memory, None, turned=False)
        x, memory = self._rest(x), None if memory is None else self._rest(memory)
        return x, memory

    def _rest(self, x: Tensor) -> Tensor:
        if len(x) > 1:
            x = x + self.across(x.transpose(0, 1), None, turned=False).transpose(0, 1)
        fed: Tensor = self.feed(self.before(x))
        return x + fed


class _Attention(nn.Module):
    """Pre-norm self-attention; `turned` by rotary positions (Su et al., 2021)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.inward = nn.Linear(width, 3 * width)
        self.outward = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor | None, *, turned: bool) -> Tensor:
        """Return (B, T, E); each token also sees memory (B, M, E), which has no place in time."""
        q, k, v = self._parts(x)
        if turned:
            q, k = _turned(q), _turned(k)
        if memory is not None:
            _, more_k, more_v = self._parts(memory)
            k, v = torch.cat([k, more_k], dim=2), torch.cat([v, more_v], dim=2)
        mixed = functional.scaled_dot_product_attention(q, k, v)  # (B, H, T, E / H)
        out: Tensor = self.outward(mixed.transpose(1, 2).flatten(2))
        return out

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        split = self.inward(self.norm(x)).unflatten(2, (3, self.heads, -1))  # (B, T, 3, H, E / H)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        return q, k, v


def _turned(x: Tensor) -> Tensor:
    """Turn (B, H, T, D) by an angle that goes with the place in time."""
    _, _, length, depth = x.shape
    rates = 1000.0 ** -(torch.arange(0, depth, 2, dtype=x.dtype, device=x.device) / depth)
    angle = torch.arange(length, dtype=x.dtype, device=x.device)[:, None] * rates  # (T, D / 2)
    cosine, sine = angle.cos(), angle.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cosine - odd * sine, even * sine + odd * cosine], dim=-1).flatten(-2)
