"""Meta-training of any learner with a meta-gradient: tasks in, meta-parameters out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from outlearn.errors import InputError, ParameterError
from outlearn.learners.gradient.inner import Params
from outlearn.learners.training.batch import Batch, stack
from outlearn.learners.training.loop import Training, train
from outlearn.learners.training.settings import seeded
from outlearn.rng import derive
from outlearn.tasks.task import Task

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["MetaLearner", "Source", "draw", "held_out_loss", "meta_fit"]

Source = Callable[[int], Batch]  # a pure function of the step


class MetaLearner(Protocol):
    """What meta-training needs of a learner."""

    def start(self) -> Params: ...

    def meta_gradient(self, meta: Params, batch: Batch, step: int = 0) -> tuple[Tensor, Params]: ...

    def held_out_losses(self, meta: Params, batch: Batch) -> Tensor: ...


def draw(tasks: Sequence[Task], size: int, seed: int = 0, dtype: torch.dtype | None = None) -> Source:
    """Return a source that shows all tasks once an epoch, `size` at a time, in an order drawn from `seed`.

    What is left of an epoch when `size` does not divide the tasks is not shown in it.
    """
    if size < 1:
        raise ParameterError(f"batch={size}; wanted at least 1")
    if not tasks:
        raise InputError("no tasks came to learn from; give at least one")
    size = min(size, len(tasks))
    per_epoch = len(tasks) // size

    def batch(step: int) -> Batch:
        order = derive(seed, step // per_epoch).permutation(len(tasks))
        start = (step % per_epoch) * size
        return stack([tasks[i] for i in order[start : start + size]], dtype)

    return batch


def meta_fit(
    learner: MetaLearner,
    source: Source,
    how: Training | None = None,
    *,
    held_out: Batch | None = None,
) -> Params:
    """Return meta-parameters trained on the batches of `source`.

    Parameters
    ----------
    held_out : tasks that stop training early; see `Training.validate`.

    Raises
    ------
    WeightsError
        When a loss or gradient is not finite: the error names step and tasks; the last checkpoint is kept.
    """
    how = how or Training()
    parameters = {name: value.requires_grad_() for name, value in learner.start().items()}

    def objective(step: int) -> float:
        batch = source(step)
        losses, grads = _gradient(learner, parameters, batch, step)
        for name, value in parameters.items():
            value.grad = grads[name]
        return float(losses.mean())

    if held_out is not None:
        how = replace(how, validate=lambda: held_out_loss(learner, parameters, held_out))
    train(parameters, objective, how, blame=lambda step: _blame(learner, parameters, source(step), step))
    return {name: value.detach() for name, value in parameters.items()}


def held_out_loss(learner: MetaLearner, meta: Params, batch: Batch) -> float:
    """Return the mean query loss over tasks after adapting to their supports alone, as in use."""
    with _dropout_of(0):
        return float(learner.held_out_losses(meta, batch).mean())


def _gradient(learner: MetaLearner, meta: Params, batch: Batch, step: int) -> tuple[Tensor, Params]:
    with _dropout_of(step):
        return learner.meta_gradient(meta, batch, step)


def _dropout_of(step: int) -> AbstractContextManager[None]:
    """Make dropout a function of the step, so that runs can be resumed."""
    return seeded(int(derive(step).integers(2**63)))


def _blame(learner: MetaLearner, meta: Params, batch: Batch, step: int) -> str:
    """Say which tasks of the batch do not compute."""
    import torch

    def computes(task: Batch) -> bool:
        losses, grads = _gradient(learner, meta, task, step)
        return all(bool(torch.isfinite(value).all()) for value in (losses, *grads.values()))

    guilty = [str(t) for t in range(len(batch)) if not computes(batch.task(t))]
    which = f"task {', '.join(guilty[:8])}" if guilty else "none of them alone"
    return f"look at the values of these tasks in its batch of {len(batch)}: {which}"
