"""What goes wrong with a support or a query, done on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from outlearn.learners.gradient.inner import Params
from outlearn.learners.gradient.learner import GradientLearner
from outlearn.learners.training.batch import Batch
from outlearn.tasks.episode import Episode
from outlearn.tasks.images import ImageClasses
from outlearn.tasks.task import Task


def mislabel(task: Task, rng: np.random.Generator, share: float) -> Task:
    """Give a share of the support rows the number of another class."""
    y, ways = task.support_y.copy(), int(task.support_y.max()) + 1
    hit = rng.permutation(len(y))[: round(share * len(y))]
    y[hit] = (y[hit] + rng.integers(1, ways, len(hit))) % ways
    return replace(task, support_y=y)


def shuffle_labels(task: Task, rng: np.random.Generator) -> Task:
    """Deal the labels of the support out anew, to any rows."""
    return replace(task, support_y=rng.permutation(task.support_y))


def delete_rows(task: Task, rng: np.random.Generator, share: float) -> Task:
    """Take a share of the support rows away; the first of each class stays."""
    _, first = np.unique(task.support_y, return_index=True)
    others = rng.permutation(np.setdiff1d(np.arange(len(task.support_y)), first))
    kept = np.sort(np.concatenate([first, others[round(share * len(task.support_y)) :]]))
    weight = None if task.support_weight is None else task.support_weight[kept]
    return replace(
        task, support_x=task.support_x[kept], support_y=task.support_y[kept], support_weight=weight
    )


def tied_task(
    classes: ImageClasses, rng: np.random.Generator, *, ways: int, shots: int, queries: int
) -> Task:
    """Draw a task in which a class always has the same number, its place in the list modulo `ways`.

    Such tasks can be solved without a support, by heart: a network that does fails on classes it never met.
    """
    count = len(classes.names) // ways
    rows = [rng.permutation(classes.members[way + ways * int(rng.integers(count))]) for way in range(ways)]
    support, query = (
        np.concatenate([r[cut] for r in rows]) for cut in (slice(0, shots), slice(shots, shots + queries))
    )
    x = classes.images
    return Task(x[support], np.arange(ways).repeat(shots), x[query], np.arange(ways).repeat(queries))


def wrong_labels(episode: Episode, rng: np.random.Generator, share: float) -> Episode:
    """Tell the opposite of the truth about a share of the support of a detection task."""
    y = episode.support_y.copy()
    hit = rng.permutation(len(y))[: round(share * len(y))]
    y[hit] = 1 - episode.support_truth[hit]
    return replace(episode, support_y=y)


def planted(episode: Episode, rng: np.random.Generator, share: float) -> Episode:
    """Add anomalies that are told to be normal: a share of the support that results.

    They are mixtures of two known anomalies or, where there is one, copies of it with a little noise.
    """
    odd = episode.support_x[episode.support_truth == 1]
    count = round(share / (1 - share) * len(episode.support_y))
    first, second = (odd[rng.integers(len(odd), size=count)] for _ in range(2))
    weight = rng.random((count, 1))
    noise = 0.01 * episode.support_x.std(axis=0) * rng.normal(size=first.shape)
    rows = (weight * first + (1 - weight) * second + noise).astype(np.float32)
    return replace(
        episode,
        support_x=np.concatenate([episode.support_x, rows]),
        support_y=np.concatenate([episode.support_y, np.zeros(count, dtype=np.int8)]),
        support_truth=np.concatenate([episode.support_truth, np.ones(count, dtype=np.int8)]),
    )


def attacked(learner: GradientLearner, meta: Params, params: Params, batch: Batch, size: float) -> Tensor:
    """Return query rows moved by `size` in each value, to where the adapted networks err more.

    Source: the fast gradient sign method of Goodfellow et al., ICLR 2015.
    """
    x = batch.query_x.detach().requires_grad_()
    with torch.enable_grad():
        loss = learner.judge(meta, params, x, batch.query_y, batch.query_w, query=True)
    (uphill,) = torch.autograd.grad(loss.sum(), x)
    return (x + size * uphill.sign()).detach()
