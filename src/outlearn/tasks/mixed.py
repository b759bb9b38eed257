"""Synthetic records of several modalities: a row of several tables each, odd in some of them or in none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from outlearn.rng import derive
from outlearn.tasks.episode import Episode
from outlearn.tasks.situation import SITUATIONS, labels_for
from outlearn.tasks.synthetic.table import ALL_KINDS, PRIORS, sample_table
from outlearn.tasks.synthetic.world import TaskShape

__all__ = ["MixedTask", "draw_mixed"]

MOST = 5  # modalities
ROWS = (60, 600)  # of a support, even in their logarithm
QUERY = 256  # rows
NARROW, WIDE = (2, 40), (40, 200)  # columns of a table, and of an embedding or a series
SHARES = (1.0, 1.5, 0.5, 2.5)  # of the situations, labelled last: that is where much is to be learnt


@dataclass(frozen=True, slots=True)
class MixedTask:
    """One task: rows side by side in all modalities.

    episode : its columns are those of all modalities, one after another; a missing part is all zeros.
    edges : (M + 1,) where each modality begins; the last is their end.
    support_gone, query_gone : (n, M) and (m, M), whether a row lacks a modality.
    """

    episode: Episode
    edges: tuple[int, ...]
    support_gone: NDArray[np.bool_]
    query_gone: NDArray[np.bool_]

    @property
    def parts(self) -> Iterator[slice]:
        """The columns of each modality."""
        return (slice(low, high) for low, high in pairwise(self.edges))


def draw_mixed(seed: int, index: int) -> MixedTask:
    """Return task `index` of an endless stream; it depends on these two numbers alone.

    Two to five modalities are drawn from the priors of tables. How likely an anomaly is odd in each differs
    by task: in some a single modality tells all, in others any of them may. In a few
    modalities odd rows mean nothing. In half of the tasks rows lack modalities.

    >>> task = draw_mixed(0, 3)
    >>> task.episode.support_x.shape[1] == task.edges[-1], task.query_gone.shape[1] == len(task.edges) - 1
    (True, True)
    """
    rng = derive(seed, index)
    count = int(rng.integers(2, MOST + 1))
    n = int(np.exp(rng.uniform(*np.log(ROWS))))
    total = n + QUERY
    situation = str(rng.choice(SITUATIONS, p=np.array(SHARES) / sum(SHARES)))
    clean = situation in ("normal", "clean")
    share = 0.0 if clean else 0.25 * rng.beta(0.6, 1.0)
    truth = np.concatenate([rng.random(n) < share, rng.random(QUERY) < rng.uniform(0.05, 0.5)])
    if situation == "labelled":
        truth[0] = True
    truth[n], truth[-1] = False, True  # a query of one kind judges nothing
    odd = _where_odd(rng, truth, count)
    gone = _where_gone(rng, total, count)
    tables = [_modality(rng, odd[:, m], gone[:, m]) for m in range(count)]
    values = np.hstack(tables)
    y = truth.astype(np.int8)
    wanted = int(rng.integers(1, 11))
    episode = Episode(
        values[:n],
        labels_for(rng, y[:n], situation, wanted),
        values[n:],
        y[n:],
        y[:n],
        {"situation": situation, "modalities": count, "seed": seed, "index": index},
    )
    edges = (0, *(int(edge) for edge in np.cumsum([table.shape[1] for table in tables])))
    return MixedTask(episode, edges, gone[:n], gone[n:])


def _where_odd(rng: np.random.Generator, truth: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Return where each row is odd, (r, M): an anomaly in one modality at least, others by nuisance."""
    kind = rng.choice(["single", "any", "most"], p=[0.3, 0.4, 0.3])
    chance = {
        "single": np.eye(count)[rng.integers(count)],
        "any": rng.dirichlet(np.full(count, 0.8)),
        "most": rng.uniform(0.3, 1.0, count),
    }[str(kind)]
    odd = rng.random((len(truth), count)) < chance
    none = ~odd.any(axis=1)
    odd[none, rng.choice(count, size=int(none.sum()), p=chance / chance.sum())] = True
    nuisance = np.where(rng.random(count) < 0.3, rng.uniform(0.0, 0.1, count), 0.0)
    return np.where(truth[:, None], odd, rng.random((len(truth), count)) < nuisance)


def _where_gone(rng: np.random.Generator, rows: int, count: int) -> NDArray[np.bool_]:
    if rng.random() < 0.5:
        return np.zeros((rows, count), dtype=bool)
    gone: NDArray[np.bool_] = rng.random((rows, count)) < rng.uniform(0.0, 0.4, count)
    gone[gone.all(axis=1), 0] = False
    return gone


def _modality(
    rng: np.random.Generator, odd: NDArray[np.bool_], gone: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return one modality of all rows, (r, d)."""
    low, high = WIDE if rng.random() < 0.25 else NARROW
    columns = int(np.exp(rng.uniform(np.log(low), np.log(high + 1))))
    kinds = tuple(sorted({str(kind) for kind in rng.choice(ALL_KINDS, size=int(rng.integers(1, 3)))}))
    shape = TaskShape(int((~odd).sum()), max(int(odd.sum()), 1), columns)
    prior = str(rng.choice(list(PRIORS)))
    table = sample_table(rng, prior, shape, kinds, float(rng.uniform(0.3, 1.0)))
    values = np.empty((len(odd), columns), dtype=np.float32)
    values[~odd], values[odd] = table.normals, table.anomalies[: int(odd.sum())]
    values[gone] = 0.0
    return values
