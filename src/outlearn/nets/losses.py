"""Losses a row, for one task: network output (N, …) and targets (N, …) → (N,).

The engine weighs, masks and averages rows itself, so a loss knows nothing of padding. A loss may also be a
`torch.nn.Module` with this signature; its parameters are then learnt across tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LabelLoss", "RowLoss", "binary_cross_entropy", "cross_entropy", "one_class", "squared_error"]

RowLoss = Callable[[Tensor, Tensor], Any]


def squared_error(output: Tensor, y: Tensor) -> Tensor:
    """Return the squared error, averaged over the dimensions of the target: output, y (N, …) → (N,).

    A target (N,) goes with an output (N, 1).

    >>> squared_error(torch.tensor([[1.0], [3.0]]), torch.tensor([[1.0], [1.0]]))
    tensor([0., 4.])
    """
    errors = (output - y.reshape(output.shape)).square()
    return errors.reshape(len(y)) if errors.numel() == len(y) else errors.reshape(len(y), -1).mean(dim=1)


def cross_entropy(output: Tensor, y: Tensor) -> Tensor:
    """Return the cross-entropy of logits (N, C) against class numbers (N,) → (N,).

    >>> cross_entropy(torch.zeros(1, 4), torch.tensor([2])).exp().round().tolist()
    [4.0]
    """
    return -torch.log_softmax(output, dim=-1).gather(-1, y.long()[:, None]).squeeze(-1)


def binary_cross_entropy(output: Tensor, y: Tensor) -> Tensor:
    """Return the cross-entropy of log-odds (N,) or (N, 1) of an anomaly; a label -1 (unlabelled) is usual.

    >>> binary_cross_entropy(torch.zeros(3), torch.tensor([1, 0, -1])).exp().round().tolist()
    [2.0, 2.0, 2.0]
    """
    logit = output.reshape(len(y))
    return functional.softplus(torch.where(y == 1, -logit, logit))


def one_class(output: Tensor, y: Tensor) -> Tensor:
    """Return the squared length of an embedding (N, E) whose centre is the origin.

    This is the loss of deep support vector data description (Ruff et al. 2018), and its inverse for known
    anomalies (Ruff et al. 2020).

    >>> one_class(torch.tensor([[3.0, 4.0]]), torch.tensor([-1]))
    tensor([25.])
    """
    length = output.reshape(len(y), -1).square().sum(dim=1)
    return torch.where(y == 1, 1 / (length + 1e-3), length)


class LabelLoss(nn.Module):
    """Cross-entropy with learnt weights for what a label says: (N,) log-odds and labels in {-1, 0, 1} → (N,).

    Unlabelled rows are mostly, but not surely, usual; how far to trust them, and how much a known anomaly
    weighs against them, is a meta-parameter.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_weight = nn.Parameter(torch.zeros(3))  # unlabelled, normal, anomaly

    def forward(self, output: Tensor, y: Tensor) -> Tensor:
        return self.log_weight.exp()[y.long() + 1] * binary_cross_entropy(output, y)
