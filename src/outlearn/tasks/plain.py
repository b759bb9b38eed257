"""Tables of plain noise without an anomaly: where the right answer is that nothing is there."""

from __future__ import annotations

import numpy as np

from outlearn.tasks.episode import Episode

__all__ = ["plain_episode"]

ROWS, COLUMNS, QUERY = (100, 2000), (1, 30), 200
FAR = (4.0, 8.0)  # standard deviations that the odd rows of the query lie off


def plain_episode(rng: np.random.Generator) -> Episode:
    """Return an unlabelled support of correlated Gaussian columns; the query has as many rows, and far ones.

    Sizes are drawn log-uniformly. In a third of the tables all columns are uniform, before they are mixed.

    >>> episode = plain_episode(np.random.default_rng(0))
    >>> int(episode.support_truth.sum()), sorted(set(episode.support_y.tolist()))
    (0, [-1])
    """
    n, d = (int(np.exp(rng.uniform(*np.log(bounds)))) for bounds in (ROWS, COLUMNS))
    mixing = np.eye(d) + rng.normal(size=(d, d)) * rng.choice([0.0, 0.3, 1.0])
    draw = rng.normal if rng.random() < 2 / 3 else lambda size: rng.uniform(-1.7, 1.7, size)
    rows = draw(size=(n + QUERY, d)) @ mixing
    directions = rng.normal(size=(QUERY // 4, d))
    directions *= rng.uniform(*FAR, size=(len(directions), 1)) / np.linalg.norm(
        directions, axis=1, keepdims=True
    )
    query = np.vstack([rows[n:], directions * np.sqrt(d) @ mixing]).astype(np.float32)
    truth = np.repeat([0, 1], [QUERY, len(directions)]).astype(np.int8)
    none = np.zeros(n, dtype=np.int8)
    return Episode(rows[:n].astype(np.float32), none - np.int8(1), query, truth, none, {"use": "plain"})
