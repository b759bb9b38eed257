"""Each kind of anomaly does what its name says, on a pool whose shape is known."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from outlearn.tasks.synthetic.inject import (
    KINDS,
    clustered,
    contextual,
    dependency,
    far,
    gross,
    local,
    subspace,
)


@pytest.fixture
def pool():
    """Return 600 rows of four columns that are nearly one."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(600, 1)) + 0.1 * rng.normal(size=(600, 4))


def _off_axis(rows):
    """Return how far each row lies from the line on which all columns agree."""
    return rows.std(axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_shape_determinism_and_an_untouched_pool(kind, pool):
    before = pool.copy()
    one, two = (KINDS[kind](np.random.default_rng(1), pool, 50, 0.7) for _ in range(2))
    assert one.shape == (50, 4) and np.array_equal(one, two) and np.array_equal(pool, before)


def test_dependency_keeps_marginals_and_breaks_the_joint(pool):
    odd = dependency(np.random.default_rng(1), pool, 600, 1.0)
    for column in range(4):
        assert np.array_equal(np.sort(odd[:, column]), np.sort(pool[:, column]))
    assert np.corrcoef(pool.T).min() > 0.95
    assert abs(np.corrcoef(odd.T)).min() < 0.2


def test_contextual_values_are_usual_alone_and_odd_together(pool):
    odd = contextual(np.random.default_rng(1), pool, 600, 1.0)
    for column in range(4):
        assert ks_2samp(odd[:, column], pool[:, column]).statistic < 0.06
    assert np.median(_off_axis(odd)) > 4 * np.median(_off_axis(pool))


def test_subspace_touches_only_the_named_columns(pool):
    odd = subspace(np.random.default_rng(1), pool, 100, 0.8, columns=np.array([2]))
    rest = [0, 1, 3]
    assert {tuple(row) for row in odd[:, rest]} <= {tuple(row) for row in pool[:, rest]}
    assert (~np.isin(odd[:, 2], pool[:, 2])).all()


def test_subspace_chooses_at_most_a_third_of_the_columns():
    pool = np.random.default_rng(0).normal(size=(300, 20))
    for seed in range(5):
        odd = subspace(np.random.default_rng(seed), pool, 100, 0.8)
        touched = [column for column in range(20) if not np.isin(odd[:, column], pool[:, column]).any()]
        assert 1 <= len(touched) <= 7


def test_local_mostly_leaves_the_neighbourhood_and_grows_with_strength(pool):
    def spread(strength):
        odd = [local(np.random.default_rng(seed), pool, 300, strength) for seed in range(30)]
        return np.array([np.median(_off_axis(rows)) for rows in odd]) / np.median(_off_axis(pool))

    weak, strong = spread(0.1), spread(1.0)
    assert np.median(strong) > 1.5 * np.median(weak) > 1.5
    assert 1 <= (strong < 0.5).sum() <= 8  # now and then deflated instead


def test_far_fills_the_box(pool):
    odd = far(np.random.default_rng(1), pool, 300, 1.0)
    assert np.median(_off_axis(odd)) > 5 * np.median(_off_axis(pool))
    assert np.abs(odd).max() < 2 * np.abs(pool).max()


def test_clustered_anomalies_are_nearer_to_each_other_than_to_the_pool():
    pool = np.random.default_rng(0).normal(size=(600, 10))
    odd = clustered(np.random.default_rng(1), pool, 200, 1.0)

    def nearest(a, b):
        gaps = ((a[:, None] - b[None]) ** 2).sum(axis=2)
        return np.sqrt(np.where(gaps == 0, np.inf, gaps).min(axis=1))

    assert np.median(nearest(odd, odd)) < 0.8 * np.median(nearest(odd, pool))


def test_gross_anomalies_are_far_out_in_one_or_two_cells_that_differ_from_row_to_row(pool):
    odd = gross(np.random.default_rng(1), pool, 300, 1.0)
    low, high = pool.min(axis=0), pool.max(axis=0)
    outside = (odd < low) | (odd > high)
    assert outside.any(axis=1).mean() > 0.6
    assert outside.sum(axis=1).max() <= 2
    assert (outside.sum(axis=0) > 0).all()
