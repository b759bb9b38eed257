"""Searching as a game: a configuration is tried, at a price, until one is taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.tuning.strategies.search_tasks import SearchTask, SearchTasks
from outlearn.tuning.strategies.view import UNIT, Seen, View, relative_gains

__all__ = ["COST", "TAKE", "TRY", "SearchGame", "deal", "game_rows"]

COST = 0.0001  # of a trial, in average precision
TRY, TAKE = 0, 1  # kinds of move
BUDGET = 25  # trials of a game, at most
FEWEST_DEALT, MOST_DEALT = 8, 32  # configurations of a game that is dealt
BLIND = 0.5  # share of the games that are dealt without meta-features
AHEAD = 0.5  # share of the games that are dealt with some configurations tried


def game_rows(
    view: View,
    features: NDArray[np.float64],
    among: NDArray[np.int64],
    seen: Seen,
    left: int,
    prior: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Return the rows that a policy reads of configurations: (K, view.width + 1).

    The last column is the trials left, up to `BUDGET`.
    """
    rows = view.rows(features, among, seen, prior)
    return np.column_stack([rows, np.full(len(rows), min(left, BUDGET) / BUDGET, dtype=np.float32)])


class SearchGame:
    """One table; see `learners.policy.Game`.

    A move tries a configuration, for the price `cost` in average precision, or takes one, which ends the
    game and brings its gain over the mean of all in average precision. Both are in units of `view.UNIT`.

    Parameters
    ----------
    tried : places that were tried before. budget : trials that may still be made.
    blind : hide the meta-features: of few tables a policy would learn them by heart.
    """

    def __init__(
        self,
        view: View,
        task: SearchTask,
        *,
        budget: int = BUDGET,
        cost: float = COST,
        tried: tuple[int, ...] = (),
        blind: bool = False,
    ) -> None:
        self._view, self._task, self._left, self._cost = view, task, budget, cost
        self._blind = blind
        self._tried = np.isin(np.arange(len(task.among)), tried)
        self._gains = relative_gains(task.precision)

    @property
    def rows(self) -> NDArray[np.float32]:
        task = self._task
        seen = task.seen(np.flatnonzero(self._tried))
        rows = game_rows(self._view, task.features, task.among, seen, self._left, task.prior)
        if self._blind:
            rows[:, : len(task.features)] = 0.0
        return rows

    @property
    def allowed(self) -> NDArray[np.bool_]:
        # What was found to fail is not taken, unless nothing else is there.
        sound = ~(self._tried & self._task.failed)
        return np.column_stack([~self._tried & (self._left > 0), sound if sound.any() else ~sound])

    def act(self, row: int, kind: int) -> tuple[float, bool]:
        if kind == TAKE:
            return float(self._gains[row]), True
        self._tried[row] = True
        self._left -= 1
        return -self._cost / UNIT, False


def deal(view: View, tasks: SearchTasks, rng: np.random.Generator) -> SearchGame:
    """Return a game on some of the configurations of a table, often with some of them tried."""
    group = tasks.groups[int(rng.integers(len(tasks.groups)))]
    count = int(rng.integers(min(FEWEST_DEALT, len(group)), min(MOST_DEALT, len(group)) + 1))
    among = np.sort(rng.choice(group, count, replace=False))
    task = tasks.draw(int(rng.integers(len(tasks))), among, rng)
    tried: tuple[int, ...] = ()
    if rng.random() < AHEAD:
        tried = tuple(int(i) for i in rng.permutation(count)[: int(rng.integers(1, count + 1))])
    budget, blind = int(rng.integers(BUDGET + 1)), bool(rng.random() < BLIND)
    return SearchGame(view, task, budget=budget, tried=tried, blind=blind)
