"""Prototypes: a class is where the mean of its rows lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outlearn.learners.gradient.inner import Params
from outlearn.learners.metric.learner import MetricLearner
from outlearn.learners.training.batch import Batch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ProtoNet"]


@dataclass(frozen=True, kw_only=True)
class ProtoNet(MetricLearner):
    """Prototypical networks (Snell, Swersky and Zemel 2017).

    With many ways the output is one logit a class: minus the squared distance to its prototype. In detection
    it is the log-odds of an anomaly: usual rows have a prototype, and an anomaly lies near the prototype of
    the known ones or beyond a learnt radius of the usual one. So the same parameters serve a support of
    normal rows alone.
    """

    def _own(self) -> Params:
        import torch

        dtype = next(self.module.parameters()).dtype
        return {"log_radius": torch.zeros((), dtype=dtype), "log_scale": torch.zeros((), dtype=dtype)}

    def judge(self, meta: Params, batch: Batch, support: Tensor, query: Tensor) -> Tensor:
        import torch

        y = batch.support_y.clamp(min=0)  # an unlabelled row counts as usual
        member = torch.nn.functional.one_hot(y, self.ways).to(support) * batch.support_w[..., None]
        total = member.sum(1)  # (T, C)
        prototypes = member.transpose(1, 2) @ support / total.clamp(min=1e-12)[..., None]  # (T, C, E)
        scale = meta["log_scale"].exp() / support.shape[-1]
        distance = scale * (query[:, :, None] - prototypes[:, None]).square().sum(-1)  # (T, M, C)
        if self.ways > 2:
            return -distance
        radius = meta["log_radius"].exp()
        known = torch.where(total[:, None, 1] > 0, -distance[..., 1], -torch.inf)  # (T, M)
        return torch.logaddexp(known, -radius.expand_as(known)) + distance[..., 0]

    def losses(self, meta: Params, batch: Batch, support: Tensor, query: Tensor) -> Tensor:
        from torch.nn import functional

        output = self.judge(meta, batch, support, query)
        if self.ways > 2:
            rows = functional.cross_entropy(output.transpose(1, 2), batch.query_y, reduction="none")
        else:
            rows = functional.binary_cross_entropy_with_logits(
                output, (batch.query_y == 1).to(output), reduction="none"
            )
        return (rows * batch.query_w).sum(1) / batch.query_w.sum(1).clamp(min=1e-12)
