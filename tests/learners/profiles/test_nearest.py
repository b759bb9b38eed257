"""Exact neighbours among all rows and among kept ones against a plain loop."""

from math import dist

import numpy as np
import pytest

from outlearn.learners.profiles.nearest import Reference


def plain(points, numbers, row, copy, k):
    """(distance, number) of the nearest of some rows, equal distances by number, without one copy."""
    found = sorted((round(dist(points[i], row) * 2**24) / 2**24, i) for i in numbers)
    wanted = min(k, max(min(len(found), k + 1) - 1, 1))
    return found[1 if copy and len(found) > 1 else 0 :][:wanted]


@pytest.mark.parametrize("kept_k", [6, 2])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_neighbours_are_those_of_a_plain_loop(share, kept_k):
    rng = np.random.default_rng(0)
    points = rng.integers(0, 4, size=(50, 3)).astype(float)  # copies and ties
    dropped = rng.uniform(size=50) < share
    query = np.vstack([points[:20], rng.integers(0, 5, size=(10, 3)) + 0.5])
    copies = np.array([row.tolist() in points.tolist() for row in query])
    kept_copies = np.array([row.tolist() in points[~dropped].tolist() for row in query])
    distance, _, kept = Reference(points, ~dropped, 6, kept_k).query(query, copies, kept_copies)
    for i, row in enumerate(query):
        wanted = plain(points, range(50), row, copies[i], 6)
        assert np.allclose(distance[i], [found for found, _ in wanted])
        wanted = plain(points, np.flatnonzero(~dropped), row, kept_copies[i], kept_k)
        assert np.allclose(kept[i], [found for found, _ in wanted])


@pytest.mark.parametrize("k", [5, 127, 150])
def test_of_equally_near_rows_the_first_count_in_references_of_any_size(k):
    rng = np.random.default_rng(3)
    points = rng.integers(0, 3, size=(300, 4)).astype(float)
    query = rng.integers(0, 3, size=(300, 4)) + 0.25
    nobody, everything = np.zeros(300, dtype=np.bool_), np.ones(300, dtype=np.bool_)
    distance, number, _ = Reference(points, everything, k).query(query, nobody, nobody)
    for i, row in enumerate(query):
        wanted = plain(points, range(300), row, False, k)
        assert number[i].tolist() == [place for _, place in wanted]
        assert np.allclose(distance[i], [found for found, _ in wanted])


def test_numbers_name_the_rows_in_the_whole():
    points = np.random.default_rng(1).normal(size=(40, 2))
    kept = np.arange(40) % 3 > 0
    query = points[:10] + 1e-3
    nobody = np.zeros(10, dtype=np.bool_)
    distance, number, _ = Reference(points, kept, 5).query(query, nobody, nobody)
    assert np.allclose(np.linalg.norm(points[number] - query[:, None], axis=2), distance, atol=1e-6)
    assert number[:, 0].tolist() == list(range(10))


def test_very_far_rows_have_a_very_large_distance():
    points = np.random.default_rng(2).normal(size=(10, 400))
    far = np.full((1, 400), 4e6)
    nobody = np.zeros(1, dtype=np.bool_)
    distance, number, kept = Reference(points, np.ones(10, dtype=np.bool_), 3).query(far, nobody, nobody)
    assert (distance > 1e6).all() and (kept > 1e6).all()
    assert ((number >= 0) & (number < 10)).all()
