"""Plain oracle for the sequence encoder: one event at a time, with Counters of tuples of events."""

from __future__ import annotations

import math
from collections import Counter
from itertools import groupby

START, END = object(), object()


def grams(cell: str, length: int) -> list[tuple[object, ...]]:
    marked = [START, *cell.split(), END]
    return [tuple(marked[at : at + length]) for at in range(len(marked) - length + 1)]


def describe(fitted: list[str], cell: str) -> list[float]:
    """Return log length, log distinct, share unseen, mean and greatest rarity of steps, log sum of that of
    triples, log of the longest repeat."""
    own = Counter(event for other in fitted for event in other.split())
    own[END] = len(fitted)
    before = Counter(own)
    before[START], before[END] = len(fitted), 0
    steps = Counter(gram for other in fitted for gram in grams(other, 2))
    triples = Counter(gram for other in fitted for gram in grams(other, 3))
    kinds = len(own) + 1  # any other event is one more

    def event_share(event: object) -> float:
        return (own[event] + 0.5) / (sum(own.values()) + 0.5 * kinds)

    def step_share(first: object, second: object) -> float:
        return (steps[first, second] + event_share(second)) / (before[first] + 1)

    def triple_share(first: object, second: object, third: object) -> float:
        return (triples[first, second, third] + step_share(second, third)) / (steps[first, second] + 1)

    events = cell.split()
    rarities = [-math.log(step_share(*gram)) for gram in grams(cell, 2)]
    whole = sum(-math.log(triple_share(*gram)) for gram in grams(cell, 3))
    return [
        math.log1p(len(events)),
        math.log1p(len(set(events))),
        sum(event not in own for event in events) / len(events),
        sum(rarities) / len(rarities),
        max(rarities),
        math.log1p(whole),
        math.log1p(max(len(list(run)) for _, run in groupby(events))),
    ]
