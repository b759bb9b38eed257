"""One search on one table: candidates, trials, and the budget that is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from outlearn.tuning.space import Config
from outlearn.tuning.trials.observe import Observation

__all__ = ["Choice", "Looker", "Search", "Trial"]

Floats = NDArray[np.float64]


class Looker(Protocol):
    """Tries a configuration on a table; any exception says that it does not work there."""

    def look(self, config: Config) -> Observation: ...


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration that was tried.

    index : its place among all configurations. seen : None where it failed; `fault` then says why.
    """

    index: int
    seen: Observation | None
    seconds: float
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Decision of a strategy.

    members : places among all configurations of those to use, the best first; ranks of several are averaged.
    expected : (C,) how much above the mean of the candidates the average precision of each is expected to
        be; NaN where the strategy does not say.
    why : in words.
    """

    members: tuple[int, ...]
    expected: Floats
    why: str


@dataclass
class Search:
    """Search on one table, as a strategy sees it.

    configs : all that anything was learnt about, C. allowed : the candidates among them, ascending.
    features : of the table, see `metafeatures`.
    same : families of tasks that are this table: what was learnt from them is not to be used.
    looker : makes what tries them when first asked; budget : how many may be tried; deadline : of the clock
        `time.monotonic`, after which nothing more is tried. seed : of what is drawn.
    """

    configs: Sequence[Config]
    allowed: NDArray[np.int64]
    features: Floats
    looker: Callable[[], Looker]
    budget: int
    same: frozenset[str] = frozenset()
    deadline: float = np.inf
    seed: int = 0
    trials: list[Trial] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many configurations may still be tried."""
        return 0 if time.monotonic() >= self.deadline else max(self.budget - len(self.trials), 0)

    @property
    def seen(self) -> dict[int, Observation]:
        """Observations so far, by the place of the configuration."""
        return {trial.index: trial.seen for trial in self.trials if trial.seen is not None}

    def look(self, index: int) -> Observation | None:
        """Try a configuration, and return what was seen, or None where it failed.

        Raises
        ------
        RuntimeError
            When the budget is spent: ask `left` first.
        """
        # Not by the clock: time may run out between the question whether any is left and this.
        if len(self.trials) >= self.budget:
            raise RuntimeError("a strategy tried more than the budget allows")
        trial = self._try(index)
        self.trials.append(trial)
        return trial.seen

    def beside(self, index: int) -> Trial | None:
        """Return the trial of a configuration, made now if it was not; None after the deadline."""
        tried = next((trial for trial in self.trials if trial.index == index), None)
        if tried is not None or time.monotonic() >= self.deadline:
            return tried
        return self._try(index)

    def _try(self, index: int) -> Trial:
        started = time.perf_counter()
        try:
            seen, fault = self.looker().look(self.configs[index]), ""
        except Exception as error:  # whatever a library or a user's own estimator raises: the trial keeps it
            seen, fault = None, f"{type(error).__name__}: {error}"
        return Trial(index, seen, time.perf_counter() - started, fault)
