"""Model-agnostic meta-learning: a start from which gradient steps on a support serve a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from outlearn.errors import ParameterError
from outlearn.learners.gradient.checks import has_parameters
from outlearn.learners.gradient.inner import Losses, Params, Rates, last
from outlearn.learners.gradient.learner import GradientLearner
from outlearn.learners.training.batch import Batch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FOMAML", "MAML"]


@dataclass(frozen=True, kw_only=True)
class MAML(GradientLearner):
    """The gradient of the query loss through the inner steps (Finn, Abbeel and Levine 2017), with devices of
    MAML++ (Antoniou, Edwards and Storkey 2019).

    Parameters
    ----------
    order : 2 differentiates through the inner gradients; 1 takes them as given.
    multi_step : meta-steps over which losses after earlier inner steps count too, with weights that fade
        linearly from equal ones; 0 for the loss after the last step alone.
    second_order_from : meta-step from which order 2 begins; before it derivatives are of order 1.
    checkpointing : keep √steps inner steps in memory and compute the others twice.
    """

    order: Literal[1, 2] = 2
    multi_step: int = 0
    second_order_from: int = 0
    checkpointing: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.order not in (1, 2):
            raise ParameterError(f"order={self.order!r}; wanted 1 or 2")
        if self.multi_step < 0 or self.second_order_from < 0:
            raise ParameterError(
                f"multi_step={self.multi_step}, second_order_from={self.second_order_from}; wanted 0 or more"
            )
        if self.order == 1 and (self.learn_penalty or has_parameters(self.loss)):
            raise ParameterError(
                "order=1 takes inner gradients as given, so a penalty or loss within them cannot be learnt; "
                "take order=2"
            )
        if self.multi_step and self.steps == 0:
            raise ParameterError("multi_step weighs losses after inner steps; there are none with steps=0")
        if self.checkpointing and (self.multi_step or self.order == 1):
            raise ParameterError(
                "checkpointing keeps the last inner step of order 2 alone; leave multi_step at 0, order at 2"
            )

    def meta_loss(self, meta: Params, batch: Batch, step: int) -> Tensor:
        """Return the query loss (T,) after adapting to the support."""
        params = self.stacked(meta, len(batch))
        second_order = self.order == 2 and step >= self.second_order_from
        if self.checkpointing and second_order:
            from outlearn.learners.gradient.checkpointing import descend_in_segments

            def inner(meta: Params) -> tuple[Losses, Rates]:
                return self.support_losses(meta, batch), self.rates_of(meta)

            params = descend_in_segments(meta, params, inner, self.steps, optimiser=self.optimiser)
            return self.query_losses(meta, params, batch)
        earlier = max(1 - step / self.multi_step, 0.0) / self.steps if self.multi_step else 0.0
        walk = self.walk(meta, params, batch, self.steps, second_order=second_order)
        if earlier == 0:
            return self.query_losses(meta, last(walk), batch)
        losses = [self.query_losses(meta, params, batch) for number, params in enumerate(walk) if number > 0]
        return earlier * sum(losses[:-1]) + (1 - earlier * (self.steps - 1)) * losses[-1]


@dataclass(frozen=True, kw_only=True)
class FOMAML(MAML):
    """First-order MAML: the query gradient at the adapted parameters is the meta-gradient."""

    order: Literal[1, 2] = 1
