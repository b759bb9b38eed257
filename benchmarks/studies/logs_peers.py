"""What others do with sequences of events: counts for outlier detectors, and how rare runs of events are.

Each peer fits a frame with one column of events, with labels or none, as those of `peers`. Detectors that
take no labels are given the normal rows alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import polars as pl

from benchmarks.harness.peers import CatBoost, Peer

MOST = 500  # events that are counted


def events_in(X: pl.DataFrame) -> list[list[str]]:
    """Return the events of each row."""
    return [cell.split() for cell in X.to_series().to_list()]


class Counts:
    """A detector on how often each event comes: standardised, or by the logarithm."""

    def __init__(self, model: Any, *, log: bool = False) -> None:
        self.model, self.log = model, log

    def fit(self, X: pl.DataFrame, y: np.ndarray | None) -> None:
        from sklearn.preprocessing import StandardScaler

        seen = Counter(event for cell in events_in(X) for event in cell)
        self.places = {event: place for place, (event, _) in enumerate(seen.most_common(MOST))}
        counts = self._counts(X)
        self.scale = StandardScaler().fit(counts)
        self.model.fit(counts if self.log else self.scale.transform(counts))

    def score(self, X: pl.DataFrame) -> np.ndarray:
        counts = self._counts(X)
        return np.asarray(self.model.decision_function(counts if self.log else self.scale.transform(counts)))

    def _counts(self, X: pl.DataFrame) -> np.ndarray:
        counts = np.zeros((X.height, len(self.places) + 1))  # the last: events that were not seen
        for row, cell in enumerate(events_in(X)):
            for event in cell:
                counts[row, self.places.get(event, len(self.places))] += 1
        return np.log1p(counts) if self.log else counts


class CountsCatBoost(Counts):
    """CatBoost with its defaults on the counts, with labels."""

    def __init__(self, seed: int) -> None:
        super().__init__(CatBoost(seed))

    def fit(self, X: pl.DataFrame, y: np.ndarray | None) -> None:
        seen = Counter(event for cell in events_in(X) for event in cell)
        self.places = {event: place for place, (event, _) in enumerate(seen.most_common(MOST))}
        self.model.fit(self._counts(X), y)

    def score(self, X: pl.DataFrame) -> np.ndarray:
        return self.model.score(self._counts(X))


class Ngrams:
    """-log of the smoothed share of each event after the n - 1 before it; mean, maximum or sum of a row."""

    def __init__(self, length: int, of: Callable[[list[float]], float]) -> None:
        self.length, self.of = length, of

    def fit(self, X: pl.DataFrame, y: np.ndarray | None) -> None:
        self.seen = Counter(gram for cell in events_in(X) for gram in self._grams(cell))
        self.before: Counter[tuple[str, ...]] = Counter()
        for gram, count in self.seen.items():
            self.before[gram[:-1]] += count
        self.kinds = len({gram[-1] for gram in self.seen}) + 1

    def score(self, X: pl.DataFrame) -> np.ndarray:
        return np.array(
            [self.of([self._rarity(gram) for gram in self._grams(cell)]) for cell in events_in(X)]
        )

    def _rarity(self, gram: tuple[str, ...]) -> float:
        return float(-np.log((self.seen[gram] + 0.5) / (self.before[gram[:-1]] + 0.5 * self.kinds)))

    def _grams(self, cell: list[str]) -> Iterable[tuple[str, ...]]:
        marked = [*["(start)"] * (self.length - 1), *cell, "(end)"]
        return zip(*(marked[place:] for place in range(self.length)), strict=False)


def _iforest(seed: int) -> Peer:
    from pyod.models.iforest import IForest

    return Counts(IForest(random_state=seed))


def _knn(neighbours: int, *, log: bool) -> Callable[[int], Peer]:
    def make(seed: int) -> Peer:
        from pyod.models.knn import KNN

        return Counts(KNN(n_neighbors=neighbours, method="mean"), log=log)

    return make


_OF: dict[str, Callable[[list[float]], float]] = {
    "mean": lambda parts: float(np.mean(parts)),
    "max": max,
    "sum": sum,
}
#: Detectors of sequences that take no labels.
BLIND: dict[str, Callable[[int], Peer]] = {
    "iforest of counts": _iforest,
    "knn5 of counts": _knn(5, log=False),
    "knn5 of log counts": _knn(5, log=True),
    "knn1 of log counts": _knn(1, log=True),
    **{
        f"{length}-grams, {name}": (lambda seed, length=length, of=of: Ngrams(length, of))
        for length in (2, 3)
        for name, of in _OF.items()
    },
}
#: Detectors of sequences that need labelled cases.
ASKING: dict[str, Callable[[int], Peer]] = {"catboost of counts": CountsCatBoost}
