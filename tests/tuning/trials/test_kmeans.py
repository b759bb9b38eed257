"""k-means as an outlier detector."""

import numpy as np
from sklearn.utils.estimator_checks import parametrize_with_checks

from outlearn.tuning.trials.kmeans import KMeansOutlier


@parametrize_with_checks([KMeansOutlier(2), KMeansOutlier(3, relative=True)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_scores_are_distances_to_the_nearest_centre():
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(80, 3)), rng.normal(10, 0.1, size=(80, 3))])
    model = KMeansOutlier(2, contamination=0.05, random_state=0).fit(rows)
    plain = [min(np.linalg.norm(row - centre) for centre in model.cluster_centers_) for row in rows]
    np.testing.assert_allclose(-model.score_samples(rows), plain, rtol=1e-6)
    assert (model.predict(rows) == -1).sum() == 8


def test_relative_distances_call_a_row_beside_a_tight_cluster_odd():
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(80, 2)), rng.normal(20, 0.05, size=(80, 2))])
    beside = np.array([[20.0, 21.0], [0.0, 2.0]])
    plain, relative = (
        KMeansOutlier(2, relative=relative, random_state=0).fit(rows).score_samples(beside)
        for relative in (False, True)
    )
    assert plain[0] > plain[1]
    assert relative[0] < relative[1]


def test_equal_rows_and_fewer_rows_than_centres():
    rows = np.repeat([[1.0, 2.0], [3.0, 4.0]], 5, axis=0)
    model = KMeansOutlier(8, relative=True).fit(rows)
    assert len(model.cluster_centers_) == 2
    row_scores = model.score_samples([[1.0, 2.0], [9.0, 9.0]])
    assert np.isfinite(row_scores).all() and row_scores[0] > row_scores[1]
