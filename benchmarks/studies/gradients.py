"""How far one-class adaptation goes the right way: the angle between two gradients."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from outlearn.learners.gradient.inner import Params, gradients
from outlearn.learners.gradient.learner import GradientLearner
from outlearn.learners.training.batch import stack
from outlearn.tasks.task import Task


def cosine(learner: GradientLearner, meta: Params, task: Task) -> float:
    """Return the cosine between the one-class and the balanced gradient at the start of the inner loop.

    The one-class gradient is that of the inner loss on the support of `task` without its known
    anomalies; the balanced one is that of the outer loss on the query, whose two classes weigh alike.
    Both are with respect to the parameters that adapt.
    """
    batch = stack([task], next(iter(meta.values())).dtype)
    usual = replace(batch, support_w=batch.support_w * (batch.support_y != 1))
    start = learner.stacked(meta, 1)
    with torch.no_grad():
        inner = _flat(gradients(learner.support_losses(meta, usual), start, second_order=False))
        outer = _flat(
            gradients(lambda params: learner.query_losses(meta, params, batch), start, second_order=False)
        )
    return float(torch.nn.functional.cosine_similarity(inner, outer, dim=0))


def _flat(params: Params) -> Tensor:
    return torch.cat([value.reshape(-1) for value in params.values()])
