"""How well a learner does on tasks it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

__all__ = ["Figure", "judge"]


class Told(Protocol):
    """An episode as far as a judge looks: labels (n,) of the support, and truth (m,) of the query."""

    @property
    def support_y(self) -> NDArray[np.int8]: ...

    @property
    def query_y(self) -> NDArray[np.int8]: ...


E = TypeVar("E", bound=Told)
Score = Callable[[E], NDArray[np.floating]]  # query rows (m,), high = abnormal


@dataclass(frozen=True, slots=True)
class Figure:
    """Means over a group of tasks.

    tasks : how many; auroc, average_precision : means, in [0, 1].
    """

    group: str
    tasks: int
    auroc: float
    average_precision: float


def judge(score: Score[E], held_out: Mapping[str, Sequence[E]]) -> tuple[Figure, ...]:
    """Return the figures of all tasks, then of each source, with and without known anomalies in the support.

    >>> from outlearn.learners.profiles.bank import EpisodeProfiles
    >>> odd, y = np.zeros((2, 3), dtype=np.float16), np.array([0, 1], dtype=np.int8)
    >>> task = EpisodeProfiles(odd, y - 1, odd, y, odd[0], odd[0])
    >>> for figure in judge(lambda task: task.query_y.astype(float), {"synthetic": [task]}):
    ...     print(figure)
    Figure(group='all', tasks=1, auroc=1.0, average_precision=1.0)
    Figure(group='synthetic, no known anomalies', tasks=1, auroc=1.0, average_precision=1.0)
    """
    groups: dict[str, list[tuple[float, float]]] = {"all": []}
    for source, episodes in held_out.items():
        kinds = {known: f"{source}, {known} known anomalies" for known in ("with", "no")}
        groups |= {kind: [] for kind in kinds.values()}
        for episode in episodes:
            scores, y = score(episode), episode.query_y
            pair = float(roc_auc_score(y, scores)), float(average_precision_score(y, scores))
            groups["all"].append(pair)
            groups[kinds["with" if (episode.support_y == 1).any() else "no"]].append(pair)
    return tuple(
        Figure(name, len(pairs), *(float(np.mean(values)) for values in zip(*pairs, strict=True)))
        for name, pairs in groups.items()
        if pairs
    )
