"""Learning in folds of families, so that a table is searched with what was learnt without it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from outlearn.rng import derive
from outlearn.tuning.source import SYNTHETIC_NAME
from outlearn.tuning.space import Config
from outlearn.tuning.table import PerformanceTable, same_table

__all__ = ["ALL", "FOLDS", "Folds", "groups", "kindred", "means", "others"]

Floats = NDArray[np.float64]
FOLDS = 5  # of the families of tasks
ALL = "all"  # name of the group of all configurations


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


def kindred(table: PerformanceTable) -> PerformanceTable:
    """Return a table in which families that share a table are one, under the name of the first.

    Sets cut from one source are often the same rows with other labels: they may not stand on both sides.
    """
    first = {name: place for place, name in reversed(list(enumerate(table.tasks)))}
    root = {family: family for family in table.families}

    def top(family: str) -> str:
        while root[family] != family:
            family = root[family]
        return family

    by_shape: dict[tuple[int, ...], list[int]] = {}
    for place in first.values():
        by_shape.setdefault(table.prints[place].shape, []).append(place)
    for places in by_shape.values():
        for one, other in combinations(sorted(places), 2):
            a, b = top(table.families[one]), top(table.families[other])
            if a != b and same_table(table.prints[one], table.prints[other]):
                root[b] = a
    return replace(table, families=[top(family) for family in table.families])


def others(table: PerformanceTable) -> Floats:
    """Return (T, C) the mean average precision on tasks of other families; on all where there is one only."""
    total, count = table.precision.sum(axis=0), len(table.tasks)
    elsewhere = np.empty_like(table.precision)
    names = np.array(table.families)
    for family in dict.fromkeys(table.families):
        own = names == family
        rest = count - int(own.sum())
        elsewhere[own] = (total - table.precision[own].sum(axis=0)) / rest if rest else total / count
    return elsewhere


def means(table: PerformanceTable, seed: int) -> Floats:
    """Return (FOLDS, C) the mean average precision over tasks, of real ones where there are any."""
    folds = Folds(table.families, seed)
    kept = [folds.kept(table.families, fold) for fold in range(FOLDS)]
    real = [[i for i in places if not table.tasks[i].startswith(SYNTHETIC_NAME)] or places for places in kept]
    return np.stack([table.precision[places].mean(axis=0) for places in real])


def groups(configs: Sequence[Config]) -> dict[str, NDArray[np.int64]]:
    """Return the groups of configurations to choose among, as places: all, and those of each detector."""
    names = np.array([config["detector"] for config in configs])
    by_detector = {str(name): np.flatnonzero(names == name) for name in dict.fromkeys(names)}
    return {ALL: np.arange(len(names)), **by_detector}
