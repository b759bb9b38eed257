"""A start that lies near where many tasks end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from outlearn.errors import ParameterError
from outlearn.learners.batch import Batch
from outlearn.learners.gradient import GradientLearner
from outlearn.learners.inner import Params

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
        if self.rates != "fixed" or self.learn_penalty:
            raise ParameterError(
                "Reptile follows no gradient of rates or penalty and cannot learn them; take MAML or MetaSGD"
            )
        if self.minibatch is not None and self.minibatch < 1:
            raise ParameterError(f"minibatch={self.minibatch}; wanted None or at least 1")

    def meta_loss(self, meta: Params, batch: Batch, step: int) -> Tensor:
        """Return the query loss (T,) after adapting."""
        return self.query_losses(meta, self._adapt(meta, batch, step), batch)

    def meta_gradient(self, meta: Params, batch: Batch, step: int = 0) -> tuple[Tensor, Params]:
        """Return the query losses (T,) after adapting, and the mean of θ - φ."""
        import torch

        parts = [batch] if self.parallel(len(batch)) else [batch.task(t) for t in range(len(batch))]
        away = {name: torch.zeros_like(value) for name, value in meta.items()}
        losses = []
        with torch.no_grad():
            theta, _ = self.parts(meta)
            for part in parts:
                params = self._adapt(meta, part, step)
                for name, value in params.items():
                    away[f"net.{name}"] += (theta[name] - value).sum(0) / len(batch)
                losses.append(self.query_losses(meta, params, part))
        return torch.cat(losses), away

    def _adapt(self, meta: Params, batch: Batch, step: int) -> Params:
        import torch

        params = self.stacked(meta, len(batch))
        x, y, w = (
            (batch.support_x, batch.support_y, batch.support_w)
            if self.rows == "support"
            else (
                torch.cat([batch.support_x, batch.query_x], 1),
                torch.cat([batch.support_y, batch.query_y], 1),
                torch.cat([batch.support_w, batch.query_w], 1),
            )
        )
        size = x.shape[1] if self.minibatch is None else min(self.minibatch, x.shape[1])
        # Another shuffle at each meta-step, the same in a run that was resumed.
        order = torch.randperm(x.shape[1], generator=torch.Generator().manual_seed(step))
        for number in range(self.steps):
            rows = order[(torch.arange(size) + number * size) % len(order)]
            part = replace(batch, support_x=x[:, rows], support_y=y[:, rows], support_w=w[:, rows])
            *_, params = self.walk(meta, params, part, 1)
        return params
