"""How good a ranking is, and how sure one can be of the figure.

All rank metrics are read off one table: how many anomalies and how many normal rows share each score, from
the highest score down. So ties are handled in expectation everywhere: the order of rows never matters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.evaluate.rows import binary_labels

__all__ = [
    "Interval",
    "Metric",
    "auroc",
    "average_precision",
    "average_precision_at",
    "bootstrap_interval",
    "expected_calibration_error",
    "precision_at_budget",
    "recall_at_budget",
    "recall_at_false_alarms",
]

Metric = Callable[[NDArray[np.int64], NDArray[np.float64]], float]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the interval that holds it at confidence `level`."""

    value: float
    low: float
    high: float
    level: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def auroc(y: ArrayLike, scores: ArrayLike) -> float:
    """Return the chance that an anomaly outscores a normal row; a tie counts one half.

    Parameters
    ----------
    y : (n,) truth, 1 anomaly, 0 normal; both must occur.
    scores : (n,) high = abnormal.

    Raises
    ------
    LabelError
        When a label is not 0 or 1, or one of the classes is absent.
    InputError
        When lengths disagree or a score is not finite.

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.9])
    0.875
    """
    anomalies, normals = _counts(y, scores, needs=(0, 1))
    beaten = normals.sum() - np.cumsum(normals)  # normal rows strictly below each score
    wins = (anomalies * (beaten + normals / 2)).sum()
    return float(wins / (anomalies.sum() * normals.sum()))


def average_precision(y: ArrayLike, scores: ArrayLike) -> float:
    """Return the mean precision at the scores of the anomalies: the area under precision and recall in steps.

    Parameters and errors as in :func:`auroc`, but only anomalies must occur.

    >>> round(average_precision([0, 1, 0, 1], [0.1, 0.9, 0.8, 0.7]), 3)
    0.833
    """
    anomalies, normals = _counts(y, scores, needs=(1,))
    caught = np.cumsum(anomalies)
    precision = caught / (caught + np.cumsum(normals))
    return float((anomalies * precision).sum() / anomalies.sum())


def average_precision_at(y: ArrayLike, scores: ArrayLike, prevalence: float) -> float:
    """Return the average precision if `prevalence` of the rows were anomalies.

    Each class keeps the distribution of its scores.

    Raises
    ------
    ParameterError
        When the prevalence is not inside (0, 1).

    >>> average_precision_at([0, 1, 0, 1], [0.1, 0.9, 0.8, 0.7], 0.5)  # as many of both: as it is
    0.8333333333333333
    """
    if not 0 < prevalence < 1:
        raise ParameterError(f"prevalence={prevalence}; wanted a share inside (0, 1)")
    anomalies, normals = _counts(y, scores, needs=(0, 1))
    recall, raised = np.cumsum(anomalies) / anomalies.sum(), np.cumsum(normals) / normals.sum()
    right = prevalence * recall
    wrong = (1 - prevalence) * raised
    precision = np.divide(right, right + wrong, out=np.zeros_like(right), where=right > 0)
    return float((anomalies * precision).sum() / anomalies.sum())


def recall_at_false_alarms(y: ArrayLike, scores: ArrayLike, rate: float) -> float:
    """Return the share of anomalies found where `rate` of the normal rows raise alarms, ties in expectation.

    Raises
    ------
    ParameterError
        When the rate is not inside (0, 1).

    >>> recall_at_false_alarms([0] * 10 + [1, 1], [*range(10), 9.5, 8.5], 0.1)
    1.0
    """
    if not 0 < rate < 1:
        raise ParameterError(f"rate={rate}; wanted a share of normal rows inside (0, 1)")
    anomalies, normals = _counts(y, scores, needs=(0, 1))
    allowed = rate * normals.sum()
    above = np.cumsum(normals) - normals
    # A tie that holds more normal rows than are allowed is taken in part.
    room = np.clip(allowed - above, 0.0, None)
    share = np.where(normals > 0, np.minimum(room / np.maximum(normals, 1), 1.0), (above <= allowed) * 1.0)
    return float((anomalies * share).sum() / anomalies.sum())


def precision_at_budget(y: ArrayLike, scores: ArrayLike, k: int) -> float:
    """Return the share of anomalies among the `k` highest scores, in expectation over the order of ties.

    Raises
    ------
    ParameterError
        When `k` is not between 1 and the number of rows.

    >>> precision_at_budget([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.5], k=2)
    0.6666666666666666
    """
    return _anomalies_in_budget(y, scores, k, needs=()) / k


def recall_at_budget(y: ArrayLike, scores: ArrayLike, k: int) -> float:
    """Return the share of all anomalies that are among the `k` highest scores, ties in expectation.

    >>> recall_at_budget([1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1], k=2)
    0.5
    """
    return _anomalies_in_budget(y, scores, k, needs=(1,)) / float(np.sum(np.asarray(y)))


def expected_calibration_error(y: ArrayLike, probabilities: ArrayLike, *, bins: int = 10) -> float:
    """Return the mean gap between stated probability and share of anomalies, over bins of equal width.

    Source: Naeini, Cooper and Hauskrecht, AAAI 2015.

    Raises
    ------
    InputError
        When a value lies outside [0, 1].

    >>> expected_calibration_error([0, 0, 1, 1], [0.0, 0.0, 0.75, 0.75])
    0.125
    """
    truth, stated = _checked(y, probabilities, needs=())
    if stated.min() < 0 or stated.max() > 1:
        raise InputError(
            f"probabilities run from {stated.min():g} to {stated.max():g}; wanted values in [0, 1]: "
            "calibrate the scores first"
        )
    cell = np.minimum((stated * bins).astype(np.int64), bins - 1)
    gap = np.bincount(cell, weights=truth - stated, minlength=bins)
    return float(np.abs(gap).sum() / truth.size)


def bootstrap_interval(
    metric: Metric,
    y: ArrayLike,
    scores: ArrayLike,
    *,
    rng: np.random.Generator,
    repetitions: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Return the metric with its percentile interval over resampled rows.

    Anomalies and normal rows are resampled apart, so that each repetition has as many of both as the data.
    The interval tells how much the figure would move with other test rows, not with another training set.

    Parameters
    ----------
    metric : function of labels and scores, e.g. :func:`auroc`.
    y, scores : (n,) as in :func:`auroc`.

    Raises
    ------
    ParameterError
        When `level` is not inside (0, 1) or there are no repetitions.

    >>> y, scores = np.repeat([0, 1], 50), np.arange(100) % 70
    >>> interval = bootstrap_interval(auroc, y, scores, rng=np.random.default_rng(0))
    >>> interval.low < interval.value < interval.high
    True
    """
    if not 0 < level < 1 or repetitions < 1:
        raise ParameterError(
            f"level={level}, repetitions={repetitions}; wanted a level inside (0, 1) and at least 1 draw"
        )
    truth, values = _checked(y, scores, needs=())
    order = np.argsort(values)  # resampled rows then come sorted, and the metric's own sort is cheap
    truth, values = truth[order], values[order]
    classes = [np.flatnonzero(truth == label) for label in (0, 1)]
    drawn = np.empty(repetitions)
    for index in range(repetitions):
        copies = np.zeros(truth.size, dtype=np.int64)
        for members in classes:
            if members.size:
                copies += np.bincount(rng.choice(members, members.size), minlength=truth.size)
        rows = np.repeat(np.arange(truth.size), copies)
        drawn[index] = metric(truth[rows], values[rows])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(metric(truth, values)), float(low), float(high), level)


def _checked(
    y: ArrayLike, scores: ArrayLike, *, needs: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise InputError(f"scores have shape {values.shape}; wanted (n,) with n of 1 or more")
    if not np.isfinite(values).all():
        raise InputError(
            f"{int((~np.isfinite(values)).sum())} of {values.size} scores are not finite numbers"
        )
    truth = binary_labels(y, values.size).astype(np.int64)
    for wanted in needs:
        if not (truth == wanted).any():
            raise LabelError(
                f"the rows hold {int(truth.sum())} anomalies and {int((1 - truth).sum())} normal rows; "
                "this metric wants at least one of each kind that it compares"
            )
    return truth, values


def _counts(
    y: ArrayLike, scores: ArrayLike, *, needs: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of anomalies (g,) and of normal rows (g,) at each distinct score, highest first."""
    truth, values = _checked(y, scores, needs=needs)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    anomalies = np.add.reduceat(truth[order], starts)
    sizes = np.diff(np.r_[starts, truth.size])
    return anomalies[::-1], (sizes - anomalies)[::-1]


def _anomalies_in_budget(y: ArrayLike, scores: ArrayLike, k: int, *, needs: tuple[int, ...]) -> float:
    anomalies, normals = _counts(y, scores, needs=needs)
    sizes = anomalies + normals
    if not 1 <= k <= sizes.sum():
        raise ParameterError(f"the budget is {k} of {sizes.sum()} rows; wanted 1 to {sizes.sum()}")
    above = np.cumsum(sizes) - sizes
    taken = np.clip(k - above, 0, sizes)  # how many rows of each tie fit into the budget
    return float((anomalies * taken / sizes).sum())
