"""The honest figure of one detector on one labelled set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.errors import ParameterError
from outlearn.evaluate.metrics import Interval, Metric, auroc, average_precision, bootstrap_interval
from outlearn.evaluate.metrics import precision_at_budget as _precision_at_budget
from outlearn.evaluate.protocol import Protocol as SplitProtocol
from outlearn.evaluate.protocol import Split
from outlearn.evaluate.rows import Rows
from outlearn.execute import Executor, Serial
from outlearn.rng import derive

__all__ = ["Estimator", "Evaluation", "Measures", "budget_of", "evaluate_detector", "evaluation_of"]


class Estimator(Protocol):
    """What is evaluated: anything that fits rows with optional labels and scores rows, high = abnormal."""

    def fit(self, X: Any, y: Any = None) -> Any: ...

    def anomaly_score(self, X: Any) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of a detector, averaged over the seeds.

    protocol : name of the protocol with its settings.
    seeds : one split a seed.
    train_rows, test_rows, test_anomalies : sizes of the first split.
    budget : how many of the test rows an analyst would look at, for `precision_at_budget`.
    chance : share of anomalies in the test part: what a random ranking reaches in average precision and
        precision.

    The bounds of an interval are the means of the bounds of the single splits: as wide as that of one
    split, because the test parts of several seeds share rows and more seeds do not make a set larger.
    """

    protocol: str
    seeds: tuple[int, ...]
    train_rows: int
    test_rows: int
    test_anomalies: int
    budget: int
    chance: float
    auroc: Interval
    average_precision: Interval
    precision_at_budget: Interval


def evaluate_detector(
    make: Callable[[], Estimator],
    X: Rows,
    y: ArrayLike,
    protocol: SplitProtocol,
    seeds: Sequence[int] = (0, 1, 2),
    *,
    budget: int | None = None,
    repetitions: int = 1000,
    executor: Executor | None = None,
) -> Evaluation:
    """Fit a fresh detector on the training part of each split and judge it on the test part.

    Parameters
    ----------
    make : returns a new, unfitted detector.
    X : (n, d) array or dataframe; the detector sees it as it is, so its encoding too learns from training
        rows alone.
    y : (n,) truth, 1 anomaly, 0 normal.
    protocol : e.g. :func:`~outlearn.evaluate.protocol.contaminated`.
    budget : rows to look at; None: as many as the test part holds anomalies.
    repetitions : bootstrap repetitions of each interval.
    executor : where splits are judged, in this process by default.

    Raises
    ------
    InputError
        When the set is too small for the protocol.
    ParameterError
        When there are no seeds or the budget is outside the test part.

    >>> from outlearn.evaluate.protocol import contaminated
    >>> class FarFromMean:
    ...     def fit(self, X, y=None):
    ...         self.mean = X.mean(axis=0)
    ...         return self
    ...     def anomaly_score(self, X):
    ...         return np.abs(X - self.mean).sum(axis=1)
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> X[:20] += 6
    >>> y = np.arange(200) < 20
    >>> result = evaluate_detector(FarFromMean, X, y, contaminated, seeds=[0], repetitions=50)
    >>> result.auroc.value > 0.9
    True
    """
    if not seeds:
        raise ParameterError("no seeds came; wanted one or more, e.g. seeds=[0, 1, 2]")
    splits = [protocol(X, y, seed) for seed in seeds]
    measures = Measures(budget_of(splits[0], budget), repetitions)
    judge = partial(_judge, make=make, measures=measures)
    judged = list((executor or Serial()).map(judge, zip(splits, seeds, strict=True)))
    return evaluation_of(splits[0], seeds, measures, judged)


@dataclass(frozen=True, slots=True)
class Measures:
    """How scores of a test part are judged. budget : rows to look at. repetitions : of each interval."""

    budget: int
    repetitions: int

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """AUROC, average precision and precision at the budget."""
        return auroc, average_precision, partial(_precision_at_budget, k=self.budget)

    def of(self, split: Split, scores: NDArray[np.float64], seed: int) -> list[Interval]:
        """Return the metrics of scores (m,) of a test part. seed : of their intervals."""
        return [
            bootstrap_interval(
                metric, split.test_y, scores, rng=derive(seed, index), repetitions=self.repetitions
            )
            for index, metric in enumerate(self.metrics)
        ]


def budget_of(split: Split, budget: int | None) -> int:
    """Return how many rows are looked at: as many as there are anomalies, where nobody says."""
    return int(split.test_y.sum()) if budget is None else budget


def evaluation_of(
    first: Split, seeds: Sequence[int], measures: Measures, judged: Sequence[list[Interval]]
) -> Evaluation:
    """Return the figures of a detector from its metrics on the split of each seed. first : of the splits."""
    area, precision, at_budget = (_mean([row[i] for row in judged]) for i in range(len(measures.metrics)))
    return Evaluation(
        protocol=first.name,
        seeds=tuple(seeds),
        train_rows=len(first.train_x),
        test_rows=first.test_y.size,
        test_anomalies=int(first.test_y.sum()),
        budget=measures.budget,
        chance=float(first.test_y.mean()),
        auroc=area,
        average_precision=precision,
        precision_at_budget=at_budget,
    )


def _judge(job: tuple[Split, int], *, make: Callable[[], Estimator], measures: Measures) -> list[Interval]:
    """Return the metrics of a new detector on a split, with the seed of their intervals."""
    detector, (split, seed) = make(), job
    detector.fit(split.train_x, split.train_y)
    return measures.of(split, detector.anomaly_score(split.test_x), seed)


def _mean(intervals: list[Interval]) -> Interval:
    value, low, high = np.mean([(i.value, i.low, i.high) for i in intervals], axis=0)
    return Interval(float(value), float(low), float(high), intervals[0].level)
