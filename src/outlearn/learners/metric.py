"""What metric learners share: an embedding, learnt across tasks, in which a support is simply kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError
from outlearn.learners.batch import Batch, stack, tensor
from outlearn.learners.fit import draw, meta_fit
from outlearn.learners.inner import Params
from outlearn.learners.loop import Training
from outlearn.learners.refuse import refuse_batch_norm
from outlearn.tasks.task import Array, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["MetricLearned", "MetricLearner", "MetricScorer"]


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

    def start(self) -> Params:
        """Return the meta-parameters before any training."""
        net = {f"net.{name}": value.detach().clone() for name, value in self.module.named_parameters()}
        return {**net, **self._own()}

    def _own(self) -> Params:
        """Return meta-parameters besides those of the embedding."""
        return {}

    def embed(self, meta: Params, x: Tensor) -> Tensor:
        """Embed rows of many tasks: (T, N, …) → (T, N, E)."""
        from torch.func import functional_call

        net = {n.removeprefix("net."): v for n, v in meta.items() if n.startswith("net.")}
        rows: Tensor = functional_call(self.module, net, (x.flatten(0, 1),))
        return rows.view(*x.shape[:2], -1)

    @abstractmethod
    def judge(self, meta: Params, batch: Batch, support: Tensor, query: Tensor) -> Tensor:
        """Return the outputs (T, M, …) for embedded queries (T, M, E), given embedded supports (T, N, E)."""

    @abstractmethod
    def losses(self, meta: Params, batch: Batch, support: Tensor, query: Tensor) -> Tensor:
        """Return the loss (T,) of each task, from its embedded rows."""

    def meta_gradient(self, meta: Params, batch: Batch, step: int = 0) -> tuple[Tensor, Params]:
        """Return the losses (T,) and the gradient of their mean with respect to each meta-parameter."""
        import torch

        meta = {name: value.detach().requires_grad_() for name, value in meta.items()}
        support, query = self.embed(meta, batch.support_x), self.embed(meta, batch.query_x)
        losses = self.losses(meta, batch, support, query)
        found = torch.autograd.grad(losses.mean(), list(meta.values()), materialize_grads=True)
        return losses.detach(), dict(zip(meta, found, strict=True))

    def meta_fit(
        self, tasks: Iterable[Task], how: Training | None = None, *, batch: int = 16, seed: int = 0
    ) -> MetricLearned:
        """Learn across tasks, held in memory; `learners.fit.meta_fit` takes endless ones."""
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

    def adapt(self, X: Array, y: Array, weight: NDArray[np.float32] | None = None) -> MetricScorer:
        """Embed one support: X (n, …), y (n,), weight (n,).

        Raises
        ------
        InputError
            When the support is empty or not finite, holds no usual row, or lacks one of many classes.
        """
        import torch

        dtype = next(iter(self.meta.values())).dtype
        batch = stack([Task(X, y, X[:1], y[:1], weight)], dtype)
        self._check(y)
        with torch.no_grad():
            return MetricScorer(self, batch, self.learner.embed(self.meta, batch.support_x))

    def _check(self, y: Array) -> None:
        ways = self.learner.ways
        low = -1 if ways == 2 else 0
        if y.min() < low or y.max() >= ways:
            raise InputError(
                f"labels run from {y.min()} to {y.max()}; this learner wants {low} to {ways - 1}"
            )
        if ways == 2 and not (y < 1).any():
            raise InputError(
                "every support row is a known anomaly; give normal or unlabelled rows to compare with"
            )
        missing = sorted(set(range(ways)) - set(y.tolist()))
        if ways > 2 and missing:
            raise InputError(f"the support has no row of class {missing[0]}; give at least one of each")


@dataclass(frozen=True)
class MetricScorer:
    """One embedded support."""

    learned: MetricLearned
    batch: Batch
    support: Tensor

    def predict(self, X: Array) -> NDArray[Any]:
        """Return (m, …) outputs for rows X (m, …): scores, or one logit a class."""
        import torch

        learner, meta = self.learned.learner, self.learned.meta
        dtype = next(iter(meta.values())).dtype
        with torch.inference_mode():
            query = learner.embed(meta, tensor(X, dtype)[None])
            output: NDArray[Any] = learner.judge(meta, self.batch, self.support, query)[0].numpy()
        return output

    def score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (m,) scores, high = abnormal."""
        return self.predict(X).reshape(len(X)).astype(np.float64)
