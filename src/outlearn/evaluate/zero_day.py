"""Attacks never seen before: one family of anomalies is left out, then a few of its cases are confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.errors import InputError, ParameterError
from outlearn.evaluate.evaluation import Estimator
from outlearn.evaluate.metrics import auroc, average_precision_at, recall_at_false_alarms
from outlearn.evaluate.protocol import Split
from outlearn.evaluate.rows import Rows, binary_labels, distinct, take
from outlearn.rng import derive

__all__ = ["CASES", "FamilyFigures", "figures_of", "held_families", "judge_zero_day", "zero_day"]

CASES = (0, 1, 5)  # confirmed rows of the family that is judged
STREAM = 0x2E40  # of random numbers, as `protocol.STREAM`, and another
KNOWN = 0  # labelled rows of each other family
NORMALS, JUDGED = 4000, 2000  # rows at most: normal ones on each side, and those of the family
FEWEST = 10  # distinct rows of a family that are left to judge by


@dataclass(frozen=True, slots=True)
class FamilyFigures:
    """Figures of one family that nothing was learnt from but its confirmed cases.

    cases : how many were confirmed. rows, normals : that it was judged on.
    auroc : of the family against normal rows. precision_1, precision_5 : average precision were 1 % or 5 % of
    the rows of the family. recall_01, recall_1 : share of it that is found at .1 % and 1 % false alarms.
    """

    family: str
    cases: int
    seed: int
    rows: int
    normals: int
    auroc: float
    precision_1: float
    precision_5: float
    recall_01: float
    recall_1: float


def zero_day(
    X: Rows,
    y: ArrayLike,
    families: ArrayLike,
    seed: int,
    /,
    *,
    family: str,
    cases: int = 0,
    known: int = KNOWN,
    earlier: ArrayLike | None = None,
) -> Split:
    """Leave a family out: train on normal rows and a few of each other family, test on normal rows and it.

    Copies of a row never stand on both sides. The other families do not take part in the test.

    Parameters
    ----------
    X : (n, d) array or dataframe, which does not hold the family as a column.
    y : (n,) truth, 1 anomaly, 0 normal. families : (n,) name of the family of each anomaly.
    cases : rows of the family that are confirmed: they are labelled in training, and not tested.
    known : labelled rows of each other family in training, at most.
    earlier : (n,) whether a row belongs to a published training part, which training rows are then drawn
        from, and tested ones from the rest; confirmed cases are from the rest. By default normal rows are
        parted at random.

    Raises
    ------
    InputError
        When too few distinct rows of the family, or normal ones on a side, are there.

    >>> X = np.arange(120.0).reshape(60, 2)
    >>> y, families = np.repeat([0, 1], [20, 40]), np.repeat(["-", "scan", "worm"], 20)
    >>> split = zero_day(X, y, families, 0, family="worm", cases=1)
    >>> int(split.train_y.sum()), int(split.test_y.sum())
    (1, 19)
    """
    truth, names = binary_labels(y, len(X)), _names(families)
    rng = derive(seed, STREAM)
    rows = rng.permutation(distinct(X))
    normal = rows[truth[rows] == 0]
    theirs = rows[(truth[rows] == 1) & (names[rows] == family)]
    others = rows[(truth[rows] == 1) & (names[rows] != family)]
    if earlier is None:
        first, last = normal[: len(normal) // 2], normal[len(normal) // 2 :]
    else:
        before = np.asarray(earlier, dtype=bool)
        first, last = normal[before[normal]], normal[~before[normal]]
        others, theirs = others[before[others]], theirs[~before[theirs]]
    first, last = first[:NORMALS], last[:NORMALS]
    left = theirs[cases:][:JUDGED]
    if min(len(first), len(last)) < FEWEST or len(left) < FEWEST:
        raise InputError(
            f"family {family!r}: {len(left)} distinct rows to judge by beside {cases} confirmed, "
            f"{len(first)} normal rows to learn from and {len(last)} to judge by; wanted {FEWEST} of each"
        )
    by_family = [others[names[others] == name][:known] for name in sorted(set(names[others].tolist()))]
    anomalies = np.concatenate([theirs[:cases], *by_family]).astype(np.int64)
    train = rng.permutation(np.concatenate([first, anomalies]))
    test = rng.permutation(np.concatenate([last, left]))
    return Split(
        take(X, train),
        truth[train],
        take(X, test),
        truth[test],
        f"zero-day-{family}-{cases}",
        len(anomalies),
    )


def held_families(y: ArrayLike, families: ArrayLike) -> list[str]:
    """Return the names of the families of anomalies, in order of their names.

    Raises
    ------
    InputError
        When there are fewer than two: then nothing is left to learn from beside the one left out.
    """
    names = sorted(set(_names(families)[np.asarray(y) == 1].tolist()))
    if len(names) < 2:
        raise InputError(
            f"the anomalies are of {len(names)} family{'' if len(names) == 1 else ' names'} "
            f"({', '.join(names)}); the zero-day protocol wants two or more"
        )
    return names


def _names(families: ArrayLike) -> NDArray[np.object_]:
    """Return names one by one: an array of text would make each as wide as the longest."""
    given = np.asarray(families)
    texts = np.empty(len(given), dtype=object)
    texts[:] = [str(name) for name in given.tolist()]
    return texts


def judge_zero_day(
    make: Callable[[], Estimator],
    X: Rows,
    y: ArrayLike,
    families: ArrayLike,
    seeds: Sequence[int] = (0,),
    *,
    cases: Sequence[int] = CASES,
    known: int = KNOWN,
    earlier: ArrayLike | None = None,
) -> Iterator[FamilyFigures]:
    """Yield the figures of a detector for each family, seed and count of confirmed cases.

    Families with too few distinct rows are passed over. Parameters as in `zero_day`.

    Raises
    ------
    InputError
        When no family has enough rows.
    """
    if not seeds or not cases:
        raise ParameterError("no seeds or no counts of cases came; wanted one or more of each")
    judged = False
    for family in held_families(y, families):
        for seed in seeds:
            for count in cases:
                try:
                    split = zero_day(
                        X, y, families, seed, family=family, cases=count, known=known, earlier=earlier
                    )
                except InputError:
                    continue
                judged = True
                detector = make()
                detector.fit(split.train_x, split.train_y)
                scores = detector.anomaly_score(split.test_x)
                yield figures_of(family, count, seed, split.test_y, scores)
    if not judged:
        raise InputError(f"no family has {FEWEST} distinct rows to judge by beside those confirmed")


def figures_of(
    family: str, cases: int, seed: int, truth: NDArray[np.int8], scores: NDArray[np.float64]
) -> FamilyFigures:
    """Return the figures of scores (m,) whose truth (m,) is known."""
    return FamilyFigures(
        family,
        cases,
        seed,
        int(truth.sum()),
        int((1 - truth).sum()),
        auroc(truth, scores),
        average_precision_at(truth, scores, 0.01),
        average_precision_at(truth, scores, 0.05),
        recall_at_false_alarms(truth, scores, 0.001),
        recall_at_false_alarms(truth, scores, 0.01),
    )
