"""Episodes from labelled sets: disjoint, stratified, told as the situation says."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from outlearn.errors import InputError, ParameterError
from outlearn.tasks.real import episode_from_set


@pytest.fixture(scope="module")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return X.astype(np.float32), (y == 0).astype(np.int8)


def _rows(x):
    return {row.tobytes() for row in x}


def _episode(cancer, seed=0, **options):
    return episode_from_set(*cancer, rng=np.random.default_rng(seed), **options)


@pytest.mark.parametrize("situation", ["contaminated", "labelled", "normal", "clean"])
def test_sides_share_no_row(cancer, situation):
    episode = _episode(cancer, situation=situation)
    assert not _rows(episode.support_x) & _rows(episode.query_x)
    assert len(episode.support_x) + len(episode.query_x) == 569


def test_contaminated_is_stratified_and_unlabelled(cancer):
    episode = _episode(cancer, situation="contaminated", origin={"name": "cancer"})
    assert abs(episode.support_truth.mean() - episode.query_y.mean()) < 0.01
    assert (episode.support_y == -1).all() and len(episode.support_y) == round(569 * 0.7)
    assert episode.origin == {
        "name": "cancer",
        "situation": "contaminated",
        "contamination": episode.support_truth.mean(),
    }


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.6])
def test_contamination_is_as_asked(cancer, share):
    episode = _episode(cancer, situation="contaminated", contamination=share)
    assert episode.support_truth.mean() == pytest.approx(share, abs=0.003)


def test_inlier_only_keeps_every_anomaly_for_the_query(cancer):
    episode = _episode(cancer, situation="normal", support_share=0.5)
    assert (episode.support_y == 0).all() and episode.query_y.sum() == 212


def test_few_labels(cancer):
    episode = _episode(cancer, situation="labelled", labels=3, normals=2)
    assert (episode.support_y == 1).sum() == 3 and (episode.support_y == 0).sum() == 2


def test_bounds_and_seeds(cancer):
    one = _episode(cancer, situation="contaminated", support_rows=100, query_rows=50)
    two = _episode(cancer, situation="contaminated", support_rows=100, query_rows=50)
    other = _episode(cancer, seed=1, situation="contaminated", support_rows=100, query_rows=50)
    assert one.support_x.shape == (100, 30) and one.query_x.shape == (50, 30)
    assert np.array_equal(one.support_x, two.support_x) and not np.array_equal(one.support_x, other.support_x)


def test_duplicates_can_be_dropped(cancer):
    X, y = np.concatenate([cancer[0]] * 2), np.concatenate([cancer[1]] * 2)
    kept = _episode((X, y), situation="contaminated")
    dropped = _episode((X, y), situation="contaminated", drop_duplicates=True)
    assert _rows(kept.support_x) & _rows(kept.query_x)
    assert not _rows(dropped.support_x) & _rows(dropped.query_x)
    assert len(dropped.support_x) + len(dropped.query_x) == 569


def test_refusals(cancer):
    with pytest.raises(InputError, match="0 anomalous rows"):
        _episode((cancer[0], np.zeros(569, dtype=np.int8)), situation="clean")
    with pytest.raises(ParameterError, match="support_share"):
        _episode(cancer, situation="clean", support_share=1.0)
    with pytest.raises(ParameterError, match="choose from"):
        _episode(cancer, situation="dirty")
    with pytest.raises(ParameterError, match="contamination"):
        _episode(cancer, situation="contaminated", contamination=1.0)
