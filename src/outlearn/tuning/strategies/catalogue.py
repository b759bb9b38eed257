"""Strategies by name; each is learnt from a performance table, and then serves any search.

All but the plainest learn in folds: each time from four fifths of the families of tasks. A table that took
part in the learning is searched with the fold that was learnt without it.

``default``, ``random`` and ``single`` are there to be compared with: what the library sets, a configuration
drawn at random, and the one that was best on average elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from outlearn.tuning.search import Choice, Search
from outlearn.tuning.space import Config
from outlearn.tuning.state import State, sub_state, under
from outlearn.tuning.strategies.adversary import Adversary
from outlearn.tuning.strategies.baselines import Default, Portfolio, Random, Single, Strategy, unknown
from outlearn.tuning.strategies.folds import FOLDS, Folds
from outlearn.tuning.strategies.gaussian_process import GaussianProcess, improvement
from outlearn.tuning.strategies.policy import SearchPolicy
from outlearn.tuning.strategies.search_game import TAKE, TRY
from outlearn.tuning.strategies.surrogate import Surrogate
from outlearn.tuning.table import PerformanceTable

__all__ = [
    "STRATEGIES",
    "Adversarial",
    "Default",
    "Maml",
    "Policy",
    "Portfolio",
    "Random",
    "Single",
    "Strategy",
]

Floats = NDArray[np.float64]
TAKEN = 3  # configurations whose ranks are averaged, of those that were judged one by one
CLEARLY = 2.0  # times as gladly that a policy is to take others than what was best elsewhere
MARGIN = 0.02  # of average precision, by which more is to be expected than of what was best elsewhere
AT_ONCE = 5  # configurations that are tried between two questions to the networks
CURIOSITY = 0.5  # how much a difference between networks counts, when the next to try is chosen


class _Folded:
    """Strategies that ask networks, one a fold."""

    def __init__(self, folds: Folds, learnt: Sequence[Any]) -> None:
        self._folds, self._learnt = folds, list(learnt)

    def state(self) -> State:
        return _joined(self._learnt)

    def _fit_for(self, search: Search) -> list[Any]:
        """Return the models that were learnt without the table."""
        return [self._learnt[fold] for fold in self._folds.without(search.same)]


def _joined(learnt: Sequence[Any], kind: str = "") -> State:
    """Return the states of the folds as one, under a kind and their number."""
    joined: State = {}
    for fold, one in enumerate(learnt):
        joined |= under(f"{kind}{fold}.", one.state())
    return joined


def _split(state: Mapping[str, NDArray[Any]], kind: str = "") -> list[State]:
    """Return the states of the folds, which `_joined` put in one."""
    return [sub_state(f"{kind}{fold}.", state) for fold in range(FOLDS)]


class _Beside(_Folded):
    """Strategies that ask networks, and know what was best on average elsewhere."""

    def __init__(self, folds: Folds, learnt: Sequence[Any], single: Single) -> None:
        super().__init__(folds, learnt)
        self._single = single

    def state(self) -> State:
        return {**super().state(), **self._single.state()}


class Maml(_Beside):
    """Tries what meta-learnt surrogates expect most of, and takes what they expect most of then.

    What was best on average elsewhere is tried first and, without labels, taken unless clearly more is
    expected of others. Where labels tell of what is tried, expectations start halfway between other tables
    and the surrogates, and follow what is seen by how configurations go together; see `gaussian_process`.
    """

    def __init__(
        self, folds: Folds, learnt: Sequence[Surrogate], single: Single, processes: Sequence[GaussianProcess]
    ) -> None:
        super().__init__(folds, learnt, single)
        self._processes = list(processes)

    @classmethod
    def learn(cls, table: PerformanceTable, seed: int = 0) -> Self:
        folds = Folds(table.families, seed)
        tables = [table.of(folds.kept(table.families, fold)) for fold in range(FOLDS)]
        learnt = [Surrogate.learn(known, seed + fold) for fold, known in enumerate(tables)]
        processes = [GaussianProcess.learn(known) for known in tables]
        return cls(folds, learnt, Single.learn(table, seed), processes)

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], folds: Folds, configs: Sequence[Config]) -> Self:
        learnt = [Surrogate.restore(fold_state, configs) for fold_state in _split(state)]
        processes = [GaussianProcess.restore(fold_state) for fold_state in _split(state, "kin.")]
        return cls(folds, learnt, Single.restore(state, folds, configs), processes)

    def state(self) -> State:
        return {**super().state(), **_joined(self._processes, "kin.")}

    def _expect(self, search: Search) -> tuple[Floats, Floats]:
        """Return (K,) the gains expected of those allowed, and (K,) the spread between the surrogates."""
        gains = [one.expect(search.features, search.seen, search.allowed) for one in self._fit_for(search)]
        return np.mean(gains, axis=0), np.std(gains, axis=0)

    def search(self, search: Search) -> Choice:
        known = self._single.search(search).members[0]
        first, _ = self._expect(search)
        order = [
            known,
            *(i for i in search.allowed[np.argsort(-first, kind="stable")].tolist() if i != known),
        ]
        for pick in order:
            if search.seen or not search.left:
                break
            search.look(pick)
        if any(seen.precision is not None for seen in search.seen.values()):
            return self._by_labels(search, first)
        while search.left and len(search.trials) < len(search.allowed):
            mean, spread = self._expect(search)
            tried = [trial.index for trial in search.trials]
            hope = np.where(np.isin(search.allowed, tried), -np.inf, mean + CURIOSITY * spread)
            count = min(AT_ONCE, len(hope) - len(tried))
            for pick in search.allowed[np.argsort(-hope, kind="stable")[:count]].tolist():
                if search.left:
                    search.look(pick)
        expected = unknown(search)
        expected[search.allowed], _ = self._expect(search)
        choice = _choice(
            search,
            expected,
            "surrogates, trained on other tables and adapted to what was seen here, expect most of them",
        )
        sound = known in search.seen or known not in [trial.index for trial in search.trials]
        if sound and expected[choice.members[0]] < expected[known] + MARGIN:
            return Choice(
                (known,), expected, "it was best on other tables, and not much more is expected of any"
            )
        return choice

    def _by_labels(self, search: Search, first: Floats) -> Choice:
        """Search where each trial shows an average precision."""
        processes = [self._processes[fold] for fold in self._folds.without(search.same)]
        prior = np.mean([one.mean[search.allowed] for one in processes], axis=0)
        prior = prior + 0.5 * (first - first.mean() - (prior - prior.mean()))

        def follow() -> tuple[Floats, Floats, Floats]:
            known = {i: s.precision for i, s in search.seen.items() if s.precision is not None}
            places = np.array(sorted(known), dtype=np.int64)
            precisions = np.array([known[int(i)] for i in places])
            seen = np.searchsorted(search.allowed, places)
            means, spreads = zip(
                *(one.posterior(search.allowed, prior, seen, precisions) for one in processes), strict=True
            )
            mean, spread = np.mean(means, axis=0), np.mean(spreads, axis=0)
            return mean, spread, mean[seen]

        while search.left and len(search.trials) < len(search.allowed):
            mean, spread, of_seen = follow()
            hope = improvement(mean, spread, float(of_seen.max()))
            hope[np.isin(search.allowed, [trial.index for trial in search.trials])] = -np.inf
            search.look(int(search.allowed[hope.argmax()]))
        mean, _, _ = follow()
        expected = unknown(search)
        expected[search.allowed] = mean - mean.mean()
        return _choice(
            search, expected, "labels, and how configurations went together on other tables, speak for them"
        )


class Policy(_Beside):
    """Tries what policies propose until they would rather take one; see `policy`.

    What was best on average elsewhere is taken unless they would clearly rather take others.
    """

    @classmethod
    def learn(cls, table: PerformanceTable, seed: int = 0) -> Self:
        folds = Folds(table.families, seed)
        learnt = [
            SearchPolicy.learn(table.of(folds.kept(table.families, fold)), seed + fold)
            for fold in range(FOLDS)
        ]
        return cls(folds, learnt, Single.learn(table, seed))

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], folds: Folds, configs: Sequence[Config]) -> Self:
        learnt = [SearchPolicy.restore(fold_state, configs) for fold_state in _split(state)]
        return cls(folds, learnt, Single.restore(state, folds, configs))

    def search(self, search: Search) -> Choice:
        policies = self._fit_for(search)
        known = self._single.search(search).members[0]
        tried: set[int] = set()
        while True:
            moves = [one.moves(search.features, search.seen, search.allowed, search.left) for one in policies]
            chances = np.mean(moves, axis=0)  # (K, kinds)
            chances[np.isin(search.allowed, list(tried)), TRY] = 0.0
            if not search.left or chances[:, TRY].sum() <= chances[:, TAKE].sum():
                break
            pick = int(search.allowed[chances[:, TRY].argmax()])
            tried.add(pick)
            search.look(pick)
        gladly = unknown(search)
        gladly[search.allowed] = chances[:, TAKE]
        failed = list(tried - set(search.seen))
        if len(failed) < len(search.allowed):
            gladly[failed] = 0.0
        order = search.allowed[np.argsort(-gladly[search.allowed], kind="stable")]
        members, why = (
            order[: count_of(len(order))],
            "a policy, trained on other tables, takes them",
        )
        if known not in failed and gladly[order[0]] < CLEARLY * gladly[known]:
            members, why = np.array([known]), "it was best on other tables, and no other is taken more gladly"
        # Policies say what they would rather take, not how good it is; other tables say that.
        return Choice(tuple(int(i) for i in members), self._single.expected(search), why)


class Adversarial(_Beside):
    """Tries what was best on other tables, and takes what holds up against an adversary; see `adversary`."""

    @classmethod
    def learn(cls, table: PerformanceTable, seed: int = 0) -> Self:
        folds = Folds(table.families, seed)
        learnt = [Adversary.learn(table.of(folds.kept(table.families, fold))) for fold in range(FOLDS)]
        return cls(folds, learnt, Single.learn(table, seed))

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]], folds: Folds, configs: Sequence[Config]) -> Self:
        learnt = [Adversary.restore(fold_state) for fold_state in _split(state)]
        return cls(folds, learnt, Single.restore(state, folds, configs))

    def search(self, search: Search) -> Choice:
        expected = self._single.expected(search)
        for pick in search.allowed[np.argsort(-expected[search.allowed], kind="stable")]:
            if search.left:
                search.look(int(pick))
        seen = np.array(sorted(search.seen), dtype=np.int64)
        if len(seen):
            measures = np.array([search.seen[int(i)].measures for i in seen])
            gains = [a.worth * a.left(measures) for a in self._fit_for(search)]
            gain = np.mean(gains, axis=0)
            expected[seen] += gain - gain.mean()
        return _choice(
            search,
            expected,
            "of what was good on other tables, they hold up best against pseudo-anomalies made to be missed",
        )


def _choice(search: Search, expected: Floats, why: str) -> Choice:
    """Take what is expected most of: of what was seen, or else of what was not found to fail."""
    failed = {trial.index for trial in search.trials}
    untried = [int(i) for i in search.allowed if int(i) not in failed]
    allowed = np.array(sorted(search.seen) or untried or search.allowed, dtype=np.int64)
    best = allowed[np.argsort(-expected[allowed], kind="stable")]
    return Choice(tuple(int(i) for i in best[: count_of(len(allowed))]), expected, why)


def count_of(candidates: int) -> int:
    """Return how many of some candidates are combined: of few, the worse ones would count."""
    return min(TAKEN, -(-candidates * 2 // 5))


STRATEGIES: Mapping[str, type[Strategy]] = MappingProxyType(
    {
        "portfolio": Portfolio,
        "maml": Maml,
        "policy": Policy,
        "adversarial": Adversarial,
        "single": Single,
        "default": Default,
        "random": Random,
    }
)
"""Strategies by name."""
