"""More labels do not lower the scores' worth, on tasks that the shipped weights never saw."""

import numpy as np
import pytest

from outlearn.detectors import ClassicalDetector
from outlearn.evaluate import average_precision
from outlearn.learners.pretrained import load_incontext
from outlearn.learners.profiles import isolation, trees
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler

TASKS, COUNTS = 10, (0, 1, 3, 10)


def worth(seed: int, few: dict[str, int] | None = None) -> np.ndarray:
    """Return mean average precision with so many labels, with useless ones, and of trees alone on those."""
    config = SamplerConfig(
        seed=seed,
        support_rows=(250, 350),
        contamination=(0.1, 0.2),
        labels=(10, 10),
        situations={"labelled": 1},
    )
    sampler, learned = SyntheticSampler(config), load_incontext()
    precision = np.empty((TASKS, len(COUNTS) + 2))
    for i in range(TASKS):
        task = sampler.episode(i)
        anomalies = np.flatnonzero(task.support_y == 1)
        drawn = np.random.default_rng(i).permutation(len(task.support_y))[:3]
        for j, rows in enumerate([*(anomalies[:count] for count in COUNTS), drawn]):
            y = np.full(len(task.support_y), -1, dtype=np.int8)
            y[rows] = 1
            scores = learned.adapt(task.support_x, y).score(task.query_x)
            precision[i, j] = average_precision(task.query_y, scores)
        trees = ClassicalDetector("bagged_trees", params=few, random_state=0)
        trees.fit(task.support_x, y)  # on the useless labels
        precision[i, -1] = average_precision(task.query_y, trees.anomaly_score(task.query_x))
    return precision.mean(axis=0)


@pytest.mark.long
def test_more_labels_do_not_lower_the_mean_and_useless_ones_harm_less_than_trees_alone(monkeypatch):
    monkeypatch.setattr(isolation, "TREES", 20)
    monkeypatch.setattr(trees, "FIRST", 12)
    monkeypatch.setattr(trees, "TREES", 24)
    *counts, useless, alone = worth(2024, {"trees": 20})
    assert (np.diff(counts) > 0).all(), counts
    assert alone + 0.02 < useless < counts[0]


@pytest.mark.long
@pytest.mark.parametrize("seed", [2024, 2025])
def test_so_it_is_with_the_forests_that_ship(seed, shipped_forests):
    *counts, useless, alone = worth(seed)
    assert (np.diff(counts) > 0).all(), counts
    assert alone + 0.02 < useless < counts[0]
