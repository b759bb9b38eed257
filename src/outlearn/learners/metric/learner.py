"""What metric learners share: an embedding, learnt across tasks, in which a support is simply kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError, ParameterError
from outlearn.learners.gradient.checks import refuse_batch_norm
from outlearn.learners.gradient.functional import output
from outlearn.learners.gradient.inner import Params
from outlearn.learners.training.batch import Batch, stack, tensor
from outlearn.learners.training.fit import draw, meta_fit
from outlearn.learners.training.loop import Training
from outlearn.tasks.task import Array, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["MetricLearned", "MetricLearner", "MetricScorer"]

PAIRS = 1 << 24  # pairs of a support and a query row compared at once: bounds memory


@dataclass(frozen=True, kw_only=True)
class MetricLearner:
    """Learns an embedding; adapting takes no gradient step.

    Parameters
    ----------
    module : any module (n, …) → (n, E) without batch normalisation; a template that is never changed.
    ways : classes of a task. With 2, a task is one of detection: labels are 1 for known anomalies and 0 or
        -1 (unlabelled) for the rest, and a support without anomalies is a fair one.
    """

    module: nn.Module
    ways: int = 2

    transductive: ClassVar[bool] = False

    def __post_init__(self) -> None:
        refuse_batch_norm(self.module)
        if self.ways < 2:
            raise ParameterError(f"ways={self.ways}; wanted 2 (detection) or more classes")

    def start(self) -> Params:
        """Return the meta-parameters before any training."""
        net = {f"net.{name}": value.detach().clone() for name, value in self.module.named_parameters()}
        return {**net, **self._own()}

    def _own(self) -> Params:
        """Return meta-parameters besides those of the embedding."""
        return {}

    def embed(self, meta: Params, x: Tensor) -> Tensor:
        """Embed rows of many tasks: (T, N, …) → (T, N, E)."""
        net = {n.removeprefix("net."): v for n, v in meta.items() if n.startswith("net.")}
        return output(self.module, net, x.flatten(0, 1)).reshape(*x.shape[:2], -1)

    @abstractmethod
    def judge(self, meta: Params, batch: Batch, support: Tensor, query: Tensor) -> Tensor:
        """Return the outputs (T, M, …) for embedded queries (T, M, E), given embedded supports (T, N, E)."""

    @abstractmethod
    def losses(self, meta: Params, batch: Batch, support: Tensor, query: Tensor) -> Tensor:
        """Return the loss (T,) of each task, from its embedded rows."""

    def held_out_losses(self, meta: Params, batch: Batch) -> Tensor:
        """Return the loss (T,) of each task; no graph is kept."""
        import torch

        _check(batch, self.ways)
        with torch.no_grad():
            return self.losses(
                meta, batch, self.embed(meta, batch.support_x), self.embed(meta, batch.query_x)
            )

    def meta_gradient(self, meta: Params, batch: Batch, step: int = 0) -> tuple[Tensor, Params]:
        """Return the losses (T,) and the gradient of their mean with respect to each meta-parameter.

        Raises
        ------
        InputError
            When a support holds no usual row or lacks one of many classes, or a label is out of range.
        """
        import torch

        _check(batch, self.ways)
        meta = {name: value.detach().requires_grad_() for name, value in meta.items()}
        support, query = self.embed(meta, batch.support_x), self.embed(meta, batch.query_x)
        losses = self.losses(meta, batch, support, query)
        found = torch.autograd.grad(losses.mean(), list(meta.values()), materialize_grads=True)
        return losses.detach(), dict(zip(meta, found, strict=True))

    def meta_fit(
        self, tasks: Iterable[Task], how: Training | None = None, *, batch: int = 16, seed: int = 0
    ) -> MetricLearned:
        """Learn across tasks, held in memory; `learners.training.fit.meta_fit` takes endless ones."""
        dtype = next(self.module.parameters()).dtype
        return self.learned(meta_fit(self, draw(list(tasks), batch, seed, dtype), how))

    def learned(self, meta: Params) -> MetricLearned:
        """Return what adapts from meta-trained parameters."""
        return MetricLearned(self, meta)


@dataclass(frozen=True)
class MetricLearned:
    """A meta-trained embedding; `adapt` changes nothing in it."""

    learner: MetricLearner
    meta: Params

    @cached_property
    def _calm(self) -> MetricLearner:
        """The learner with a module that drops nothing out: in use the same input has the same output."""
        return replace(self.learner, module=deepcopy(self.learner.module).eval())

    def adapt(self, X: Array, y: Array, weight: NDArray[np.float32] | None = None) -> MetricScorer:
        """Embed one support: X (n, …), y (n,), weight (n,).

        Raises
        ------
        InputError
            When the support is empty or not finite or does not fit the module, holds no usual row, or lacks
            one of many classes; a row of weight 0 is not there.
        """
        import torch

        dtype = next(iter(self.meta.values())).dtype
        batch = stack([Task(X, y, X[:1], y[:1], weight)], dtype)
        _check(batch, self.learner.ways)
        with torch.no_grad():
            support = self._calm.embed(self.meta, batch.support_x)
        return MetricScorer(self._calm, self.meta, batch, support)


@dataclass(frozen=True)
class MetricScorer:
    """One embedded support."""

    learner: MetricLearner
    meta: Params
    batch: Batch
    support: Tensor

    def predict(self, X: Array) -> NDArray[Any]:
        """Return (m, …) outputs for rows X (m, …): scores, or one logit a class."""
        import torch

        rows = tensor(X, self.support.dtype)
        size = max(1, PAIRS // self.support.shape[1])
        with torch.inference_mode():
            parts = [
                self.learner.judge(
                    self.meta, self.batch, self.support, self.learner.embed(self.meta, part[None])
                )[0]
                for part in torch.split(rows, size)
            ]
            return torch.cat(parts).numpy()

    def score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (m,) scores of a learner of detection, high = abnormal."""
        if self.learner.ways > 2:
            raise ParameterError(f"with ways={self.learner.ways} a row has a logit a class; take predict(X)")
        return self.predict(X).astype(np.float64)


def _check(batch: Batch, ways: int) -> None:
    """Raise InputError for labels that are no class numbers, out of range, or lack what queries need."""
    from torch.nn.functional import one_hot

    low = -1 if ways == 2 else 0
    for side, y in (("support", batch.support_y), ("query", batch.query_y)):
        if y.is_floating_point() or y.dim() != 2:
            raise InputError(
                f"targets of the {side} have type {y.dtype} and shape {tuple(y.shape[1:])}; wanted one class "
                "number a row, as whole numbers"
            )
        if y.min() < low or y.max() >= ways:
            raise InputError(
                f"labels of the {side} run from {y.min()} to {y.max()}; this learner wants {low} to "
                f"{ways - 1}"
            )
    there = one_hot(batch.support_y.clamp(min=0), ways).bool() & (batch.support_w > 0)[..., None]
    needed = there.any(1)[:, : 1 if ways == 2 else ways]  # (T, C)
    for t, lacks in enumerate((~needed).tolist()):
        where = "the support" if len(batch) == 1 else f"the support of task {t} of the batch"
        if any(lacks) and ways == 2:
            raise InputError(f"{where} holds known anomalies alone; give normal or unlabelled rows too")
        if any(lacks):
            raise InputError(f"{where} has no row of class {lacks.index(True)}; give at least one of each")
