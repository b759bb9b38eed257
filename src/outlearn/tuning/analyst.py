"""A policy that chooses which row to show an analyst, learnt by playing inquiries on labelled tables.

It is trained on the same code as the policy that searches (`learners.policy`), and starts from the order that
the beliefs of `inquiry` give, which is a good one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from outlearn.learners.policy import PPO, preferences, train_policy
from outlearn.tuning.inquiry import FEATURES, Beliefs, Ground

if TYPE_CHECKING:
    from outlearn.learners.loop import Training
    from outlearn.nets.pointer import Pointer

__all__ = ["AnalystGame", "AnalystPolicy"]

QUESTIONS = (10, 100)  # of a game
SURE = 10.0  # of the order that it starts from
RECIPE = PPO(rounds=60, games=32, epochs=4, discount=0.98, smoothing=0.9, entropy=0.003)


class AnalystGame:
    """An inquiry whose answers are known; see `learners.policy.Game`. Each anomaly that is found brings 1.

    Parameters
    ----------
    truth : (n,) of the rows of the ground. questions : that may be asked.
    """

    def __init__(self, ground: Ground, truth: NDArray[np.int8], questions: int) -> None:
        self._beliefs, self._truth = Beliefs(ground), truth
        self._left = min(questions, len(truth))
        self._hidden = int(truth.sum())
        self._look()

    def _look(self) -> None:
        self._candidates, self._rows = self._beliefs.candidates()

    @property
    def rows(self) -> NDArray[np.float32]:
        return self._rows

    @property
    def allowed(self) -> NDArray[np.bool_]:
        return np.ones((len(self._rows), 1), dtype=bool)

    def act(self, row: int, kind: int) -> tuple[float, bool]:
        asked = int(self._candidates[row])
        found = int(self._truth[asked])
        self._left -= 1
        self._hidden -= found
        over = self._left == 0 or self._hidden == 0
        if not over:
            self._beliefs.tell(asked, found)
            self._look()
        return float(found), over


class AnalystPolicy:
    """Chooses the next question."""

    def __init__(self, net: Pointer) -> None:
        self._net = net

    @classmethod
    def learn(
        cls,
        grounds: Sequence[tuple[Ground, NDArray[np.int8]]],
        seed: int = 0,
        *,
        how: PPO = RECIPE,
        training: Training | None = None,
    ) -> Self:
        """Train by playing on tables with their truth (n,) in {0, 1}; each holds at least one anomaly."""
        net = _net(seed)

        def deal(rng: np.random.Generator) -> AnalystGame:
            ground, truth = grounds[int(rng.integers(len(grounds)))]
            low, high = QUESTIONS
            return AnalystGame(ground, truth, int(rng.integers(low, high + 1)))

        train_policy(net, deal, how, seed=seed, training=training)
        return cls(net)

    def choose(self, beliefs: Beliefs) -> int:
        """Return the place, in the ground, of the row to ask about."""
        rows, features = beliefs.candidates()
        return int(rows[preferences(self._net, features)[:, 0].argmax()])


def _net(seed: int) -> Pointer:
    import torch

    from outlearn.nets.pointer import Pointer

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Pointer(len(FEATURES), base=FEATURES.index("place"), sure=SURE)
