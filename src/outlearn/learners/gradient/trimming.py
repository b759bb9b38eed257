"""Leaving out the rows of a support that fit worst."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["kept"]


def kept(losses: Tensor, y: Tensor, w: Tensor, share: float) -> Tensor:
    """Return (N,) ones, and zeros for the `share` of rows of each class that have the largest losses.

    losses (N,); y (N, …), where targets that are no class numbers are one class; w (N,), rows of weight 0
    count for nothing.
    """
    import torch

    if y.is_floating_point() or y.dim() > 1:
        same = torch.ones_like(losses[:, None] == losses[None, :])
    else:
        same = y[:, None] == y[None, :]  # (N, N)
    same = same & (w > 0)[None, :]
    place = torch.arange(len(losses))
    earlier = (losses[None, :] < losses[:, None]) | (
        (losses[None, :] == losses[:, None]) & (place[None, :] < place[:, None])
    )
    rank = (same & earlier).sum(1)
    size = same.sum(1)
    left_out = (size * share + 1e-4).floor()  # a tenth of ten rows is one, whatever the rounding
    return (rank < size - left_out).to(losses.dtype)
