"""A start that lies near where many tasks end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from outlearn.errors import InputError, ParameterError
from outlearn.learners.gradient.checks import has_parameters
from outlearn.learners.gradient.inner import Params, gradients
from outlearn.learners.gradient.learner import GradientLearner
from outlearn.learners.training.batch import Batch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Reptile"]


@dataclass(frozen=True, kw_only=True)
class Reptile(GradientLearner):
    """Moves the start towards the parameters that each task adapts to (Nichol, Achiam and Schulman 2018).

    The meta-gradient is the mean of θ - φ over tasks, so the outer optimiser's rate is Reptile's step.

    Parameters
    ----------
    rows : ``support`` adapts to the support, ``both`` to support and query together, as the authors do: no
        rows are kept back to judge by.
    minibatch : rows an inner step, taken in turn from a shuffled list that starts again at its end; all when
        None.
    """

    rows: Literal["support", "both"] = "both"
    minibatch: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rates != "fixed" or self.learn_penalty or has_parameters(self.loss):
            raise ParameterError(
                "Reptile follows no gradient of rates, penalty or loss and cannot learn them; take MAML or "
                "MetaSGD"
            )
        if self.adversary > 0:
            raise ParameterError("Reptile does not learn from the query loss, so adversary=0 is all it takes")
        if self.minibatch is not None and self.minibatch < 1:
            raise ParameterError(f"minibatch={self.minibatch}; wanted None or at least 1")

    def meta_loss(self, meta: Params, batch: Batch, step: int) -> Tensor:
        """Return the query loss (T,) after adapting."""
        return self.query_losses(meta, self._adapt(meta, batch, step), batch)

    def meta_gradient(self, meta: Params, batch: Batch, step: int = 0) -> tuple[Tensor, Params]:
        """Return the query losses (T,) after adapting, and the mean of θ - φ."""
        import torch

        away = {name: torch.zeros_like(value) for name, value in meta.items()}
        losses = []
        with torch.no_grad():
            theta, _ = self.parts(meta)
            for part in self.portions(batch):
                params = self._adapt(meta, part, step)
                for name, value in params.items():
                    away[f"net.{name}"] += (theta[name] - value).sum(0) / len(batch)
                losses.append(self.query_losses(meta, params, part))
        return torch.cat(losses), away

    def _adapt(self, meta: Params, batch: Batch, step: int) -> Params:
        params, batch = self.stacked(meta, len(batch)), self._rows_of(batch)
        state, rates = self.optimiser.start(params), self.rates_of(meta)
        for number in range(self.steps):
            part = batch if self.minibatch is None else _turn(batch, self.minibatch, step, number)
            grads = gradients(self.support_losses(meta, part), params, second_order=False)
            params, state = self.optimiser.step(params, grads, state, rates(number))
        return params

    def _rows_of(self, batch: Batch) -> Batch:
        import torch

        if self.rows == "support":
            return batch
        if batch.support_y.shape[2:] != batch.query_y.shape[2:]:
            raise InputError(
                f"targets of the support have shape {tuple(batch.support_y.shape[2:])} a row, those of the "
                f"query {tuple(batch.query_y.shape[2:])}; rows='both' wants the same, rows='support' does not"
            )
        return replace(
            batch,
            support_x=torch.cat([batch.support_x, batch.query_x], 1),
            support_y=torch.cat([batch.support_y, batch.query_y], 1),
            support_w=torch.cat([batch.support_w, batch.query_w], 1),
        )


def _turn(batch: Batch, size: int, seed: int, number: int) -> Batch:
    """Return `batch` with the support rows of inner step `number` alone.

    Rows are shuffled by `seed`, and padding is left out of the turns, so that it changes nothing.
    """
    import torch

    real = batch.support_w > 0  # (T, N)
    places = (~real).int().argsort(dim=1, stable=True)  # (T, N): real rows first
    counts = [max(n, 1) for n in real.sum(1).tolist()]
    size = min(size, max(counts))
    turns = {}
    for n in set(counts):
        order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
        turns[n] = order[(torch.arange(size) + number * min(size, n)) % n]
    rows = places.gather(1, torch.stack([turns[n] for n in counts]))  # (T, size)
    # A task with fewer rows than `size` shows each of them once.
    once = torch.arange(size) < torch.tensor(counts)[:, None]
    tasks = torch.arange(len(rows))[:, None]
    return replace(
        batch,
        support_x=batch.support_x[tasks, rows],
        support_y=batch.support_y[tasks, rows],
        support_w=batch.support_w[tasks, rows] * once,
    )
