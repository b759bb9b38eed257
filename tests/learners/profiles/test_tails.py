"""Column-wise tails and histograms against a plain loop."""

import numpy as np
import pytest

from outlearn.learners.profiles.tails import BINS, ColumnTails


def plain(X: np.ndarray, row: np.ndarray) -> list[float]:
    n, d = X.shape
    tails, rarities = [], []
    for j in range(d):
        column = sorted(X[:, j])
        at_or_below = sum(x <= row[j] for x in column)
        at_or_above = sum(x >= row[j] for x in column)
        tails.append(-np.log((min(at_or_below, at_or_above) + 0.5) / (n + 1)))
        low, high = column[int(0.01 * (n - 1))], column[int(np.ceil(0.99 * (n - 1)))]
        edges = [low + (high - low) * i / (BINS - 2) for i in range(BINS - 1)]

        def bin_of(value: float, edges: list[float] = edges) -> int:
            return sum(edge < value for edge in edges)

        count = sum(bin_of(x) == bin_of(row[j]) for x in column)
        rarities.append(-np.log((count + 0.5) / (n + 0.5 * BINS)))
    top3 = sorted(tails)[-3:]
    return [np.mean(tails), max(tails), np.mean(top3), np.mean(rarities), max(rarities)]


@pytest.mark.parametrize("d", [1, 2, 6])
def test_statistics_are_those_of_a_plain_loop(d):
    rng = np.random.default_rng(d)
    X = rng.standard_t(2, size=(60, d))
    X[:, 0] = rng.integers(0, 64, size=60) / 8  # ties
    query = np.vstack([X[:10], rng.normal(size=(5, d)) * 20])
    got = np.column_stack(ColumnTails.fit(X).statistics(query))
    assert got.shape == (15, 5)
    assert np.allclose(got, [plain(X, row) for row in query])


def test_further_out_is_never_less_odd():
    X = np.random.default_rng(0).normal(size=(100, 1))
    tails = ColumnTails.fit(X).statistics(np.linspace(0, 9, 50)[:, None])[0]
    assert (np.diff(tails) >= 0).all()


def test_one_far_value_does_not_leave_a_single_bin_for_all_others():
    X = np.r_[np.random.default_rng(0).normal(size=999), 1e9][:, None]
    rarity = ColumnTails.fit(X).statistics(np.array([[0.0], [2.5]]))[3]
    assert rarity[1] > rarity[0] + 1


@pytest.mark.parametrize("X", [np.zeros((5, 2)), np.array([[1.0, 2.0]]), np.array([[1.0], [2.0]])])
def test_small_and_constant_supports_stay_finite(X):
    query = np.vstack([X, X + 1])
    assert np.isfinite(ColumnTails.fit(X).statistics(query)).all()
