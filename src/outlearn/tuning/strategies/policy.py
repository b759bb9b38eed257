"""A policy that searches: what to try next, and when to take what, learnt by playing on others.

It is trained by proximal policy optimisation (`learners.policy`) on the game of `search_game`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from outlearn.learners.policy import PPO, preferences, train_policy
from outlearn.learners.training.settings import seeded
from outlearn.tuning.space import Config
from outlearn.tuning.state import sub_state, under
from outlearn.tuning.strategies.search_game import TRY, deal, game_rows
from outlearn.tuning.strategies.search_tasks import SearchTasks
from outlearn.tuning.strategies.view import Seen, View
from outlearn.tuning.table import PerformanceTable
from outlearn.tuning.trials.observe import Observation

if TYPE_CHECKING:
    from outlearn.nets.pointer import Pointer

__all__ = ["SearchPolicy"]

Floats = NDArray[np.float64]
MOVES = 2  # TRY, TAKE
RECIPE = PPO(rounds=200, decay=1e-2)
WIDTH = 32  # of the network
EAGER = 2.0  # logit of a trial over taking at the start: what trials are worth shows late
SURE = 10.0  # of how configurations did on other tables, which a policy starts from
NET = "net."  # what names of parameters begin with in a state


class SearchPolicy:
    """Gives the probabilities of trying, and of taking, each configuration."""

    def __init__(self, view: View, net: Pointer) -> None:
        self._view, self._net = view, net

    @classmethod
    def learn(cls, table: PerformanceTable, seed: int = 0, *, rounds: int = RECIPE.rounds) -> Self:
        """Train by playing on a performance table."""
        view, tasks = View.of(table), SearchTasks(table)
        net = _net(view, seed)
        train_policy(net, lambda rng: deal(view, tasks, rng), replace(RECIPE, rounds=rounds), seed=seed)
        return cls(view, net)

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], configs: Sequence[Config]) -> Self:
        """Return the policy that `state` describes, for the same configurations."""
        import torch

        view = View.restore(state, configs)
        net = _net(view, 0)
        net.load_state_dict({name: torch.from_numpy(value) for name, value in sub_state(NET, state).items()})
        return cls(view, net)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the parameters of the network, and the scales of the view, as arrays."""
        net = {name: value.numpy() for name, value in self._net.state_dict().items()}
        return {**self._view.state(), **under(NET, net)}

    def moves(
        self, features: Floats, seen: Mapping[int, Observation], among: NDArray[np.int64], left: int
    ) -> Floats:
        """Return (K, 2) the probability of trying, and of taking, each of some configurations.

        Parameters
        ----------
        features : (F,) of the table. seen : what was seen, by configuration.
        among : (K,) places of the configurations, ascending. left : trials that may still be made.
        """
        tried = Seen.of(seen, among)
        logits = preferences(self._net, game_rows(self._view, features, among, tried, left))
        may = np.ones(logits.shape, dtype=bool)
        may[tried.places, TRY] = False
        may[:, TRY] &= left > 0
        chances: Floats = softmax(np.where(may, logits, -np.inf).ravel()).reshape(logits.shape)
        return chances


def _net(view: View, seed: int) -> Pointer:
    from outlearn.nets.pointer import Pointer

    with seeded(seed):
        return Pointer(view.width + 1, MOVES, WIDTH, base=view.known, sure=SURE, lean=(EAGER, 0.0))
