"""Episodes from a labelled table, in the ways that users come to a detector with labels.

Beside supports without a known anomaly there are: a few confirmed anomalies among unlabelled rows, drawn at
random or of one kind; true verdicts on the top of a list, anomalies and false alarms alike; and confirmed
cases beside a reference of known normals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError
from outlearn.tasks.episode import Episode

__all__ = ["USES", "Oddness", "Use", "episode_of_use"]

Rows = NDArray[np.float32]
Labels = NDArray[np.int8]
Oddness = Callable[[Rows], NDArray[np.float64]]

FEWEST_NORMALS, FEWEST_ANOMALIES = 20, 2  # rows of a table that can be split


@dataclass(frozen=True, slots=True)
class Use:
    """How the support of an episode is labelled. Where several values stand, one of them is drawn.

    reference : all its rows are normal, and known to be, but for confirmed cases.
    clean : all its rows are normal, which nobody says.
    cases : anomalies that are confirmed, as far as there are any.
    one_kind : whether the confirmed anomalies are those nearest to one of them.
    verdicts : rows at the top of a list that get their true label.
    normals : known normals beside unlabelled rows.
    """

    name: str
    reference: bool = False
    clean: bool = False
    cases: tuple[int, ...] = (0,)
    one_kind: tuple[bool, ...] = (False,)
    verdicts: tuple[int, ...] = (0,)
    normals: tuple[int, ...] = (0,)


CASES = (1, 1, 2, 3, 5, 5, 10, 10, 20)  # confirmed anomalies, drawn evenly from these
USES = (
    Use("reference", reference=True),
    Use("unlabelled"),
    Use("clean", clean=True),
    Use("cases", cases=CASES, one_kind=(False, False, True), normals=(0, 0, 5, 20)),
    Use("reference and cases", reference=True, cases=CASES, one_kind=(False, False, True)),
    Use("verdicts", verdicts=(3, 3, 6, 10, 20, 40)),
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
) -> Episode:
    """Split a table of distinct rows X (n, d), y (n,) in {0, 1} in two, and label the support.

    Parameters
    ----------
    support_rows : at most so many, and half of the table.
    oddness : scores rows (n, d) of the support, to put them on the list that verdicts are given on.
    query_rows : normal and anomalous rows, at most.
    contamination : share of anomalies in an unlabelled support, at most.

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
    count, one_kind = int(rng.choice(use.cases)), bool(rng.choice(use.one_kind))
    if use.reference:
        held = _confirmed(X, odd, min(count, len(odd) // 2), rng, one_kind=one_kind)
        a = min(len(usual) // 2, support_rows)
        labels = np.concatenate([np.zeros(a), np.ones(len(held))])
        support = np.concatenate([usual[:a], held])
        odd = odd[~np.isin(odd, held)]
    else:
        a, b = _sizes(len(usual), len(odd), support_rows, 0.0 if use.clean else contamination)
        support = rng.permutation(np.concatenate([usual[:a], odd[:b]]))
        labels = np.full(len(support), -1.0)
        verdicts = min(int(rng.choice(use.verdicts)), len(support) // 4)
        if verdicts:
            top = np.argsort(-oddness(X[support]), kind="stable")[:verdicts]
            labels[top] = y[support[top]]
        there = np.flatnonzero(y[support] == 1)
        labels[_confirmed(X[support], there, min(count, len(there)), rng, one_kind=one_kind)] = 1
        normals = min(int(rng.choice(use.normals)), len(support) // 4)
        labels[rng.permutation(np.flatnonzero(y[support] == 0))[:normals]] = 0
        odd = odd[b:]
    query = np.concatenate([usual[a : a + query_rows[0]], odd[: query_rows[1]]])
    about = {"use": use.name, "contamination": float(y[support].mean())}
    return Episode(X[support], labels.astype(np.int8), X[query], y[query], y[support], about)


def _sizes(usual: int, odd: int, most: int, contamination: float) -> tuple[int, int]:
    """Return how many normal rows and anomalies of a table go into an unlabelled support."""
    share = min((usual + odd) // 2, most) / (usual + odd)
    a = round(usual * share)
    b = min(max(round(odd * share), 1), int(a * contamination / (1 - contamination)), odd - 1)
    return a, b


def _confirmed(
    X: Rows, odd: NDArray[np.int64], count: int, rng: np.random.Generator, *, one_kind: bool
) -> NDArray[np.int64]:
    """Return `count` of the rows `odd`: any, or those nearest to one of them."""
    if count == 0 or not one_kind:
        return rng.permutation(odd)[:count]
    with np.errstate(over="ignore"):  # a column of values too large to square tells no kinds apart
        rows = np.arcsinh((X[odd] - np.median(X, axis=0)) / np.maximum(X.std(axis=0), 1e-9))
    away = np.square(rows - rows[rng.integers(len(odd))]).sum(axis=1)
    return odd[np.argsort(away, kind="stable")[:count]]
