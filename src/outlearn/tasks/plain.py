"""Tables of plain noise with nothing or a few far rows in it: where the right answer is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.tasks.episode import Episode
from outlearn.tasks.usage import Oddness

__all__ = ["VERSION", "plain_episode"]

VERSION = 2  # raised whenever the same number gives another table
ROWS, COLUMNS, QUERY = (100, 2000), (1, 30), 200
MOST_SHARE, MOST = 0.03, 3  # of far rows in a support, and at least so many at most
CLUSTERS = (2, 6)  # of rows, where they are not all of one kind
APART = (2.0, 6.0)  # standard deviations that the centres of clusters lie about in a column
SPREAD = (0.02, 0.3)  # of far rows that lie together, by how far off they lie
VERDICTS = (3, 6, 10, 20)  # known false alarms, where there are some
FAR = (4.0, 8.0)  # standard deviations that the odd rows of the query lie off


def plain_episode(rng: np.random.Generator, oddness: Oddness) -> Episode:
    """Return a support of correlated Gaussian columns; the query has more such rows, and far ones.

    Sizes are drawn log-uniformly. In a third of the tables all columns are uniform, before they are mixed;
    in a third the rows lie in clusters. Half of the supports hold a few far rows, up to 3 % of all, of which
    half lie together; in half of the others the top of the list by `oddness`, which scores rows (n, d), is
    known to be false alarms.

    >>> episode = plain_episode(np.random.default_rng(0), lambda rows: rows[:, 0])
    >>> int(episode.support_truth.sum()), int(episode.query_y.sum())
    (0, 50)
    """
    n, d = (int(np.exp(rng.uniform(*np.log(bounds)))) for bounds in (ROWS, COLUMNS))
    mixing = np.eye(d) + rng.normal(size=(d, d)) * rng.choice([0.0, 0.3, 1.0])
    draw = rng.normal if rng.random() < 2 / 3 else lambda size: rng.uniform(-1.7, 1.7, size)
    rows, width = draw(size=(n + QUERY, d)), np.ones(d)
    if rng.random() < 1 / 3:
        centres = _centres(rng, len(rows), d)
        rows, width = rows + centres, np.sqrt(1 + centres.var(axis=0))
    rows = rows @ mixing
    planted = 0
    if rng.random() < 1 / 2:
        planted = int(np.exp(rng.uniform(0, np.log(max(MOST, MOST_SHARE * n)))) + 0.5)
    far = _far(rng, QUERY // 4 + planted, d) * width @ mixing
    support = np.vstack([rows[: n - planted], far[:planted]]).astype(np.float32)
    y, truth = np.full(n, -1, dtype=np.int8), (np.arange(n) >= n - planted).astype(np.int8)
    if not planted and rng.random() < 1 / 2:
        y[np.argsort(-oddness(support), kind="stable")[: rng.choice(VERDICTS)]] = 0
    query = np.vstack([rows[n:], far[planted:]]).astype(np.float32)
    asked = np.repeat([0, 1], [QUERY, len(far) - planted]).astype(np.int8)
    return Episode(support, y, query, asked, truth, {"use": "plain"})


def _centres(rng: np.random.Generator, count: int, d: int) -> NDArray[np.float64]:
    """Return the centre of its cluster for each of `count` rows, (count, d); their mean is about 0."""
    clusters = int(rng.integers(CLUSTERS[0], CLUSTERS[1] + 1))
    centres = rng.normal(size=(clusters, d)) * rng.uniform(*APART)
    shares = rng.dirichlet(np.full(clusters, 5.0))  # none is so small that it would be odd itself
    drawn: NDArray[np.float64] = (centres - shares @ centres)[rng.choice(clusters, count, p=shares)]
    return drawn


def _far(rng: np.random.Generator, count: int, d: int) -> NDArray[np.float64]:
    """Return rows (count, d) that are far off, by standard deviations, in some or all columns."""
    odd = np.zeros(d)
    odd[rng.permutation(d)[: int(np.exp(rng.uniform(0, np.log(d + 0.5))))]] = 1.0
    directions = rng.normal(size=(count, d)) * odd
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    directions *= rng.uniform(*FAR, size=(count, 1)) * np.sqrt(odd.sum()) / lengths
    if rng.random() < 1 / 2:
        directions = directions[0] + directions * rng.uniform(*SPREAD)
    return directions + rng.normal(size=(count, d)) * (1 - odd)
