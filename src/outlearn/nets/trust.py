"""A loss that learns what to believe: observations of several kinds stand in for a truth."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Trust"]


class Trust(nn.Module):
    """Squared difference of an output from a learnt sum of observations: output (N, 1), y (N, M) → (N,).

    What an observation is worth is a parameter, learnt across tasks by how well a network does on the truth
    after it adapted to what the observations say.
    """

    def __init__(self, observations: int) -> None:
        super().__init__()
        self.worth = nn.Parameter(torch.zeros(observations))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, output: Tensor, y: Tensor) -> Tensor:
        believed = y @ self.worth + self.bias
        return (output.reshape(len(y)) - believed).square()
