"""Learners score the same from several threads at once, also those that share a module."""

from __future__ import annotations

import numpy as np
import pytest

from outlearn.detectors.registry import make_detector
from outlearn.execute import Threads


@pytest.mark.parametrize("name", ["incontext", "maml", "siamese", "committee"])
def test_threads_make_no_difference(name):
    rng = np.random.default_rng(0)
    # Two detectors of one learner share its module, with parameters of their own.
    fitted = [make_detector(name, random_state=0).fit(rng.normal(size=(60, 4)) * scale) for scale in (1, 9)]
    rows = [rng.normal(size=(40, 4)) for _ in range(12)]
    alone = [each.anomaly_score(X) for X in rows for each in fitted]
    jobs = [(each, X) for X in rows for each in fitted]
    together = list(Threads(4).map(lambda job: job[0].anomaly_score(job[1]), jobs))
    for expected, found in zip(alone, together, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_an_error_ends_the_walk_and_order_is_kept():
    assert list(Threads(3).map(lambda x: x * x, range(9))) == [x * x for x in range(9)]
    with pytest.raises(ZeroDivisionError):
        list(Threads(2).map(lambda x: 1 // x, [1, 0, 1]))
