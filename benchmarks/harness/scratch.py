"""A network trained from scratch on one support: what meta-learning has to beat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from outlearn.evaluate import auroc
from outlearn.learners.gradient.inner import Adam, Params
from outlearn.learners.gradient.learner import GradientScorer
from outlearn.learners.gradient.maml import FOMAML
from outlearn.learners.profiles.profile import BASIC_LABELS, BASIC_STATISTICS
from outlearn.learners.tabular import label_weights
from outlearn.learners.training.batch import stack
from outlearn.nets.losses import binary_cross_entropy
from outlearn.nets.profile import ProfileNet
from outlearn.rng import derive
from outlearn.tasks.task import Task

BUDGETS = (10, 30, 100, 300)  # steps of Adam, of which held-out rows of the support choose
RATE = 3e-3
FOLDS, FOLD_ROWS = 3, 300  # rows without a label that the choice is made on; training has them all
SEED = 0xA10E


def from_scratch(task: Task, widths: Sequence[int]) -> tuple[NDArray[np.float64], int]:
    """Train on the support of row profiles and score the query: (m,) and the steps that were taken.

    The network is that of the learners without the prior knowledge in its gate. How long it trains is chosen
    by AUROC on folds of the support, which hold back labelled anomalies; the query is not looked at.
    """
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        net = ProfileNet(len(BASIC_STATISTICS), len(BASIC_LABELS), widths)
    learner = FOMAML(module=net, loss=binary_cross_entropy, steps=0, rate=RATE, optimiser=Adam())
    folds = _folds(task)
    with torch.no_grad():
        reached = {
            step: np.mean(
                [auroc(fold.query_y == 1, _scores(net, params, t, fold)) for t, fold in enumerate(folds)]
            )
            for step, params in enumerate(_train(learner, folds, BUDGETS[-1]))
            if step in BUDGETS
        }
        steps = max(reached, key=lambda step: reached[step])
        (params,) = islice(_train(learner, [task], steps), steps, None)
    return _scores(net, params, 0, task), steps


def _train(learner: FOMAML, tasks: Sequence[Task], steps: int) -> Iterator[Params]:
    meta = learner.start()
    return learner.walk(meta, learner.stacked(meta, len(tasks)), stack(tasks), steps)


def _scores(net: ProfileNet, params: Params, t: int, task: Task) -> NDArray[np.float64]:
    return GradientScorer(net, {name: value[t] for name, value in params.items()}).score(task.query_x)


def _folds(task: Task) -> list[Task]:
    """Return tasks whose query is a part of the support that theirs leaves out, with rows of each label."""
    rng = derive(SEED)
    odd = task.support_y == 1
    known, usual = (rng.permutation(np.flatnonzero(side)) for side in (odd, ~odd))
    rows = np.concatenate([known, usual[:FOLD_ROWS]])
    fold = np.arange(len(rows)) % FOLDS
    result = []
    for number in range(FOLDS):
        kept, out = rows[fold != number], rows[fold == number]
        (x, y), (held_x, held_y) = (
            (task.support_x[chosen], task.support_y[chosen]) for chosen in (kept, out)
        )
        result.append(Task(x, y, held_x, held_y, label_weights(y), label_weights(held_y)))
    return result
