"""Several configurations as one detector."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.utils.estimator_checks import parametrize_with_checks

from outlearn.errors import ParameterError
from outlearn.tuning.space import default
from outlearn.tuning.trials.candidate import fitted, scores
from outlearn.tuning.trials.ensemble import ALONE, RankEnsemble

PAIR = [default("kmeans"), {**default("kmeans"), "clusters": 2}]


@parametrize_with_checks([RankEnsemble(PAIR), RankEnsemble([{**ALONE, "trees": 5}])])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(120, 3))


def test_scores_are_mean_ranks(rows):
    model = RankEnsemble(PAIR, weights=[1, 3], random_state=0).fit(rows)
    ranks = [rankdata(scores(pipeline, rows)) for pipeline in model.pipelines_]
    plain = (0.25 * ranks[0] + 0.75 * ranks[1] - 0.5) / len(rows)
    np.testing.assert_allclose(-model.score_samples(rows), plain, atol=1e-9)
    assert (model.predict(rows) == -1).mean() == pytest.approx(0.1, abs=0.01)


def test_far_rows_are_still_told_apart(rows):
    model = RankEnsemble(PAIR, random_state=0).fit(rows)
    far = np.array([[6.0, 0, 0], [12.0, 0, 0], [500.0, 0, 0]])
    far_scores = model.score_samples(far)
    assert (np.diff(far_scores) < 0).all() and (far_scores < model.score_samples(rows).min()).all()
    assert far_scores.min() > -1.3


def test_rows_score_the_same_alone_or_in_a_batch(rows):
    model = RankEnsemble([default("lof"), {**ALONE, "trees": 5}], random_state=0).fit(rows)
    batch = model.score_samples(rows[:7])
    np.testing.assert_allclose(batch, [model.score_samples(row[None])[0] for row in rows[:7]], rtol=1e-9)


def test_one_configuration_has_the_order_of_its_detector(rows):
    model = RankEnsemble(PAIR[:1], random_state=0).fit(rows)
    alone = scores(fitted(PAIR[0], rows, seed=0), rows)
    assert np.corrcoef(rankdata(-model.score_samples(rows)), rankdata(alone))[0, 1] > 0.5


def test_an_unknown_detector_is_refused(rows):
    with pytest.raises(ParameterError, match="no detector named 'svm'"):
        RankEnsemble([{"detector": "svm"}]).fit(rows)
