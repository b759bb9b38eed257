"""The promise of an interval: at 90 % it holds the true AUROC in about 90 of 100 experiments."""

from math import erf

import numpy as np

from outlearn.evaluate import auroc, bootstrap_interval


def test_bootstrap_intervals_cover_the_true_auroc():
    shift, experiments = 1.2, 120
    truth = 0.5 * (1 + erf(shift / 2))  # two normal distributions of unit variance, `shift` apart
    y = np.repeat([0, 1], [120, 40])
    covered = 0
    for seed in range(experiments):
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=y.size) + shift * y
        interval = bootstrap_interval(auroc, y, scores, rng=rng, repetitions=150, level=0.9)
        covered += interval.low <= truth <= interval.high
    assert 0.82 <= covered / experiments <= 0.97
