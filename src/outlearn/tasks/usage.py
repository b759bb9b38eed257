"""Episodes from a labelled table, in the ways that users come to a detector with labels.

Beside supports without a known anomaly there are: a few confirmed anomalies among unlabelled rows, drawn at
random
or of one kind; true verdicts on the top of a list, anomalies and false alarms alike; and confirmed cases
beside a
reference of known normals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError
from outlearn.tasks.augment import subset_columns, warp_columns
from outlearn.tasks.episode import Episode

__all__ = ["USES", "Use", "episode_of_use"]

Rows = NDArray[np.float32]
Labels = NDArray[np.int8]
Oddness = Callable[[Rows], NDArray[np.float64]]

FEWEST_NORMALS, FEWEST_ANOMALIES = 20, 2


@dataclass(frozen=True, slots=True)
class Use:
    """How the support of an episode is labelled.

    reference : all its rows are normal, and known to be, but for labelled cases.
    clean : all its rows are normal, which nobody says.
    cases : anomalies that are confirmed, as far as there are any, are drawn from these numbers.
    one_kind : the confirmed anomalies lie near one another.
    verdicts : rows at the top of a list that get their true label are drawn from these numbers.
    normals : known normals beside unlabelled rows are drawn from these numbers.
    """

    name: str
    reference: bool = False
    clean: bool = False
    cases: tuple[int, ...] = (0,)
    one_kind: bool = False
    verdicts: tuple[int, ...] = (0,)
    normals: tuple[int, ...] = (0,)


CASES = (1, 1, 2, 3, 5, 10, 20)
USES = (
    Use("reference", reference=True),
    Use("unlabelled"),
    Use("cases", cases=CASES, normals=(0, 0, 5, 20)),
    Use("reference and cases", reference=True, cases=CASES),
    Use("verdicts", verdicts=(3, 3, 6, 10, 20, 40)),
    Use("cases of one kind", cases=CASES, one_kind=True),
    Use("reference and cases of one kind", reference=True, cases=CASES, one_kind=True),
    Use("verdicts, again", verdicts=(3, 6, 10, 20, 40)),
    Use("clean", clean=True),
)


def episode_of_use(
    X: Rows,
    y: Labels,
    use: Use,
    rng: np.random.Generator,
    *,
    support_rows: int,
    oddness: Oddness,
    query_rows: tuple[int, int] = (1000, 400),
    contamination: float = 0.3,
    augment: bool = False,
    copies: bool = False,
) -> Episode:
    """Split a table of distinct rows X (n, d), y (n,) in {0, 1} into a support and a query, and label the
    support.

    Parameters
    ----------
    support_rows : at most so many, and half of the table.
    oddness : scores rows (n, d) of the support, to put them on the list that verdicts are given on.
    query_rows : normal and anomalous rows, at most.
    contamination : share of anomalies in an unlabelled support, at most.
    augment : some columns are left out, and others bent, in half of the episodes.
    copies : rows all but equal to confirmed anomalies join the query as anomalies, in a third of the
    episodes.

    Raises
    ------
    InputError
        When the table has too few normal rows or anomalies.
    """
    usual, odd = (rng.permutation(np.flatnonzero(y == label)) for label in (0, 1))
    if len(usual) < FEWEST_NORMALS or len(odd) < FEWEST_ANOMALIES:
        raise InputError(
            f"the table has {len(usual)} normal rows and {len(odd)} anomalies; wanted {FEWEST_NORMALS} and "
            f"{FEWEST_ANOMALIES} at least"
        )
    count = int(rng.choice(use.cases))
    if use.reference:
        held = _confirmed(X, odd, min(count, len(odd) // 2), rng, one_kind=use.one_kind)
        a = min(len(usual) // 2, support_rows)
        told = np.concatenate([np.zeros(a), np.ones(len(held))])
        support = np.concatenate([usual[:a], held])
        odd = odd[~np.isin(odd, held)]
    else:
        a, b = _sizes(len(usual), len(odd), support_rows, 0.0 if use.clean else contamination)
        support = rng.permutation(np.concatenate([usual[:a], odd[:b]]))
        told = _labels(X, y, support, use, count, rng, oddness)
        odd = odd[b:]
    query = np.concatenate([usual[a : a + query_rows[0]], odd[: query_rows[1]]])
    about = {"use": use.name, "contamination": float(y[support].mean())}
    labels = told.astype(np.int8)
    episode = Episode(X[support], labels, X[query], y[query], y[support], about)
    if copies and (labels == 1).any() and rng.random() < 1 / 3:
        episode = _with_near_copies(episode, rng)
    return _augmented(episode, rng) if augment and rng.random() < 0.5 else episode


def _sizes(usual: int, odd: int, most: int, contamination: float) -> tuple[int, int]:
    """Return how many normal rows and anomalies of a table go into an unlabelled support."""
    share = min((usual + odd) // 2, most) / (usual + odd)
    a = round(usual * share)
    b = min(max(round(odd * share), 1), int(a * contamination / (1 - contamination)), odd - 1)
    return a, b


def _labels(
    X: Rows,
    y: Labels,
    support: NDArray[np.int64],
    use: Use,
    count: int,
    rng: np.random.Generator,
    oddness: Oddness,
) -> NDArray[np.float64]:
    truth = y[support]
    told = np.full(len(support), -1.0)
    verdicts = min(int(rng.choice(use.verdicts)), len(support) // 4)
    if verdicts:
        top = np.argsort(-oddness(X[support]), kind="stable")[:verdicts]
        told[top] = truth[top]
        return told
    there = np.flatnonzero(truth == 1)
    told[_confirmed(X[support], there, min(count, len(there)), rng, one_kind=use.one_kind)] = 1
    normals = min(int(rng.choice(use.normals)), len(support) // 4)
    told[rng.permutation(np.flatnonzero(truth == 0))[:normals]] = 0
    return told


def _confirmed(
    X: Rows, odd: NDArray[np.int64], count: int, rng: np.random.Generator, *, one_kind: bool
) -> NDArray[np.int64]:
    """Return `count` of the rows `odd`: any, or those nearest to one of them."""
    if count == 0 or not one_kind:
        return rng.permutation(odd)[:count]
    rows = np.arcsinh((X[odd] - np.median(X, axis=0)) / np.maximum(X.std(axis=0), 1e-9))
    away = np.square(rows - rows[rng.integers(len(odd))]).sum(axis=1)
    return odd[np.argsort(away, kind="stable")[:count]]


def _with_near_copies(episode: Episode, rng: np.random.Generator) -> Episode:
    """Let up to three confirmed anomalies come again, off by a hundredth of what continuous columns vary."""
    known = episode.support_x[episode.support_y == 1]
    chosen = known[rng.permutation(len(known))[:3]]
    continuous = [len(np.unique(column)) > 20 for column in episode.support_x.T]
    spread = 0.01 * episode.support_x.std(axis=0, dtype=np.float64) * continuous
    again = (chosen + spread * rng.normal(size=chosen.shape)).astype(np.float32)
    return replace(
        episode,
        query_x=np.concatenate([episode.query_x, again]),
        query_y=np.concatenate([episode.query_y, np.ones(len(again), dtype=np.int8)]),
    )


def _augmented(episode: Episode, rng: np.random.Generator) -> Episode:
    width = episode.support_x.shape[1]
    if width > 2 and rng.random() < 0.6:
        episode = subset_columns(episode, rng, int(rng.integers(max(2, width // 2), width + 1)))
    if rng.random() < 0.4:
        episode = warp_columns(episode, rng)
    return episode
