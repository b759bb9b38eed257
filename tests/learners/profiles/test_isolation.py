"""Isolation depth equals scikit-learn's."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from outlearn.learners.profiles import isolation as module
from outlearn.learners.profiles.isolation import SAMPLE, Isolation


@pytest.mark.parametrize(("n", "d", "seed"), [(2, 1, 0), (30, 4, 1), (700, 3, 2)])
def test_scores_are_those_of_scikit_learn(n, d, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)).astype(np.float32)
    X[:, 0] = np.round(X[:, 0])
    query = np.vstack([X, rng.normal(size=(20, d)) * 5]).astype(np.float32)
    forest = IsolationForest(n_estimators=module.TREES, max_samples=min(SAMPLE, n), random_state=seed).fit(X)
    ours = Isolation(X, seed)
    for tree, estimator in zip(ours.trees, forest.estimators_, strict=True):
        assert np.array_equal(tree.feature, estimator.tree_.feature)
        assert np.array_equal(tree.threshold, estimator.tree_.threshold)
    assert np.allclose(ours.score(query), -forest.score_samples(query))


def test_a_row_scores_the_same_alone_and_rows_apart_score_higher():
    X = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    isolation = Isolation(X, 0)
    query = np.vstack([X[:5], np.full((1, 3), 8)]).astype(np.float32)
    scores = isolation.score(query)
    assert scores.tolist() == [isolation.score(row[None])[0] for row in query]
    assert scores.argmax() == 5


def test_rows_that_are_all_equal_are_all_as_odd():
    scores = Isolation(np.ones((10, 2), dtype=np.float32), 0).score(np.ones((3, 2), dtype=np.float32))
    assert len(set(scores)) == 1
    assert np.isfinite(scores).all()
