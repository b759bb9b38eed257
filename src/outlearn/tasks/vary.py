"""Tasks from tasks: the same rows under other labels, with noise, or with features withheld.

All are pure: ``(task, rng, …) → Task``. Support and query are treated alike, so a task stays solvable from
its support, and what could be known without looking at the support no longer helps. `tasks.augment` does the
same for episodes of tables.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outlearn.errors import InputError, ParameterError
from outlearn.tasks.task import Task

__all__ = ["drop_features", "jitter", "shuffle_ways"]


def shuffle_ways(task: Task, rng: np.random.Generator) -> Task:
    """Give the classes of a task each other's numbers, at random.

    The guard against memorisation: where a class has the same number in every task, a network can learn it by
    heart and leave the support unread, and then fails on classes that it never met.

    Source: Yin et al., "Meta-learning without memorization", ICLR 2020; Rajendran et al., "Meta-learning
    requires meta-augmentation", NeurIPS 2020.

    Raises
    ------
    InputError
        When targets are no class numbers from 0, one a row.

    >>> x = np.zeros((3, 1), dtype=np.float32)
    >>> task = shuffle_ways(Task(x, np.array([0, 1, 2]), x, np.array([2, 1, 0])), np.random.default_rng(2))
    >>> task.support_y.tolist(), task.query_y.tolist()
    ([2, 0, 1], [1, 0, 2])
    """
    labels = np.concatenate([np.ravel(task.support_y), np.ravel(task.query_y)])
    if labels.dtype.kind not in "iu" or task.support_y.ndim != 1 or labels.min() < 0:
        raise InputError(
            f"targets of type {labels.dtype} and shape {task.support_y.shape} from {labels.min()} to "
            f"{labels.max()} came; wanted (n,) class numbers from 0: labels of detection have a meaning that "
            "must stay"
        )
    number = rng.permutation(int(labels.max()) + 1).astype(labels.dtype)
    return replace(task, support_y=number[task.support_y], query_y=number[task.query_y])


def jitter(task: Task, rng: np.random.Generator, level: float = 0.1) -> Task:
    """Add Gaussian noise of `level` times the standard deviation that each feature has in the support.

    Raises
    ------
    ParameterError
        When `level` is negative.
    """
    if not level >= 0:
        raise ParameterError(f"level={level}; give 0 or more")
    scale = level * task.support_x.std(axis=0, dtype=np.float64)
    support, query = (
        (x + scale * rng.normal(size=x.shape)).astype(x.dtype) for x in (task.support_x, task.query_x)
    )
    return replace(task, support_x=support, query_x=query)


def drop_features(task: Task, rng: np.random.Generator, share: float = 0.2) -> Task:
    """Set features to their mean in the support, in support and query, so that they say nothing.

    Parameters
    ----------
    share : chance of each feature to be dropped; by chance all may be.

    Raises
    ------
    ParameterError
        When `share` is not in [0, 1).
    """
    if not 0 <= share < 1:
        raise ParameterError(f"share={share}; give 0 ≤ share < 1")
    dropped = rng.random(task.support_x.shape[1:]) < share
    mean = task.support_x.mean(axis=0, dtype=np.float64).astype(task.support_x.dtype)
    support, query = (np.where(dropped, mean, x) for x in (task.support_x, task.query_x))
    return replace(task, support_x=support, query_x=query)
