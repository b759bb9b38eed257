import numpy as np
import pytest

from outlearn.findings import map_sample


def sample_of(values, limit=2000, seed=0):
    n = len(values)
    scores = np.random.default_rng(1).permutation(np.linspace(0, 1, n)) if n else np.empty(0)
    return map_sample(
        np.asarray(values, dtype=np.float32),
        np.arange(n) + 10,
        scores,
        scores > 0.99,
        limit=limit,
        random_state=seed,
    )


def test_sample_keeps_the_top_rows_and_is_reproducible():
    values = np.random.default_rng(0).normal(size=(5000, 6))
    sample, again = sample_of(values, limit=300), sample_of(values, limit=300)
    assert sample.xy.shape == (300, 2)
    assert np.array_equal(sample.xy, again.xy)
    assert np.array_equal(sample.rows, again.rows)
    assert np.unique(sample.rows).size == 300
    scores = np.random.default_rng(1).permutation(np.linspace(0, 1, 5000))
    assert set(np.argsort(-scores)[:150] + 10) <= set(sample.rows)
    assert np.array_equal(sample.scores, scores[sample.rows - 10])
    assert sample.flagged.sum() == 50
    assert not np.array_equal(sample.rows, sample_of(values, limit=300, seed=1).rows)


def test_groups_stay_apart_and_far_rows_do_not_press_the_bulk():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 5))
    values[:200] += 4
    calm = sample_of(values).xy
    assert abs(calm[:200, 0].mean() - calm[200:, 0].mean()) > 3 * calm[:200, 0].std()
    values[0] = 1e9
    wild = sample_of(values).xy
    assert np.ptp(np.quantile(wild, [0.05, 0.95], axis=0), axis=0).min() > 0.15 * np.ptp(wild, axis=0).max()
    assert np.abs(wild).max() <= 6


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=(30, 1)),
        np.zeros((30, 4)),
        np.eye(30),
        np.random.default_rng(0).normal(size=(8, 1000)),
        np.full((30, 2), np.nan),
        np.where(np.eye(30), np.inf, 1.0),
        np.zeros((1, 3)),
        np.zeros((30, 0)),
        np.zeros((0, 3)),
    ],
    ids=[
        "one column",
        "constant",
        "sparse",
        "wide",
        "missing",
        "infinite",
        "one row",
        "no columns",
        "no rows",
    ],
)
def test_odd_shapes_have_a_map(values):
    sample = sample_of(values)
    assert sample.xy.shape == (len(values), 2)
    assert np.isfinite(sample.xy).all()
