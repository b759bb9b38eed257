"""The distance of a vector from those that a network was trained on."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["distance_from", "measure_of"]

FAR = 0.99  # of the vectors trained on are nearer to their mean than one that is unlike them
RIDGE = 1e-2  # of the mean variance: directions that hardly vary in training make no other vector strange


def measure_of(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean (E,) of vectors (S, E), and a matrix (E, E) that makes distances from it comparable.

    A distance of 1 is that of the farthest hundredth of the vectors (Mahalanobis).
    """
    centred = vectors - vectors.mean(0)
    spread = centred.T @ centred / len(vectors)
    ridge = (RIDGE * spread.diagonal().mean() + 1e-6) * torch.eye(len(spread))
    factor = torch.linalg.inv(torch.linalg.cholesky(spread + ridge))
    far = torch.quantile((centred @ factor.T).norm(dim=1), FAR)
    return vectors.mean(0), factor / far.clamp(min=1e-6)


def distance_from(mean: Tensor, factor: Tensor, vectors: Tensor) -> Tensor:
    """Return the distances (B,) of vectors (B, E) from means (B, E) in the measure of factors (B, E, E)."""
    distance: Tensor = (factor @ (vectors - mean)[:, :, None]).squeeze(-1).norm(dim=1)
    return distance
