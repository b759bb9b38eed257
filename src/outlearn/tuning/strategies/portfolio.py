"""A few configurations that complement one another, their scores combined by rank.

Found greedily on the performance table: first the one that is best alone, then each time the one that makes
the mean rank of all better. It learns nothing of the table at hand, and is hard to beat.

Source: greedy ensemble selection: Caruana, Niculescu-Mizil, Crew, Ksikes 2004; portfolios of configurations:
Feurer et al. 2022.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.rng import derive
from outlearn.tuning.table import PerformanceTable

__all__ = ["average_precisions", "greedy", "votes"]

Floats = NDArray[np.float64]
BAGS = 4  # draws of tasks, each with a portfolio of its own
CONSIDERED = 32  # configurations, those that are best alone


def average_precisions(truth: NDArray[np.int8], scores: NDArray[np.floating]) -> Floats:
    """Return the average precision (C,) of each row of scores (C, m) for one truth (m,).

    Rows of equal score count as if they came one after another in the middle of each other's order: within
    rounding what scikit-learn gives where there are no ties.

    >>> average_precisions(np.array([0, 1, 1]), np.array([[0.1, 0.3, 0.2], [0.3, 0.2, 0.1]]))
    array([1.        , 0.58333333])
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    hits = truth[order].astype(np.float64)  # (C, m)
    precision = np.cumsum(hits, axis=1) / np.arange(1, scores.shape[1] + 1)
    averages: Floats = (precision * hits).sum(axis=1) / max(float(truth.sum()), 1.0)
    return averages


def greedy(table: PerformanceTable, size: int, *, weights: Floats | None = None) -> list[int]:
    """Return which configurations make the best mean rank together, the best alone first.

    Parameters
    ----------
    size : how many at most; fewer where one more makes nothing better.
    weights : (T,) of the tasks; equal by default.
    """
    share = np.full(len(table.tasks), 1.0) if weights is None else weights
    share = share / share.sum()
    # One that is poor alone hardly helps, and all would be tried again for each place.
    alone = (share[:, None] * table.precision).sum(axis=0)
    tried = np.argsort(-alone, kind="stable")[:CONSIDERED]
    chosen: list[int] = []
    sums = [np.zeros(ranks.shape[1]) for ranks in table.ranks]
    best = -np.inf
    while len(chosen) < size:
        gains = np.zeros(len(tried))
        for weight, ranks, so_far, truth in zip(share, table.ranks, sums, table.truths, strict=True):
            if weight > 0:
                gains += weight * average_precisions(truth, so_far + ranks[tried])
        gains[np.isin(tried, chosen)] = -np.inf
        place = int(gains.argmax())
        if gains[place] <= best:
            break
        best, pick = gains[place], int(tried[place])
        chosen.append(pick)
        sums = [so_far + ranks[pick] for so_far, ranks in zip(sums, table.ranks, strict=True)]
    return chosen


def votes(table: PerformanceTable, size: int, seed: int = 0) -> Floats:
    """Return how often portfolios hold each configuration, (C,), each found on tasks drawn with replacement.

    With few tasks, one portfolio follows their chance. A place among the first counts more than a later one;
    among equals a little more counts the one that is better alone.
    """
    shares = np.zeros(len(table.configs))
    for bag in range(BAGS):
        drawn = derive(seed, 0xBA6, bag).integers(len(table.tasks), size=len(table.tasks))
        weights = np.bincount(drawn, minlength=len(table.tasks)).astype(np.float64)
        for place, pick in enumerate(greedy(table, size, weights=weights)):
            shares[pick] += (1 - place / (2 * size)) / BAGS
    tie_broken: Floats = shares + 1e-3 * table.precision.mean(axis=0)
    return tie_broken
