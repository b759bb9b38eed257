"""A network that predicts how well configurations will do on a table, and adapts to what was seen of some.

It reads the meta-features of the table, the configuration, how it did on other tables, and, of those that
were tried, what was seen. MAML (`learners.gradient.maml`) trains it so that a few gradient steps on the
tried make it better on all. Without labels these steps go towards what the observations say together, each
believed as far as it was found to be worth across tables (`nets.trust`); with labels the average precision
that was seen is one more observation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from outlearn.learners.gradient.learner import GradientLearned
from outlearn.learners.gradient.maml import MAML
from outlearn.learners.training.batch import stack
from outlearn.learners.training.fit import meta_fit
from outlearn.learners.training.loop import Training, warm_cosine
from outlearn.learners.training.settings import one_thread, seeded
from outlearn.rng import derive
from outlearn.tasks.task import Task
from outlearn.tuning.space import Config
from outlearn.tuning.state import sub_state, under
from outlearn.tuning.strategies.search_tasks import SearchTask, SearchTasks
from outlearn.tuning.strategies.view import OBSERVED, UNIT, Seen, View, relative_gains
from outlearn.tuning.table import PerformanceTable
from outlearn.tuning.trials.observe import Observation

if TYPE_CHECKING:
    from outlearn.learners.training.batch import Batch

__all__ = ["Surrogate"]

Floats = NDArray[np.float64]
BATCH = 8  # search tasks of a step
FORGET = 0.2  # share of the tasks whose meta-features are hidden in training: there are few tables
MOST_TRIED = 40  # configurations that are tried in a search task
META = "meta."  # what names of meta-parameters begin with in a state
UNTRIED = 0.3  # weight of a configuration that was not tried


class Surrogate:
    """Predicts how far above the mean of the candidates the average precision of each will be."""

    def __init__(self, view: View, learned: GradientLearned, shape: tuple[int, int]) -> None:
        self._view, self._learned, self._shape = view, learned, shape

    @classmethod
    def learn(
        cls, table: PerformanceTable, seed: int = 0, *, steps: int = 300, inner: int = 1, width: int = 32
    ) -> Self:
        """Meta-train on a performance table.

        Parameters
        ----------
        steps : of meta-training. inner : gradient steps on what was seen; 0 for none.
        """
        import torch

        view, tasks = View.of(table), SearchTasks(table)
        learner = _learner(view, seed, inner, width)
        recipe = Training(
            steps=steps,
            rate=2e-3,
            schedule=warm_cosine,
            clip=5.0,
            optimiser=lambda leaves, rate: torch.optim.AdamW(leaves, lr=rate, weight_decay=1e-2),
        )
        with one_thread():
            meta = meta_fit(learner, lambda step: _batch(view, tasks, seed, step), recipe)
        return cls(view, GradientLearned(learner, meta), (inner, width))

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], configs: Sequence[Config]) -> Self:
        """Return the surrogate that `state` describes, for the same configurations."""
        import torch

        view = View.restore(state, configs)
        inner, width = (int(number) for number in state["shape"])
        meta = {name: torch.from_numpy(value) for name, value in sub_state(META, state).items()}
        return cls(view, GradientLearned(_learner(view, 0, inner, width), meta), (inner, width))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the meta-parameters, and the scales of the view, as arrays."""
        meta = {name: value.detach().numpy() for name, value in self._learned.meta.items()}
        return {**self._view.state(), **under(META, meta), "shape": np.array(self._shape)}

    def expect(self, features: Floats, seen: Mapping[int, Observation], among: NDArray[np.int64]) -> Floats:
        """Return (K,) the gain expected of each of some configurations over their mean, in average precision.

        Parameters
        ----------
        features : (F,) of the table. seen : what was seen, by configuration.
        among : (K,) places of the configurations, ascending.
        """
        tried = Seen.of(seen, among)
        rows = self._view.rows(features, among, tried)
        if not len(tried.places):
            nothing = np.zeros((1, OBSERVED), dtype=np.float32)
            scorer = self._learned.adapt(rows[:1], nothing, steps=0)
        else:
            scorer = self._learned.adapt(rows[tried.places], tried.observed)
        return np.asarray(scorer.score(rows), dtype=np.float64).ravel() * UNIT


def _learner(view: View, seed: int, inner: int, width: int) -> MAML:
    from outlearn.nets.losses import squared_error
    from outlearn.nets.mlp import MLP
    from outlearn.nets.trust import Trust

    with seeded(seed):
        net = MLP(view.width, (width, width), 1, normalise=True)
    return MAML(
        module=net,
        loss=Trust(OBSERVED),
        query_loss=squared_error,
        steps=inner,
        rate=0.05,
        rates="one" if inner else "fixed",
    )


def _batch(view: View, tasks: SearchTasks, seed: int, step: int) -> Batch:
    rng = derive(seed, 0x5A6, step)
    # A batch is of one group, so that its tasks have one shape.
    among = tasks.groups[int(rng.integers(len(tasks.groups)))]
    usable = tasks.working(among)
    return stack([_task(view, tasks.draw(int(t), among, rng), rng) for t in rng.choice(usable, BATCH)])


def _task(view: View, search_task: SearchTask, rng: np.random.Generator) -> Task:
    """Return a search task as a task of a learner: some configurations tried, the gains of all its goal."""
    count = len(search_task.among)
    wanted = int(rng.integers(min(4, count), min(MOST_TRIED, count) + 1))
    seen = search_task.seen(np.sort(rng.permutation(np.flatnonzero(~search_task.failed))[:wanted]))
    rows = view.rows(search_task.features, search_task.among, seen, search_task.prior)
    if rng.random() < FORGET:
        rows[:, : len(search_task.features)] = 0.0
    weight = np.where(np.isin(np.arange(count), seen.places), 1.0, UNTRIED).astype(np.float32)
    goal = relative_gains(search_task.precision).astype(np.float32)
    return Task(rows[seen.places], seen.observed, rows, goal, None, weight)
