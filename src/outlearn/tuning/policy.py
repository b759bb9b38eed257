"""A policy that searches: what to try next, and when to take what, learnt by playing on others.

It is trained by proximal policy optimisation (`learners.policy`) on the game of `tuning.game`.
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
from outlearn.tuning.drill import Drills
from outlearn.tuning.game import TRY, deal, game_rows
from outlearn.tuning.observe import Observation
from outlearn.tuning.space import Config
from outlearn.tuning.state import part, under
from outlearn.tuning.table import PerformanceTable
from outlearn.tuning.view import Seen, View

if TYPE_CHECKING:
    from outlearn.nets.pointer import Pointer

__all__ = ["SearchPolicy"]

Floats = NDArray[np.float64]
KINDS = 2  # TRY, TAKE
RECIPE = PPO(rounds=200, decay=1e-2)
WIDTH = 32
EAGER = 2.0  # logit of a trial over taking at the start: what trials are worth shows late
SURE = 10.0  # of how configurations did on other tables, which a policy starts from
NET = "net."  # what names of parameters begin with in a state


class SearchPolicy:
    """Tells how gladly it would try, and take, each configuration."""

    def __init__(self, view: View, net: Pointer) -> None:
        self._view, self._net = view, net

    @classmethod
    def learn(cls, table: PerformanceTable, seed: int = 0, *, rounds: int = RECIPE.rounds) -> Self:
        """Train by playing on a performance table."""
        view, drills = View.of(table), Drills(table)
        net = _net(view, seed)
        train_policy(net, lambda rng: deal(view, drills, rng), replace(RECIPE, rounds=rounds), seed=seed)
        return cls(view, net)

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], configs: Sequence[Config]) -> Self:
        """Return what `state` told of, for the same configurations."""
        import torch

        view = View.restore(state, configs)
        net = _net(view, 0)
        net.load_state_dict({name: torch.from_numpy(value) for name, value in part(NET, state).items()})
        return cls(view, net)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what was learnt, as arrays."""
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
        told = Seen.of(seen, among)
        logits = preferences(self._net, game_rows(self._view, features, among, told, left))
        may = np.ones(logits.shape, dtype=bool)
        may[told.places, TRY] = False
        may[:, TRY] &= left > 0
        chances: Floats = softmax(np.where(may, logits, -np.inf).ravel()).reshape(logits.shape)
        return chances


def _net(view: View, seed: int) -> Pointer:
    from outlearn.nets.pointer import Pointer

    with seeded(seed):
        return Pointer(view.width + 1, KINDS, WIDTH, base=view.known, sure=SURE, lean=(EAGER, 0.0))
