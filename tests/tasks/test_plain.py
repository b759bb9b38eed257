"""Tables of noise: what is planted is far off and rare, and false alarms are told where nothing is."""

import numpy as np
import pytest

from outlearn.tasks.plain import plain_episode


def oddness(rows: np.ndarray) -> np.ndarray:
    return np.abs(rows).max(axis=1)


@pytest.fixture(scope="module")
def episodes():
    return [plain_episode(np.random.default_rng(seed), oddness) for seed in range(80)]


def test_half_of_the_supports_hold_a_few_anomalies(episodes):
    planted = np.array([episode.support_truth.sum() for episode in episodes])
    sizes = np.array([len(episode.support_y) for episode in episodes])
    assert 0.3 < (planted > 0).mean() < 0.7
    assert (planted <= np.maximum(3, 0.03 * sizes + 1)).all() and planted.max() > 10


def test_planted_rows_lie_farther_out_than_the_others(episodes):
    for episode in episodes:
        X = episode.support_x.astype(np.float64)
        usual = X[episode.support_truth == 0]
        if len(usual) < 20 * X.shape[1]:
            continue
        centred = X - usual.mean(axis=0)
        inverse = np.linalg.pinv(np.cov(usual.T).reshape(X.shape[1], -1))
        away = np.einsum("ij,jk,ik->i", centred, inverse, centred)
        far = away[episode.support_truth == 1]
        assert (far > np.quantile(away[episode.support_truth == 0], 0.9)).all()


def test_false_alarms_are_told_only_where_nothing_is_odd(episodes):
    told = [episode for episode in episodes if (episode.support_y == 0).any()]
    assert told and all(not episode.support_truth.any() for episode in told)
    for episode in told:
        count = int((episode.support_y == 0).sum())
        top = np.argsort(-oddness(episode.support_x), kind="stable")[:count]
        assert (episode.support_y[top] == 0).all()
