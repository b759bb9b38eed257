"""Augmentations are pure, keep labels and change only what they say."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from outlearn.errors import ParameterError
from outlearn.tasks.augment import (
    add_noise,
    permute_columns,
    rotate,
    subset_columns,
    subset_rows,
    warp_columns,
)
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler


@pytest.fixture
def episode():
    config = SamplerConfig(
        seed=8, columns=(9, 9), query_rows=60, priors={"mixture": 1}, situations={"labelled": 1}
    )
    return SyntheticSampler(config).episode(0)


CALLS = {
    "rows": lambda e, rng: subset_rows(e, rng, 40, 20),
    "columns": lambda e, rng: subset_columns(e, rng, 4),
    "order": permute_columns,
    "warp": lambda e, rng: warp_columns(e, rng, share=1.0),
    "rotate": rotate,
    "noise": add_noise,
}


@pytest.mark.parametrize("name", CALLS)
def test_pure_and_deterministic(episode, name):
    before = episode.support_x.copy(), episode.query_x.copy()
    one, two = (CALLS[name](episode, np.random.default_rng(0)) for _ in range(2))
    assert np.array_equal(one.support_x, two.support_x) and np.array_equal(one.query_x, two.query_x)
    assert np.array_equal(episode.support_x, before[0]) and np.array_equal(episode.query_x, before[1])
    assert one.support_x.dtype == np.float32 and one.origin == episode.origin
    if name != "rows":
        assert np.array_equal(one.support_y, episode.support_y) and np.array_equal(
            one.query_y, episode.query_y
        )
        assert not np.array_equal(one.support_x, episode.support_x)


def test_rows_stay_with_their_labels(episode):
    small = subset_rows(episode, np.random.default_rng(0), 40, 20)
    known = {
        x.tobytes(): (y, t)
        for x, y, t in zip(episode.support_x, episode.support_y, episode.support_truth, strict=True)
    }
    for x, y, t in zip(small.support_x, small.support_y, small.support_truth, strict=True):
        assert known[x.tobytes()] == (y, t)
    assert 0 < small.query_y.sum() < 20 == len(small.query_y)


def test_columns_are_chosen_or_reordered_alike_on_both_sides(episode):
    chosen = subset_columns(episode, np.random.default_rng(0), 4)
    moved = permute_columns(episode, np.random.default_rng(0))
    for changed in (chosen, moved):
        for column in range(changed.support_x.shape[1]):
            source = [
                c for c in range(9) if np.array_equal(episode.support_x[:, c], changed.support_x[:, column])
            ]
            assert np.array_equal(episode.query_x[:, source[0]], changed.query_x[:, column])


@pytest.mark.parametrize("seed", range(4))
def test_warping_keeps_the_order_in_a_column(episode, seed):
    warped = warp_columns(episode, np.random.default_rng(seed), share=1.0)
    for column in range(9):
        rank = spearmanr(episode.query_x[:, column], warped.query_x[:, column]).statistic
        assert rank > 0.999


def test_rotation_keeps_standardised_distances(episode):
    turned = rotate(episode, np.random.default_rng(0))
    scale = episode.support_x.std(axis=0)
    before = np.linalg.norm((episode.support_x[0] - episode.support_x[1:]) / scale, axis=1)
    after = np.linalg.norm(turned.support_x[0] - turned.support_x[1:], axis=1)
    np.testing.assert_allclose(after, before, rtol=1e-3)


def test_noise_is_as_large_as_asked(episode):
    noisy = add_noise(episode, np.random.default_rng(0), level=0.5)
    ratio = (noisy.support_x - episode.support_x).std(axis=0) / episode.support_x.std(axis=0)
    assert np.all(np.abs(ratio - 0.5) < 0.2)
    with pytest.raises(ParameterError, match="level"):
        add_noise(episode, np.random.default_rng(0), level=-1)
