"""Strategies that try nothing on the table, for the others to be compared with and to lean on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from outlearn.rng import derive
from outlearn.tuning.search import Choice, Search
from outlearn.tuning.space import Config
from outlearn.tuning.state import State
from outlearn.tuning.strategies.folds import ALL, FOLDS, Folds, groups, means
from outlearn.tuning.strategies.portfolio import votes
from outlearn.tuning.table import PerformanceTable

__all__ = ["Default", "Portfolio", "Random", "Single", "Strategy", "unknown"]

Floats = NDArray[np.float64]
MEMBERS = 10  # of a portfolio


class Strategy(Protocol):
    """A way to spend a budget of trials and to decide, and what was learnt for it as arrays."""

    @classmethod
    def learn(cls, table: PerformanceTable, seed: int = 0) -> Self: ...

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], folds: Folds, configs: Sequence[Config]) -> Self: ...

    def state(self) -> State: ...

    def search(self, search: Search) -> Choice: ...


class Default:
    """The first candidate: what the library sets."""

    @classmethod
    def learn(cls, table: PerformanceTable, seed: int = 0) -> Self:
        return cls()

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], folds: Folds, configs: Sequence[Config]) -> Self:
        return cls()

    def state(self) -> State:
        return {}

    def search(self, search: Search) -> Choice:
        return Choice((int(search.allowed[0]),), unknown(search), "it is the default")


class Random(Default):
    """One at random."""

    def search(self, search: Search) -> Choice:
        pick = int(derive(search.seed, 0xD1CE).choice(search.allowed))
        return Choice((pick,), unknown(search), "it was drawn at random")


class Single:
    """The one that was best on average on other tables, real ones if there are any."""

    def __init__(self, folds: Folds, means: Floats) -> None:
        self._folds, self._means = folds, means

    @classmethod
    def learn(cls, table: PerformanceTable, seed: int = 0) -> Self:
        return cls(Folds(table.families, seed), means(table, seed))

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], folds: Folds, configs: Sequence[Config]) -> Self:
        return cls(folds, state["means"])

    def state(self) -> State:
        return {"means": self._means}

    def expected(self, search: Search) -> Floats:
        """Return (C,) the mean on other tables, above that of those allowed; NaN for others."""
        expected = unknown(search)
        expected[search.allowed] = self._means[self._folds.without(search.same)].mean(axis=0)[search.allowed]
        return expected - np.nanmean(expected)

    def search(self, search: Search) -> Choice:
        expected = self.expected(search)
        best = int(np.nanargmax(expected))
        return Choice((best,), expected, "no other was better on average on other tables")


class Portfolio:
    """A few that complement one another on other tables; see `portfolio`.

    For all candidates and for those of each detector there is a portfolio of its own; of a part of the
    detectors, those candidates are taken that the portfolio of all holds.
    """

    def __init__(
        self,
        single: Single,
        folds: Folds,
        groups: Mapping[str, NDArray[np.int64]],
        held: State,
        table: PerformanceTable | None,
        seed: int,
    ) -> None:
        self._single, self._folds, self._groups = single, folds, groups
        self._held, self._table, self._seed = held, table, seed

    @classmethod
    def learn(cls, table: PerformanceTable, seed: int = 0) -> Self:
        folds = Folds(table.families, seed)
        return cls(Single.learn(table, seed), folds, groups(table.configs), {}, table, seed)

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], folds: Folds, configs: Sequence[Config]) -> Self:
        known = groups(configs)
        held = {name: state[name] for name in known}
        if any(held[name].shape != (FOLDS, len(group)) for name, group in known.items()):
            raise ValueError("the votes are of other candidates")
        return cls(Single.restore(state, folds, configs), folds, known, held, None, 0)

    def state(self) -> State:
        return {**self._single.state(), **{name: self._votes(name) for name in self._groups}}

    def _votes(self, name: str) -> Floats:
        """Return (FOLDS, K) the votes for the candidates of a group, found when first asked for."""
        if name not in self._held:
            assert self._table is not None  # what is restored holds all groups
            subset = self._table.among(self._groups[name])
            self._held[name] = np.stack(
                [
                    votes(subset.of(self._folds.kept(subset.families, fold)), MEMBERS, self._seed + fold)
                    for fold in range(FOLDS)
                ]
            )
        held: Floats = self._held[name]
        return held

    def search(self, search: Search) -> Choice:
        same = [name for name, group in self._groups.items() if np.array_equal(group, search.allowed)]
        name = same[0] if same else ALL
        of = self._groups[name]
        shares = self._votes(name)[self._folds.without(search.same)].mean(axis=0)[np.isin(of, search.allowed)]
        order = np.argsort(-shares, kind="stable")[:MEMBERS]
        # What hardly any portfolio holds would dilute what most do.
        held = search.allowed[[i for i in order if shares[i] >= 0.5 * shares.max()]]
        expected = self._single.expected(search)
        return Choice(tuple(int(i) for i in held), expected, "together they were best on other tables")


def unknown(search: Search) -> Floats:
    """Return (C,) that nothing is expected of any configuration."""
    return np.full(len(search.configs), np.nan)
