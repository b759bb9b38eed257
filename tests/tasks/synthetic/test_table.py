"""Worlds and tables: pure, of the shape asked for, with relatives that differ from the normals."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from outlearn.tasks.synthetic.marginals import MAPS, STYLES, dress
from outlearn.tasks.synthetic.table import ALL_KINDS, PRIORS, sample_table
from outlearn.tasks.synthetic.visibility import VIEWS, visibility
from outlearn.tasks.synthetic.world import SyntheticTable, TaskShape


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("columns", [2, 3, 17])
def test_a_world_is_pure_and_has_its_shape(prior, columns):
    world = PRIORS[prior](np.random.default_rng(5), columns)
    draws = [world.normal(np.random.default_rng(1), 40) for _ in range(2)]
    assert draws[0].shape == (40, columns) and np.isfinite(draws[0]).all() and np.array_equal(*draws)
    assert world.other(np.random.default_rng(1), 30, 0.5).shape == (30, columns)


@pytest.mark.parametrize("prior", PRIORS)
def test_the_other_class_differs_more_than_a_second_draw(prior):
    differences = []
    for seed in range(8):
        world = PRIORS[prior](np.random.default_rng(seed), 6)
        rng = np.random.default_rng(100 + seed)
        usual, again, other = world.normal(rng, 400), world.normal(rng, 400), world.other(rng, 400, 0.9)
        second = max(ks_2samp(usual[:, c], again[:, c]).statistic for c in range(6))
        differences.append(max(ks_2samp(usual[:, c], other[:, c]).statistic for c in range(6)) - second)
    assert np.median(differences) > 0.15


def test_an_intervention_leaves_causes_alone():
    world = PRIORS["causal"](np.random.default_rng(2), 8)
    rng = np.random.default_rng(0)
    usual, odd = world.normal(rng, 2000), world.intervene(rng, 2000, 1.0)
    moved = np.array([ks_2samp(usual[:, c], odd[:, c]).statistic for c in range(8)])
    assert moved.max() > 0.1 and moved.min() < 0.06


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_table_of_every_prior_and_kind(prior, kind):
    for seed in range(3):
        table = sample_table(np.random.default_rng(seed), prior, TaskShape(60, 20, 7), (kind,), 0.6)
        assert table.normals.shape == (60, 7) and table.anomalies.shape == (20, 7)
        assert table.normals.dtype == np.float32 and table.anomalies.dtype == np.float32
        assert np.isfinite(table.normals).all() and np.isfinite(table.anomalies).all()
        assert table.kinds == (kind,) and 0 <= table.noise_columns <= 5


@pytest.mark.parametrize("name", MAPS)
def test_a_map_is_finite_even_for_far_values(name):
    z = np.concatenate([np.linspace(-50, 50, 301), np.zeros(3)])
    for seed in range(10):
        assert np.isfinite(MAPS[name](np.random.default_rng(seed), z)).all()


def test_one_hot_groups_add_up_to_one():
    values = np.random.default_rng(0).normal(size=(50, 4))
    dressed = dress(np.random.default_rng(0), values, {"one_hot": 1.0})
    assert set(np.unique(dressed)) == {0.0, 1.0}
    assert len(set(dressed.sum(axis=1))) == 1


def test_styles_name_known_maps():
    assert {name for style in STYLES.values() for name in style} - {"one_hot"} <= set(MAPS)


@pytest.mark.parametrize("view", VIEWS)
def test_visibility_knows_plain_from_hidden(view):
    rng = np.random.default_rng(0)
    normals, same = rng.normal(size=(2, 300, 3)).astype(np.float32)
    assert visibility(SyntheticTable(normals, same + 9, ("far",), 0), view) > 0.99
    assert 0.35 < visibility(SyntheticTable(normals, same, ("far",), 0), view) < 0.65
