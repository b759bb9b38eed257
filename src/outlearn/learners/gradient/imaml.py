"""MAML whose memory does not grow with the inner steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outlearn.errors import ParameterError
from outlearn.learners.gradient.inner import Params, last
from outlearn.learners.gradient.learner import GradientLearner
from outlearn.learners.training.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

__all__ = ["ImplicitMAML"]

Vector = list["Tensor"]


@dataclass(frozen=True, kw_only=True)
class ImplicitMAML(GradientLearner):
    """The meta-gradient of where the inner loop ends, not of the way there (Rajeswaran et al. 2019).

    With φ the minimum of L_support(φ) + ½λ|φ-θ|² and v the solution of (H + λI)v = ∇L_query(φ), found by
    conjugate gradients, the implicit function theorem gives λv as the gradient with respect to θ, and that of
    any other meta-parameter by one more product. It is right as far as the inner loop has converged.

    Parameters
    ----------
    penalty : λ; must be above 0.
    solves : steps of conjugate gradients.
    """

    steps: int = 16
    penalty: float = 1.0
    solves: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.penalty <= 0:
            raise ParameterError(f"penalty={self.penalty}; implicit MAML wants one above 0")
        if self.rates != "fixed":
            raise ParameterError("where the inner loop ends does not depend on its rates: leave them fixed")
        if self.solves < 1:
            raise ParameterError(f"solves={self.solves}; wanted at least 1")

    def meta_loss(self, meta: Params, batch: Batch, step: int) -> Tensor:
        """Return the query loss (T,) at the adapted parameters; no gradient flows through the inner loop."""
        return self.query_losses(meta, self._adapted_to(meta, batch), batch)

    def meta_gradient(self, meta: Params, batch: Batch, step: int = 0) -> tuple[Tensor, Params]:
        """Return the query losses (T,) and the implicit gradient of their mean."""
        import torch

        meta = {name: value.detach().requires_grad_() for name, value in meta.items()}
        total = [torch.zeros_like(value) for value in meta.values()]
        losses = []
        for part in self.portions(batch):
            loss, found = self._implicit(meta, part)
            total = [a + b / len(batch) for a, b in zip(total, found, strict=True)]
            losses.append(loss)
        return torch.cat(losses), dict(zip(meta, total, strict=True))

    def _adapted_to(self, meta: Params, batch: Batch) -> Params:
        import torch

        with torch.no_grad():
            params = last(self.walk(meta, self.stacked(meta, len(batch)), batch, self.steps))
        return {n: v.detach().clone().requires_grad_() for n, v in params.items()}

    def _implicit(self, meta: Params, batch: Batch) -> tuple[Tensor, Vector]:
        """Return the losses (T,) and the gradient of their sum."""
        import torch

        names = list(meta)
        params = self._adapted_to(meta, batch)
        wanted = list(params.values())
        loss = self.query_losses(meta, params, batch)
        found = torch.autograd.grad(loss.sum(), [*wanted, *meta.values()], materialize_grads=True)
        query, direct = found[: len(wanted)], found[len(wanted) :]
        inner = torch.autograd.grad(
            self.support_losses(meta, batch)(params).sum(), wanted, create_graph=True, materialize_grads=True
        )

        def curvature(v: Vector) -> Vector:  # H + λI: the penalty is part of the inner loss
            return list(
                torch.autograd.grad(inner, wanted, grad_outputs=v, retain_graph=True, materialize_grads=True)
            )

        v = conjugate_gradients(curvature, list(query), self.solves)
        mixed = torch.autograd.grad(inner, [meta[n] for n in names], grad_outputs=v, materialize_grads=True)
        return loss.detach(), [d - m for d, m in zip(direct, mixed, strict=True)]


def conjugate_gradients(product: Callable[[Vector], Vector], b: Vector, steps: int) -> Vector:
    """Solve A x = b for T independent symmetric positive systems side by side; tensors are (T, …)."""
    import torch

    def dot(a: Vector, c: Vector) -> Tensor:  # (T,)
        return torch.stack([(x * y).reshape(len(x), -1).sum(1) for x, y in zip(a, c, strict=True)]).sum(0)

    def plus(a: Vector, share: Tensor, c: Vector) -> Vector:
        return [x + share.view(-1, *[1] * (y.dim() - 1)) * y for x, y in zip(a, c, strict=True)]

    x = [torch.zeros_like(part) for part in b]
    residual, direction = b, b
    size = dot(residual, residual)
    for _ in range(steps):
        along = product(direction)
        bend = dot(direction, along)
        # A task that is solved has no direction left; one that bends the wrong way (λ is too small to make it
        # convex there) has no solution further on. Both stay as they are.
        length = torch.where((size > 0) & (bend > 0), size / bend.clamp(min=1e-30), 0.0)
        x, residual = plus(x, length, direction), plus(residual, -length, along)
        after = dot(residual, residual)
        direction = plus(residual, torch.where(size > 0, after / size.clamp(min=1e-30), 0.0), direction)
        size = after
    return x
