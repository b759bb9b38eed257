"""Protocols: how labelled rows become a training part, a test part and what a detector may see.

Each protocol is a pure function of the rows, the labels and a seed. They share three habits, because each
has made published figures wrong: copies of a row never stand on both sides of a split (unless a protocol's
name says so), rows are shuffled, and a set too small to be judged is refused with its counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol as Interface

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.errors import InputError, ParameterError
from outlearn.evaluate.rows import Rows, binary_labels, distinct, take
from outlearn.rng import derive

__all__ = ["PROTOCOLS", "Protocol", "Split", "contaminated", "few_labels", "inlier_only", "inlier_only_dte"]

#: Splits have a stream of their own: a detector given the same seed must not meet the same numbers.
STREAM = 0x5B117

#: Anomalies that survive a cut of rows where the set has them: a test part with one anomaly says nothing.
KEPT_ANOMALIES = 10


@dataclass(frozen=True, slots=True)
class Split:
    """One honest experiment.

    train_x : training rows (array or dataframe, as given).
    train_y : what the detector may see: None (no labels at all) or (n,) int8 of 1, 0 and -1 (unlabelled).
    test_x, test_y : rows to be scored and their truth (m,) int8.
    name : the protocol with its settings, e.g. "few-label-5".
    train_anomalies : how many anomalies the training rows truly hold, whatever the detector is told.
    train_truth : (n,) the truth of the training rows, for an analyst who is asked; None where nobody is.
    """

    train_x: Rows
    train_y: NDArray[np.int8] | None
    test_x: Rows
    test_y: NDArray[np.int8]
    name: str
    train_anomalies: int
    train_truth: NDArray[np.int8] | None = None


class Protocol(Interface):
    """Turns labelled rows and a seed into a split."""

    def __call__(self, X: Rows, y: ArrayLike, seed: int, /) -> Split: ...


def contaminated(
    X: Rows,
    y: ArrayLike,
    seed: int,
    /,
    *,
    train: float = 0.7,
    max_rows: int | None = 5000,
    min_rows: int = 0,
    duplicates: bool = False,
) -> Split:
    """Split both classes alike; no labels are shown, and the training part holds its share of anomalies.

    Parameters
    ----------
    X : (n, d) array or dataframe.
    y : (n,) truth, 1 anomaly, 0 normal.
    train : share of each class in the training part.
    max_rows : more rows than this are cut, each class alike (but at least 10 anomalies stay); None keeps all.
    min_rows : sets with fewer rows are refused.
    duplicates : whether copies of a row are kept; the label of the first copy holds.

    Raises
    ------
    InputError
        When the set is too small or holds fewer than two anomalies or two normal rows.
    LabelError
        When a label is not 0 or 1.
    ParameterError
        When `train` is not inside (0, 1).

    >>> split = contaminated(np.arange(40.0).reshape(20, 2), np.repeat([0, 1], 10), 0)
    >>> split.train_x.shape, split.train_y, int(split.test_y.sum())
    ((14, 2), None, 3)
    """
    rng, truth = derive(seed, STREAM), binary_labels(y, len(X))
    rows = _eligible(X, truth, rng, max_rows=max_rows, min_rows=min_rows, duplicates=duplicates)
    fit, test = _stratified(truth, rows, rng, train)
    return _split(X, truth, fit, test, None, "contaminated")


def few_labels(
    X: Rows,
    y: ArrayLike,
    seed: int,
    /,
    *,
    labelled_anomalies: int = 5,
    train: float = 0.7,
    max_rows: int | None = 5000,
    min_rows: int = 0,
    duplicates: bool = False,
) -> Split:
    """Split as :func:`contaminated` does, but label some anomalies of the training part and nothing else.

    At one seed the split is that of :func:`contaminated`, and a smaller number of labels is a part of a
    larger one, so that curves over the number of labels compare like with like.

    Raises
    ------
    InputError
        Also when the training part holds fewer anomalies than are to be labelled.

    >>> split = few_labels(np.arange(40.0).reshape(20, 2), np.repeat([0, 1], 10), 0, labelled_anomalies=5)
    >>> int((split.train_y == 1).sum()), int((split.train_y == -1).sum())
    (5, 9)
    """
    rng, truth = derive(seed, STREAM), binary_labels(y, len(X))
    rows = _eligible(X, truth, rng, max_rows=max_rows, min_rows=min_rows, duplicates=duplicates)
    fit, test = _stratified(truth, rows, rng, train)
    anomalies = np.flatnonzero(truth[fit] == 1)
    if not 1 <= labelled_anomalies <= anomalies.size:
        raise InputError(
            f"{labelled_anomalies} anomalies are to be labelled, but the training part has {anomalies.size} "
            f"of the {int(truth[rows].sum())}; label fewer, or bring a set with more"
        )
    shown = np.full(fit.size, -1, dtype=np.int8)
    shown[rng.permutation(anomalies)[:labelled_anomalies]] = 1
    return _split(X, truth, fit, test, shown, f"few-label-{labelled_anomalies}")


def inlier_only(
    X: Rows,
    y: ArrayLike,
    seed: int,
    /,
    *,
    train: float = 0.5,
    max_rows: int | None = 5000,
    min_rows: int = 0,
    duplicates: bool = False,
) -> Split:
    """Train on a share of the normal rows, all labelled normal; test on the rest and on all anomalies.

    Parameters and errors as in :func:`contaminated`, but one anomaly is enough.

    >>> split = inlier_only(np.arange(40.0).reshape(20, 2), np.repeat([0, 1], 10), 0)
    >>> split.train_y, int(split.test_y.sum()), split.test_y.size
    (array([0, 0, 0, 0, 0], dtype=int8), 10, 15)
    """
    rng, truth = derive(seed, STREAM), binary_labels(y, len(X))
    rows = _eligible(X, truth, rng, max_rows=max_rows, min_rows=min_rows, duplicates=duplicates)
    return _inliers(X, truth, rng.permutation(rows), train, "inlier-only")


def inlier_only_dte(
    X: Rows,
    y: ArrayLike,
    seed: int,
    /,
    *,
    train: float = 0.5,
    max_rows: int | None = 5000,
    min_rows: int = 0,
    grow_to: int = 1000,
) -> Split:
    """Train on inliers as the code of DTE does, duplicates included, to compare with its published figures.

    A set of fewer than `grow_to` rows is drawn with replacement up to that number, so copies of one row
    stand on both sides, and the first normal rows in file order are the training part. Both flatter
    detectors that remember rows: use :func:`inlier_only` for any other purpose. DTE cuts sets at 50,000
    rows (`max_rows`).

    Source: Livernoche et al., "On diffusion modeling for anomaly detection", ICLR 2024, and its code.

    >>> split = inlier_only_dte(np.arange(40.0).reshape(20, 2), np.repeat([0, 1], 10), 0)
    >>> split.train_y.size + split.test_y.size
    1000
    """
    rng, truth = derive(seed, STREAM), binary_labels(y, len(X))
    rows = _eligible(X, truth, rng, max_rows=max_rows, min_rows=min_rows, duplicates=True)
    if rows.size < grow_to:
        rows = rng.choice(rows, grow_to)
    return _inliers(X, truth, rows, train, "inlier-only-dte")


#: Every protocol by the name that tables and the command line use.
PROTOCOLS: dict[str, Callable[..., Split]] = {
    "contaminated": contaminated,
    "inlier-only": inlier_only,
    "inlier-only-dte": inlier_only_dte,
    "few-label": few_labels,
}


def _eligible(
    X: Rows,
    truth: NDArray[np.int8],
    rng: np.random.Generator,
    *,
    max_rows: int | None,
    min_rows: int,
    duplicates: bool,
) -> NDArray[np.int64]:
    """Return the positions that take part: copies removed, then cut to `max_rows`."""
    rows = np.arange(truth.size) if duplicates else distinct(X)
    if rows.size < min_rows:
        kept = "" if duplicates else " after copies were removed"
        raise InputError(f"the set holds {rows.size} rows{kept}; this protocol wants {min_rows} or more")
    if max_rows is None or rows.size <= max_rows:
        return rows
    anomalies, normals = rows[truth[rows] == 1], rows[truth[rows] == 0]
    share = round(max_rows * anomalies.size / rows.size)
    wanted = min(anomalies.size, max(share, min(KEPT_ANOMALIES, max_rows // 2)))
    cut = [rng.permutation(anomalies)[:wanted], rng.permutation(normals)[: max_rows - wanted]]
    return rng.permutation(np.concatenate(cut))


def _stratified(
    truth: NDArray[np.int8], rows: NDArray[np.int64], rng: np.random.Generator, train: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return training and test positions, shuffled; each class stands on both sides."""
    _check_share(train)
    fit, test = [], []
    for label, kind in ((0, "normal rows"), (1, "anomalies")):
        members = rng.permutation(rows[truth[rows] == label])
        if members.size < 2:
            raise InputError(
                f"the set holds {members.size} {kind} among {rows.size} distinct rows; "
                "wanted 2 or more, one for each side of the split"
            )
        first = int(np.clip(round(train * members.size), 1, members.size - 1))
        fit.append(members[:first])
        test.append(members[first:])
    return rng.permutation(np.concatenate(fit)), rng.permutation(np.concatenate(test))


def _inliers(X: Rows, truth: NDArray[np.int8], rows: NDArray[np.int64], train: float, name: str) -> Split:
    _check_share(train)
    normals, anomalies = rows[truth[rows] == 0], rows[truth[rows] == 1]
    first = round(train * normals.size)
    if not anomalies.size or not 1 <= first < normals.size:
        raise InputError(
            f"the set holds {normals.size} normal rows and {anomalies.size} anomalies; inlier-only training "
            "wants 2 or more normal rows, one for each side of the split, and 1 or more anomalies to test"
        )
    test = np.concatenate([normals[first:], anomalies])
    return _split(X, truth, normals[:first], test, np.zeros(first, dtype=np.int8), name)


def _check_share(train: float) -> None:
    if not 0 < train < 1:
        raise ParameterError(f"train={train}; wanted the share of training rows, inside (0, 1)")


def _split(
    X: Rows,
    truth: NDArray[np.int8],
    fit: NDArray[np.int64],
    test: NDArray[np.int64],
    shown: NDArray[np.int8] | None,
    name: str,
) -> Split:
    anomalies = int(truth[fit].sum())
    return Split(take(X, fit), shown, take(X, test), truth[test], name, anomalies, truth[fit])
