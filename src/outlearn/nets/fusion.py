"""A network that weighs the verdicts of several modalities of a record into one.

Letters: B tasks, R rows, M modalities, V what a modality says of a row, C what is known of a modality.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from outlearn.nets.mlp import MLP

__all__ = ["FusionConfig", "FusionNet"]

_FIRST = -0.5  # softplus of it is about a half: every voice counts the same before training


@dataclass(frozen=True, slots=True)
class FusionConfig:
    """Constructor arguments: numbers that a modality says of a row, that are known of it, and the width."""

    voices: int
    about: int
    width: int = 24


class FusionNet(nn.Module):
    """Log-odds of an anomaly from what each modality says; any number of modalities, in any order.

    A modality's evidence is its voices by weights that depend on what is known of it and of all of them, and
    a small correction. Evidence is then joined in three ways, as a sum, as the highest, and as a soft
    highest, for an anomaly may show in all modalities or in one. A modality that a row lacks has no say.
    """

    def __init__(self, config: FusionConfig) -> None:
        super().__init__()
        self.config = config
        self.weigh = MLP(2 * config.about, (config.width,), config.voices)
        self.correct = MLP(config.voices + 2 * config.about, (config.width,), 1)
        self.join = MLP(config.about, (config.width,), 4)
        with torch.no_grad():
            for head, start in ((self.weigh.head, _FIRST), (self.correct.head, 0.0), (self.join.head, 0.0)):
                head.weight.mul_(0.1)
                head.bias.fill_(start)

    def forward(self, voices: Tensor, about: Tensor, gone: Tensor, absent: Tensor) -> Tensor:
        """Return (B, R) log-odds.

        Parameters
        ----------
        voices : (B, R, M, V). about : (B, M, C).
        gone : (B, R, M) bool, the row lacks the modality. absent : (B, M) bool, the task does.
        """
        there = (~absent).float()[..., None]  # (B, M, 1)
        middle = (about * there).sum(1, keepdim=True) / there.sum(1, keepdim=True).clamp(min=1.0)
        known = torch.cat([about, middle.expand_as(about)], -1)  # (B, M, 2C)
        weights = softplus(self.weigh(known))[:, None]  # (B, 1, M, V)
        repeated = known[:, None].expand(-1, voices.shape[1], -1, -1)
        evidence = (weights * voices).sum(-1) + self.correct(torch.cat([voices, repeated], -1))[..., 0]
        mute = gone | absent[:, None]
        heard = evidence.masked_fill(mute, 0.0)  # (B, R, M)
        low = torch.finfo(evidence.dtype).min
        silent = mute.all(-1)
        highest = evidence.masked_fill(mute, low).amax(-1).masked_fill(silent, 0.0)
        soft = torch.logsumexp(evidence.masked_fill(mute, -1e4), -1).masked_fill(silent, 0.0)
        total, top, smooth, level = self.join(middle[:, 0]).unbind(-1)  # (B,) each
        joined = (
            softplus(total)[:, None] * heard.sum(-1)
            + softplus(top)[:, None] * highest
            + softplus(smooth)[:, None] * soft
        )
        out: Tensor = joined / 2 + 5 * level[:, None] - 3.0
        return out
