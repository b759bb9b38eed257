"""Tables of plain noise with nothing or a few far rows in it: where the right answer is known."""

from __future__ import annotations

import numpy as np

from outlearn.tasks.episode import Episode
from outlearn.tasks.usage import Oddness

__all__ = ["plain_episode"]

ROWS, COLUMNS, QUERY = (100, 2000), (1, 30), 200
MOST = 3  # far rows in a support
VERDICTS = (3, 6, 10, 20)  # known false alarms, where there are some
FAR = (4.0, 8.0)  # standard deviations that the odd rows of the query lie off


def plain_episode(rng: np.random.Generator, oddness: Oddness) -> Episode:
    """Return a support of correlated Gaussian columns; the query has more such rows, and far ones.

    Sizes are drawn log-uniformly. In a third of the tables all columns are uniform, before they are mixed.
    One in three supports holds up to three of the far rows; in half of the others the top of the list by
    `oddness`, which scores rows (n, d), is known to be false alarms.

    >>> episode = plain_episode(np.random.default_rng(0), lambda rows: rows[:, 0])
    >>> int(episode.support_truth.sum()), int(episode.query_y.sum())
    (2, 51)
    """
    n, d = (int(np.exp(rng.uniform(*np.log(bounds)))) for bounds in (ROWS, COLUMNS))
    mixing = np.eye(d) + rng.normal(size=(d, d)) * rng.choice([0.0, 0.3, 1.0])
    draw = rng.normal if rng.random() < 2 / 3 else lambda size: rng.uniform(-1.7, 1.7, size)
    rows = draw(size=(n + QUERY, d)) @ mixing
    directions = rng.normal(size=(QUERY // 4 + MOST, d))
    directions *= rng.uniform(*FAR, size=(len(directions), 1)) / np.linalg.norm(
        directions, axis=1, keepdims=True
    )
    far = directions * np.sqrt(d) @ mixing
    planted = int(rng.integers(1, MOST + 1)) if rng.random() < 1 / 3 else 0
    support = np.vstack([rows[: n - planted], far[:planted]]).astype(np.float32)
    y, truth = np.full(n, -1, dtype=np.int8), (np.arange(n) >= n - planted).astype(np.int8)
    if not planted and rng.random() < 1 / 2:
        y[np.argsort(-oddness(support), kind="stable")[: rng.choice(VERDICTS)]] = 0
    query = np.vstack([rows[n:], far[planted:]]).astype(np.float32)
    asked = np.repeat([0, 1], [QUERY, len(far) - planted]).astype(np.int8)
    return Episode(support, y, query, asked, truth, {"use": "plain"})
