"""Learners of likeness: rows of one kind near each other, rows of two kinds apart."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outlearn.errors import ParameterError
from outlearn.learners.batch import Batch
from outlearn.learners.inner import Params
from outlearn.learners.metric import MetricLearner

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Siamese", "Triplet", "contrastive", "hardest_triplets"]


@dataclass(frozen=True, kw_only=True)
class PairLearner(MetricLearner):
    """Scores by distances in the embedding: to the nearest usual rows, less that to the nearest anomalies.

    Parameters
    ----------
    margin : how far apart rows of two kinds are to be.
    nearest : rows of each kind that a distance is averaged over.
    """

    margin: float = 1.0
    nearest: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.margin <= 0 or self.nearest < 1:
            raise ParameterError(
                f"margin={self.margin}, nearest={self.nearest}; wanted a margin above 0 and at least 1 row"
            )

    @abstractmethod
    def of_pairs(self, distance: Tensor, same: Tensor, weight: Tensor) -> Tensor:
        """Return the loss (T,) from distances (T, M, L), whether the two rows of a pair are of one kind, and
        the weight of each pair (0 = no such pair)."""

    def losses(self, meta: Params, batch: Batch, support: Tensor, query: Tensor) -> Tensor:
        """Compare each query row with all other query rows and with the labelled rows of the support."""
        import torch

        told = batch.support_w * (batch.support_y >= 0)
        rows = torch.cat([query, support], 1)  # (T, M + N, E)
        y = torch.cat([batch.query_y, batch.support_y], 1)
        weight = torch.cat([(batch.query_w > 0).to(told), (told > 0).to(told)], 1)
        distance = apart(query, rows)
        same = batch.query_y[:, :, None] == y[:, None, :]
        pair = (batch.query_w > 0)[:, :, None] * weight[:, None, :]
        itself = torch.eye(query.shape[1], rows.shape[1], dtype=torch.bool)
        return self.of_pairs(distance, same, torch.where(itself, 0.0, pair))

    def judge(self, meta: Params, batch: Batch, support: Tensor, query: Tensor) -> Tensor:
        import torch

        distance = apart(query, support)  # (T, M, N)
        there = batch.support_w > 0
        near = [
            _nearest(distance, there & (batch.support_y.clamp(min=0) == way), self.nearest)
            for way in range(self.ways)
        ]
        if self.ways > 2:
            return -torch.stack(near, -1)
        usual, odd = near
        return usual - torch.where(torch.isfinite(odd), odd, 0.0)


@dataclass(frozen=True, kw_only=True)
class Siamese(PairLearner):
    """Contrastive loss (Hadsell, Chopra and LeCun 2006)."""

    def of_pairs(self, distance: Tensor, same: Tensor, weight: Tensor) -> Tensor:
        loss = contrastive(distance, same, self.margin)
        alike, unlike = weight * same, weight * ~same
        # Both kinds of pairs count alike, however few the anomalies are.
        return sum_over(loss * alike) / sum_over(alike).clamp(min=1) + sum_over(loss * unlike) / sum_over(
            unlike
        ).clamp(min=1)


@dataclass(frozen=True, kw_only=True)
class Triplet(PairLearner):
    """Triplet loss with the hardest pairs of a batch (Hermans, Beyer and Leibe 2017)."""

    def of_pairs(self, distance: Tensor, same: Tensor, weight: Tensor) -> Tensor:
        return hardest_triplets(distance, same, weight, self.margin)


def sum_over(values: Tensor) -> Tensor:
    return values.flatten(1).sum(1)


def contrastive(distance: Tensor, same: Tensor, margin: float) -> Tensor:
    """Squared distance for pairs of the same class; for others the square of what is missing to the margin.

    >>> import torch
    >>> contrastive(torch.tensor([2.0, 0.25, 2.0]), torch.tensor([True, False, False]), 1.0)
    tensor([4.0000, 0.5625, 0.0000])
    """
    import torch

    return torch.where(same, distance.square(), (margin - distance).clamp(min=0).square())


def hardest_triplets(distance: Tensor, same: Tensor, weight: Tensor, margin: float) -> Tensor:
    """Mean over anchors (M) of softplus(margin + farthest of its kind - nearest of another) → (T,).

    Anchors that lack either kind of partner count for nothing.
    """
    import torch

    alike, unlike = (weight > 0) & same, (weight > 0) & ~same
    farthest = torch.where(alike, distance, -torch.inf).amax(-1)  # (T, M)
    nearest = torch.where(unlike, distance, torch.inf).amin(-1)
    usable = torch.isfinite(farthest) & torch.isfinite(nearest)
    gap = torch.where(usable, farthest, 0.0) - torch.where(usable, nearest, 0.0)
    loss = torch.nn.functional.softplus(margin + gap) * usable
    return loss.sum(1) / usable.sum(1).clamp(min=1)


def apart(a: Tensor, b: Tensor) -> Tensor:
    """Return Euclidean distances (T, M, L) of (T, M, E) to (T, L, E), smooth at 0."""
    squared = a.square().sum(-1)[..., None] + b.square().sum(-1)[:, None] - 2 * a @ b.transpose(1, 2)
    return (squared.clamp(min=0) + 1e-8).sqrt()


def _nearest(distance: Tensor, there: Tensor, k: int) -> Tensor:
    """Mean of the (up to) k smallest distances (T, M, N) to rows that are there (T, N); inf without any."""
    import torch

    k = min(k, distance.shape[-1])
    smallest = torch.where(there[:, None], distance, torch.inf).topk(k, largest=False).values
    finite = torch.isfinite(smallest)
    mean = torch.where(finite, smallest, 0.0).sum(-1) / finite.sum(-1).clamp(min=1)
    return torch.where(finite.any(-1), mean, torch.inf)
