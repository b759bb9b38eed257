import numpy as np
import pytest

from outlearn.errors import InputError
from outlearn.explain import neighbours
from outlearn.explain.neighbours import nearest_usual, usual_rows


def test_neighbours_are_usual_and_nearest():
    rng = np.random.default_rng(0)
    support = rng.normal(size=(300, 4)).astype(np.float32)
    scores = rng.random(300)
    usual = usual_rows(support, scores)
    assert sorted(usual.positions) == sorted(np.argsort(scores)[:240])
    rows = rng.normal(size=(7, 4)).astype(np.float32)
    for row, nearest in zip(rows, nearest_usual(rows, usual, k=5), strict=True):
        distances = np.sqrt(((usual.scaled(support) - usual.scaled(row[None])) ** 2).sum(axis=1))
        distances[np.setdiff1d(np.arange(300), usual.positions)] = np.inf
        assert nearest.tolist() == np.argsort(distances)[:5].tolist()


def test_one_wild_column_does_not_hide_the_others():
    support = np.column_stack([np.arange(100.0), np.arange(100.0) % 2]).astype(np.float32)
    usual = usual_rows(support, np.zeros(100))
    nearest = nearest_usual(np.array([[30.0, 1e9]], dtype=np.float32), usual, k=3)[0]
    assert np.abs(nearest - 30).max() <= 3
    assert (support[nearest, 1] == 1).all()


def test_columns_count_alike_whatever_their_unit():
    rng = np.random.default_rng(1)
    support = rng.normal(size=(200, 2)).astype(np.float32)
    rows = rng.normal(size=(5, 2)).astype(np.float32)
    unit = np.array([1.0, 1024.0], dtype=np.float32)
    np.testing.assert_array_equal(
        nearest_usual(rows, usual_rows(support, np.zeros(200)), 3),
        nearest_usual(rows * unit, usual_rows(support * unit, np.zeros(200)), 3),
    )


def test_memory_is_bounded_and_the_sample_is_fixed(monkeypatch):
    support = np.random.default_rng(2).normal(size=(30_000, 2)).astype(np.float32)
    first, second = (usual_rows(support, np.zeros(30_000)) for _ in range(2))
    assert len(first.values) == 10_000
    np.testing.assert_array_equal(first.positions, second.positions)
    np.testing.assert_array_equal(first.values, support[first.positions])
    monkeypatch.setattr(neighbours, "MOST_CELLS", 100)
    assert len(usual_rows(np.zeros((40, 5), dtype=np.float32), np.zeros(40)).values) == 20


def test_constant_columns_and_few_rows():
    usual = usual_rows(np.ones((3, 2), dtype=np.float32), np.zeros(3))
    assert usual.scale.tolist() == [1.0, 1.0]
    assert nearest_usual(np.zeros((1, 2), dtype=np.float32), usual, k=10).shape == (1, 3)
    with pytest.raises(InputError, match="wanted"):
        usual_rows(np.ones((3, 2), dtype=np.float32), np.zeros(2))
    with pytest.raises(InputError, match="n >= 1"):
        usual_rows(np.ones((0, 2), dtype=np.float32), np.zeros(0))
