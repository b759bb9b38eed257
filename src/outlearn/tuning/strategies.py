"""Ways to choose, by name. Each is made from a performance table, and then serves any search.

All but the plainest learn in folds: each time from four fifths of the families of tasks. A table that took
part in the learning is searched with the fold that was learnt without it.

``default``, ``random`` and ``single`` are there to be compared with: what the library sets, a configuration
drawn at random, and the one that was best on average elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from outlearn.rng import derive
from outlearn.tuning.adversary import Adversary
from outlearn.tuning.portfolio import votes
from outlearn.tuning.search import Choice, Search, Strategy
from outlearn.tuning.source import SYNTHETIC_NAME
from outlearn.tuning.surrogate import Surrogate
from outlearn.tuning.table import PerformanceTable

__all__ = ["FOLDS", "STRATEGIES", "Adversarial", "Default", "Folds", "Maml", "Portfolio", "Random", "Single"]

Floats = NDArray[np.float64]
FOLDS = 5
MEMBERS = 10  # configurations whose ranks are averaged
AT_ONCE = 5  # configurations that are tried between two questions to the networks
CURIOSITY = 0.5  # how much a difference between networks counts, when the next to try is chosen


class Folds:
    """Which part of the families each fold is learnt without.

    >>> folds = Folds(["a", "b", "c", "d", "e", "f"])
    >>> [len(folds.without(["a"])), len(folds.without([])), folds.kept(["a", "b"], folds.without(["a"])[0])]
    [1, 5, [1]]
    """

    def __init__(self, families: Iterable[str], seed: int = 0) -> None:
        names = sorted(set(families))
        order = derive(seed, 0xF01D).permutation(len(names))
        self._place = {names[i]: number % FOLDS for number, i in enumerate(order)}

    def kept(self, families: Iterable[str], fold: int) -> list[int]:
        """Return the places of the tasks that a fold is learnt from: all, where nothing would be left."""
        families = list(families)
        kept = [i for i, name in enumerate(families) if self._place[name] != fold]
        return kept or list(range(len(families)))

    def without(self, families: Iterable[str]) -> list[int]:
        """Return the folds that were learnt without some families; all of them where there is none such."""
        places = {self._place[name] for name in families if name in self._place}
        return list(range(FOLDS)) if len(places) != 1 else sorted(places)


def _unknown(search: Search) -> Floats:
    return np.full(len(search.configs), np.nan)


class Default:
    """The first candidate: what the library sets."""

    def __init__(self, table: PerformanceTable, seed: int = 0) -> None:
        pass

    def search(self, search: Search) -> Choice:
        return Choice((int(search.allowed[0]),), _unknown(search), "it is the default")


class Random:
    """One at random."""

    def __init__(self, table: PerformanceTable, seed: int = 0) -> None:
        self._seed = seed

    def search(self, search: Search) -> Choice:
        pick = int(derive(self._seed, 0xD1CE).choice(search.allowed))
        return Choice((pick,), _unknown(search), "it was drawn at random")


class Single:
    """The one that was best on average on other tables, real ones if there are any."""

    def __init__(self, table: PerformanceTable, seed: int = 0) -> None:
        self._folds, self._means = Folds(table.families, seed), means(table, seed)

    def search(self, search: Search) -> Choice:
        expected = self._means[self._folds.without(search.same)].mean(axis=0)
        best = int(search.allowed[expected[search.allowed].argmax()])
        return Choice((best,), expected - expected.mean(), "no other was better on average on other tables")


class Portfolio:
    """A few that complement one another on other tables; see `portfolio`."""

    def __init__(self, table: PerformanceTable, seed: int = 0) -> None:
        self._folds, self._means = Folds(table.families, seed), means(table, seed)
        self._table, self._seed = table, seed
        self._votes: dict[tuple[int, ...], Floats] = {}

    def search(self, search: Search) -> Choice:
        allowed = tuple(int(i) for i in search.allowed)
        if allowed not in self._votes:
            part = self._table.among(allowed)
            self._votes[allowed] = np.stack(
                [
                    votes(part.of(self._folds.kept(part.families, fold)), MEMBERS, self._seed + fold)
                    for fold in range(FOLDS)
                ]
            )
        usable = self._folds.without(search.same)
        found = self._votes[allowed][usable].mean(axis=0)
        expected = self._means[usable].mean(axis=0)
        # What hardly any portfolio holds would dilute what most do.
        held = [i for i in np.argsort(-found, kind="stable")[:MEMBERS] if found[i] >= 0.5 * found.max()]
        return Choice(
            tuple(allowed[i] for i in held),
            expected - expected.mean(),
            "together they were best on other tables",
        )


class Maml:
    """Tries what meta-learnt surrogates expect most of, and takes what they expect most of then."""

    def __init__(self, table: PerformanceTable, seed: int = 0) -> None:
        self._folds = Folds(table.families, seed)
        self._surrogates = [
            Surrogate(table.of(self._folds.kept(table.families, fold)), seed + fold) for fold in range(FOLDS)
        ]

    def search(self, search: Search) -> Choice:
        surrogates = [self._surrogates[fold] for fold in self._folds.without(search.same)]

        def expect() -> tuple[Floats, Floats]:
            told = np.stack([one.expect(search.features, search.seen) for one in surrogates])
            return told.mean(axis=0), told.std(axis=0)

        tried: set[int] = set()
        while search.left and len(tried) < len(search.allowed):
            mean, spread = expect()
            hope = np.full(len(mean), -np.inf)
            hope[search.allowed] = (mean + CURIOSITY * spread)[search.allowed]
            hope[list(tried)] = -np.inf
            for pick in np.argsort(-hope, kind="stable")[: min(AT_ONCE, len(search.allowed) - len(tried))]:
                if search.left:
                    tried.add(int(pick))
                    search.look(int(pick))
        expected, _ = expect()
        # What was tried and failed is out; where something was seen, only what was seen is taken.
        untried = [int(i) for i in search.allowed if int(i) not in tried]
        allowed = np.array(sorted(search.seen) or untried or search.allowed, dtype=np.int64)
        best = allowed[np.argsort(-expected[allowed], kind="stable")]
        return Choice(
            tuple(int(i) for i in best[: count_of(len(allowed))]),
            expected,
            "surrogates, trained on other tables and adapted to what was seen here, expect most of them",
        )


class Adversarial:
    """Tries what was best on other tables, and takes what holds up against an adversary; see `adversary`."""

    def __init__(self, table: PerformanceTable, seed: int = 0) -> None:
        self._folds, self._means = Folds(table.families, seed), means(table, seed)
        self._adversaries = [
            Adversary(table.of(self._folds.kept(table.families, fold))) for fold in range(FOLDS)
        ]

    def search(self, search: Search) -> Choice:
        usable = self._folds.without(search.same)
        expected = self._means[usable].mean(axis=0)
        expected = expected - expected.mean()
        for pick in search.allowed[np.argsort(-expected[search.allowed], kind="stable")]:
            if search.left:
                search.look(int(pick))
        seen = np.array(sorted(search.seen), dtype=np.int64)
        if len(seen):
            measures = np.array([search.seen[int(i)].measures for i in seen])
            told = [a.worth * a.left(measures) for a in (self._adversaries[fold] for fold in usable)]
            gain = np.mean(told, axis=0)
            expected[seen] += gain - gain.mean()
        failed = {trial.index for trial in search.trials} - set(seen.tolist())
        rest = np.array([i for i in search.allowed if int(i) not in failed], dtype=np.int64)
        allowed = seen if len(seen) else rest if len(rest) else search.allowed
        best = allowed[np.argsort(-expected[allowed], kind="stable")]
        return Choice(
            tuple(int(i) for i in best[: count_of(len(allowed))]),
            expected,
            "of what was good on other tables, they hold up best against pseudo-anomalies made to be missed",
        )


def count_of(candidates: int) -> int:
    """Return how many of some candidates are combined: of few, the worse ones would count."""
    return min(MEMBERS, -(-candidates * 2 // 5))


def means(table: PerformanceTable, seed: int) -> Floats:
    """Return (FOLDS, C) the mean average precision over tasks, of real ones where there are any."""
    folds = Folds(table.families, seed)
    kept = [folds.kept(table.families, fold) for fold in range(FOLDS)]
    real = [[i for i in part if not table.tasks[i].startswith(SYNTHETIC_NAME)] or part for part in kept]
    return np.stack([table.precision[part].mean(axis=0) for part in real])


STRATEGIES: Mapping[str, Callable[[PerformanceTable, int], Strategy]] = MappingProxyType(
    {
        "portfolio": Portfolio,
        "maml": Maml,
        "adversarial": Adversarial,
        "single": Single,
        "default": Default,
        "random": Random,
    }
)
"""Strategies by name: (performance table, seed) → strategy."""
