"""Learners of likeness: rows of one kind near each other, rows of two kinds apart."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from outlearn.errors import ParameterError
from outlearn.learners.gradient.inner import Params
from outlearn.learners.metric.learner import MetricLearner
from outlearn.learners.training.batch import Batch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Siamese", "Triplet", "contrastive", "hardest_triplets"]

COPY = 1e-4  # rows nearer than this are copies: two embeddings of one row differ by rounding


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
        """Compare each labelled query row with all others and with the labelled rows of the support.

        What rows weigh does not matter here, but that of weight 0 are not there.
        """
        import torch

        rows = torch.cat([query, support], 1)  # (T, M + N, E)
        y = torch.cat([batch.query_y, batch.support_y], 1)
        told = (torch.cat([batch.query_w, batch.support_w], 1) > 0) & (y >= 0)
        count = query.shape[1]
        same = y[:, :count, None] == y[:, None, :]  # (T, M, M + N)
        itself = torch.eye(count, rows.shape[1], dtype=torch.bool)
        pair = told[:, :count, None] & told[:, None, :] & ~itself
        return self.of_pairs(apart(query, rows), same, pair.to(query))

    def judge(self, meta: Params, batch: Batch, support: Tensor, query: Tensor) -> Tensor:
        import torch

        distance = apart(query, support)  # (T, M, N)
        kind = batch.support_y.clamp(min=0)  # an unlabelled row counts as usual
        there = [(batch.support_w > 0) & (kind == way) for way in range(self.ways)]
        if self.ways > 2:
            return -torch.stack([nearest(distance, rows, self.nearest) for rows in there], -1)
        # Then a row scores the same as part of the support and afterwards, and no lower than another like it.
        usual = nearest(without_itself(distance, there[0]), there[0], self.nearest)
        odd = nearest(distance, there[1], self.nearest)
        return usual - torch.where(torch.isfinite(odd), odd, 0.0)


@dataclass(frozen=True, kw_only=True)
class Siamese(PairLearner):
    """Contrastive loss (Hadsell, Chopra and LeCun 2006)."""

    def of_pairs(self, distance: Tensor, same: Tensor, weight: Tensor) -> Tensor:
        loss = contrastive(distance, same, self.margin)
        # Both kinds of pairs count alike, however few the anomalies are.
        alike, unlike = (
            sum_over(loss * of) / sum_over(of).clamp(min=1) for of in (weight * same, weight * ~same)
        )
        return alike + unlike


@dataclass(frozen=True, kw_only=True)
class Triplet(PairLearner):
    """Triplet loss with the hardest pairs of a batch (Hermans, Beyer and Leibe 2017).

    positives : ``hardest`` takes the farthest row of an anchor's kind; ``mean`` the mean distance to all of
        them, for kinds with rows far out, which usual rows and anomalies of a table are.
    """

    positives: Literal["hardest", "mean"] = "hardest"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.positives not in ("hardest", "mean"):
            raise ParameterError(f"positives={self.positives!r}; wanted 'hardest' or 'mean'")

    def of_pairs(self, distance: Tensor, same: Tensor, weight: Tensor) -> Tensor:
        return hardest_triplets(distance, same, weight, self.margin, mean=self.positives == "mean")


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


def hardest_triplets(
    distance: Tensor, same: Tensor, weight: Tensor, margin: float, *, mean: bool = False
) -> Tensor:
    """Mean over anchors (M) of softplus(margin + farthest of its kind - nearest of another) → (T,).

    With `mean` the mean distance to its kind stands for the farthest. Anchors that lack either kind of
    partner count for nothing.
    """
    import torch

    alike, unlike = (weight > 0) & same, (weight > 0) & ~same
    if mean:
        own = (distance * alike).sum(-1) / alike.sum(-1).clamp(min=1)  # (T, M)
    else:
        own = torch.where(alike, distance, -torch.inf).amax(-1)
    nearest = torch.where(unlike, distance, torch.inf).amin(-1)
    usable = alike.any(-1) & torch.isfinite(nearest)
    gap = torch.where(usable, own, 0.0) - torch.where(usable, nearest, 0.0)
    loss = torch.nn.functional.softplus(margin + gap) * usable
    return loss.sum(1) / usable.sum(1).clamp(min=1)


def apart(a: Tensor, b: Tensor) -> Tensor:
    """Return Euclidean distances (T, M, L) of (T, M, E) to (T, L, E).

    Taken from differences: the quicker way by products loses the distances of near rows to rounding.
    """
    import torch

    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def without_itself(distance: Tensor, there: Tensor) -> Tensor:
    """Set one copy of each row to inf in distances (T, M, N), if it is among the rows that are there (T, N)
    and not the only one."""
    import torch

    first = torch.where(there[:, None], distance, torch.inf).min(-1, keepdim=True)
    copy = (first.values < COPY) & (there.sum(1) > 1)[:, None, None]
    return distance.scatter(-1, first.indices, torch.where(copy, torch.inf, first.values))


def nearest(distance: Tensor, there: Tensor, k: int) -> Tensor:
    """Mean of the (up to) k smallest distances (T, M, N) to rows that are there (T, N); inf without any."""
    import torch

    k = min(k, distance.shape[-1])
    smallest = torch.where(there[:, None], distance, torch.inf).topk(k, largest=False).values
    finite = torch.isfinite(smallest)
    mean = torch.where(finite, smallest, 0.0).sum(-1) / finite.sum(-1).clamp(min=1)
    return torch.where(finite.any(-1), mean, torch.inf)
