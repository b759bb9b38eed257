"""The search game as a gymnasium environment, for policies of other libraries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import ParameterError
from outlearn.extras import require
from outlearn.rng import derive
from outlearn.tuning.strategies.search_game import BUDGET, COST, TAKE, TRY, SearchGame
from outlearn.tuning.strategies.search_tasks import SearchTasks
from outlearn.tuning.strategies.view import UNIT, View
from outlearn.tuning.table import PerformanceTable

__all__ = ["TuningEnv"]

gymnasium = require("gymnasium", extra="gymnasium")
Rows = NDArray[np.float32]
Start = tuple[Rows, dict[str, Any]]


class TuningEnv(gymnasium.Env[Rows, int]):  # type: ignore[name-defined, misc]
    """Each episode is one task of a performance table; K configurations are tried, and one is taken.

    Observations are (K, F), one row a configuration; see `view.View` and `search_game.game_rows`. Action
    i < K tries the configuration i, at the price `cost`; action K + i takes it and ends the episode with its
    gain in average precision over the mean of the K. The unit of rewards is 0.2 of average precision.

    ``info["action_mask"]`` (2 K) marks the actions that make sense. To try what was tried costs its price and
    shows nothing; an episode is truncated when more is tried than the budget admits.

    Parameters
    ----------
    among : places of the K configurations in the table; all by default.

    Raises
    ------
    MissingExtraError
        On import, when gymnasium is not installed.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  # as gymnasium declares it

    def __init__(
        self,
        table: PerformanceTable,
        *,
        among: Sequence[int] | None = None,
        budget: int = BUDGET,
        cost: float = COST,
    ) -> None:
        places = np.arange(len(table.configs)) if among is None else np.unique(np.asarray(among, dtype=int))
        if not len(places) or places.min() < 0 or places.max() >= len(table.configs):
            raise ParameterError(
                f"among={among}; wanted places of the {len(table.configs)} configurations, one at least"
            )
        if budget < 0:
            raise ParameterError(f"budget={budget}; wanted 0 or more")
        self._view, self._tasks, self._among = View.of(table), SearchTasks(table), places
        self._budget, self._cost = budget, cost
        self._start(np.random.default_rng(0))
        shape = self._game.rows.shape
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float32)
        self.action_space = gymnasium.spaces.Discrete(2 * len(places))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Start:
        """Begin on a task drawn at random."""
        super().reset(seed=seed)
        self._start(derive(int(self.np_random.integers(2**31))))
        return self._game.rows, self._info()

    def step(self, action: int) -> tuple[Rows, float, bool, bool, dict[str, Any]]:
        """Try or take a configuration."""
        kind, row = divmod(int(action), len(self._among))
        # What failed when it was tried can be taken: the table holds what that brings.
        if kind == TAKE or self._game.allowed[row, TRY]:
            reward, over = self._game.act(row, kind)
            return self._game.rows, reward, over, False, self._info()
        spent = not self._game.allowed[:, TRY].any()
        return self._game.rows, -self._cost / UNIT, False, spent, self._info()

    def _start(self, rng: np.random.Generator) -> None:
        task = self._tasks.draw(int(rng.integers(len(self._tasks))), self._among, rng)
        self._game = SearchGame(self._view, task, budget=self._budget, cost=self._cost)

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self._game.allowed.T.ravel()}
