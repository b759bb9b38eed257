"""What an analyst gains who labels the rows on top, learns from them and looks at the new top."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.errors import ParameterError
from outlearn.evaluate.evaluation import Estimator, Evaluation, Measures, budget_of, evaluation_of
from outlearn.evaluate.metrics import Interval
from outlearn.evaluate.protocol import Split, contaminated
from outlearn.evaluate.rows import Rows
from outlearn.execute import Executor, Serial

__all__ = ["STEPS", "LoopFigures", "evaluate_loop"]

STEPS = (1, 5, 10)  # rows that are labelled after each look


@dataclass(frozen=True, slots=True)
class LoopFigures:
    """Figures once the rows on top are labelled.

    labels : how many rows are labelled; anomalies : how many of them are, on average over the seeds.
    """

    labels: int
    anomalies: float
    figures: Evaluation


@dataclass(frozen=True, slots=True)
class _Step:
    """Of one split: how many of the labelled rows are anomalies, and the metrics on its test part."""

    anomalies: int
    metrics: list[Interval]


def evaluate_loop(
    make: Callable[[], Estimator],
    X: Rows,
    y: ArrayLike,
    seeds: Sequence[int] = (0, 1, 2),
    *,
    steps: Sequence[int] = STEPS,
    budget: int | None = None,
    repetitions: int = 1000,
    executor: Executor | None = None,
) -> tuple[LoopFigures, ...]:
    """Judge a detector without labels, and again each time the rows that it ranks highest were labelled.

    The splits are those of :func:`~outlearn.evaluate.protocol.contaminated`. Rows of the training part are
    ranked, those on top take their true label, a fresh detector learns from all labels so far, and ranks
    anew; the test part is scored by each.

    Parameters
    ----------
    steps : numbers of labelled rows, rising. The others are those of `evaluate_detector`.

    Returns
    -------
    The figures without labels, and those of each step.

    Raises
    ------
    InputError
        When the set is too small.
    ParameterError
        When there are no seeds or steps, or steps do not rise.
    """
    if not seeds:
        raise ParameterError("no seeds came; wanted one or more, e.g. seeds=[0, 1, 2]")
    if not steps or list(steps) != sorted(set(steps)) or steps[0] < 1:
        raise ParameterError(f"steps are {list(steps)}; wanted numbers of labelled rows that rise, from 1 on")
    splits = [contaminated(X, y, seed) for seed in seeds]
    measures = Measures(budget_of(splits[0], budget), repetitions)
    walk = partial(_walk, make=make, measures=measures, steps=tuple(steps))
    walks = list((executor or Serial()).map(walk, zip(splits, seeds, strict=True)))
    return tuple(
        LoopFigures(
            labels,
            float(np.mean([walked[place].anomalies for walked in walks])),
            evaluation_of(splits[0], seeds, measures, [walked[place].metrics for walked in walks]),
        )
        for place, labels in enumerate((0, *steps))
    )


def _walk(
    job: tuple[Split, int], *, make: Callable[[], Estimator], measures: Measures, steps: tuple[int, ...]
) -> list[_Step]:
    """Return what is reached on a split without labels and after each step."""
    split, seed = job
    truth = split.train_truth
    assert truth is not None  # the protocol keeps it
    y: NDArray[np.int8] = np.full(len(truth), -1, dtype=np.int8)
    detector = make()
    detector.fit(split.train_x)
    walked = [_Step(0, measures.of(split, detector.anomaly_score(split.test_x), seed))]
    for labels in steps:
        left = np.flatnonzero(y < 0)
        on_top = np.argsort(-detector.anomaly_score(split.train_x)[left], kind="stable")
        asked = left[on_top[: labels - int((y >= 0).sum())]]
        y[asked] = truth[asked]
        detector = make()
        detector.fit(split.train_x, y)
        metrics = measures.of(split, detector.anomaly_score(split.test_x), seed)
        walked.append(_Step(int((y == 1).sum()), metrics))
    return walked
