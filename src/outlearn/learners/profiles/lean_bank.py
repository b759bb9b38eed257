"""Episodes as lean profiles: what the network of `learners.profiles` is trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import canonical_order
from outlearn.learners.profiles.lean import LEAN_STATISTICS, LeanProfiler
from outlearn.rng import derive
from outlearn.tasks.episode import Episode

__all__ = ["LeanEpisode", "lean_episode", "quick_oddness"]

QUICK = ("log.d20", "isolation", "histogram.mean", "mahalanobis")


@dataclass(frozen=True, slots=True)
class LeanEpisode:
    """What the network needs of one episode.

    support (n, 2F), query (m, 2F) float16 profiles; support_labels (n, L) blind, query_labels (m, L) float16;
    support_y, support_truth (n,), query_y (m,) int8; columns () of the table.
    """

    support: NDArray[np.float16]
    support_labels: NDArray[np.float16]
    support_y: NDArray[np.int8]
    support_truth: NDArray[np.int8]
    query: NDArray[np.float16]
    query_labels: NDArray[np.float16]
    query_y: NDArray[np.int8]
    columns: NDArray[np.int64]


def lean_episode(episode: Episode) -> LeanEpisode:
    """Profile support and query of one episode."""
    order = canonical_order(episode.support_x, episode.support_y)
    X, y = episode.support_x[order], episode.support_y[order]
    profiler = LeanProfiler(X, y, derive(0))
    own, asked = profiler.profile_support(X, blind=True), profiler.profile(episode.query_x)
    half = np.float16
    return LeanEpisode(
        own.order().astype(half),
        own.labels.astype(half),
        y,
        episode.support_truth[order],
        asked.order().astype(half),
        asked.labels.astype(half),
        episode.query_y,
        np.array(X.shape[1]),
    )


def quick_oddness(X: NDArray[np.float32]) -> NDArray[np.float64]:
    """Score the rows (n, d) of an unlabelled table by four statistics, for lists that get verdicts."""
    order = canonical_order(X)
    profiler = LeanProfiler(X[order], np.full(len(X), -1, dtype=np.int8), derive(0))
    tails = profiler.profile_support(X[order], blind=True).tails
    scores = np.empty(len(X))
    scores[order] = tails[:, [LEAN_STATISTICS.index(name) for name in QUICK]].sum(axis=1)
    return scores
