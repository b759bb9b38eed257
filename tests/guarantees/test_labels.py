"""More labels do not lower the scores' worth, on tasks that the shipped weights never saw."""

import numpy as np
import pytest

from outlearn.detectors import ClassicalDetector
from outlearn.evaluate import average_precision
from outlearn.learners.pretrained import load_incontext
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler

TASKS, COUNTS = 10, (0, 1, 3, 10)


@pytest.mark.slow
def test_more_labels_do_not_lower_the_mean_and_useless_ones_harm_less_than_trees_alone():
    config = SamplerConfig(
        seed=2024,
        support_rows=(250, 350),
        contamination=(0.1, 0.2),
        labels=(10, 10),
        situations={"labelled": 1},
    )
    sampler, learned = SyntheticSampler(config), load_incontext()
    found = np.empty((TASKS, len(COUNTS) + 2))
    for i in range(TASKS):
        task = sampler.episode(i)
        anomalies = np.flatnonzero(task.support_y == 1)
        drawn = np.random.default_rng(i).permutation(len(task.support_y))[:3]
        for j, rows in enumerate([*(anomalies[:count] for count in COUNTS), drawn]):
            y = np.full(len(task.support_y), -1, dtype=np.int8)
            y[rows] = 1
            scores = learned.adapt(task.support_x, y).score(task.query_x)
            found[i, j] = average_precision(task.query_y, scores)
        trees = ClassicalDetector("bagged_trees", random_state=0).fit(
            task.support_x, y
        )  # on the useless labels
        found[i, -1] = average_precision(task.query_y, trees.anomaly_score(task.query_x))
    *counts, useless, alone = found.mean(axis=0)
    assert (np.diff(counts) > 0).all(), counts
    assert alone + 0.02 < useless < counts[0]
