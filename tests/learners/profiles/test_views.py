"""Views: five scalings of a support."""

import numpy as np
import pytest

from outlearn.learners.profiles.views import LogView, RankView, RobustView, StandardView, WhitenedView

VIEWS = (StandardView, LogView, RankView, WhitenedView, RobustView)


def correlated(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) * np.geomspace(1e-3, 1e3, d) + 5


def test_the_standard_view_has_mean_zero_and_deviation_one():
    X = correlated(np.random.default_rng(0), 300, 4)
    Z = StandardView.fit(X).apply(X)
    assert np.allclose(Z.mean(axis=0), 0, atol=1e-9)
    assert np.allclose(Z.std(axis=0), 1)


@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, 1e8 / 3])
def test_a_constant_column_keeps_its_unit(value):
    view = StandardView.fit(np.full((50, 1), value))
    assert view.scale.tolist() == [1.0]
    assert np.allclose(view.apply(np.array([[value], [value + 2]])), [[0], [2]], atol=1e-7)


def test_values_far_out_are_bounded():
    view = StandardView.fit(np.random.default_rng(0).normal(size=(50, 2)))
    assert view.apply(np.array([[1e30, -1e30]])).tolist() == [[1e3, -1e3]]


def test_on_the_log_view_twice_as_large_is_as_far_away_in_any_unit():
    amounts = np.random.default_rng(0).lognormal(8, 2, size=(2000, 1))
    asked = np.quantile(amounts, [0.9, 0.99])[:, None] * np.array([[1.0, 2.0]])
    told = LogView.fit(amounts).apply(asked.reshape(-1, 1)).reshape(2, 2)
    steps = np.diff(told, axis=1).ravel()
    assert steps[0] == pytest.approx(steps[1], rel=0.1)
    assert np.allclose(LogView.fit(amounts * 1e-3).apply(asked.reshape(-1, 1) * 1e-3), told.reshape(-1, 1))
    with_losses = np.vstack([amounts, -amounts])
    both = LogView.fit(with_losses).apply(np.array([[9.0], [-9.0]]))
    assert both[0, 0] == pytest.approx(-both[1, 0])


def test_the_robust_view_has_the_unit_of_the_middle_half():
    X = np.random.default_rng(0).normal(3.0, 2.0, size=(20_000, 1))
    view = RobustView.fit(X)
    assert view.median == pytest.approx(3.0, abs=0.05)
    assert view.scale == pytest.approx(2.0, rel=0.03)
    assert np.allclose(np.sinh(view.apply(X)), (X - view.median) / view.scale)


def test_far_rows_of_the_support_do_not_stretch_the_robust_unit():
    X = np.random.default_rng(0).normal(size=(400, 1))
    spoilt = np.vstack([X, np.full((40, 1), 30.0)])
    assert StandardView.fit(spoilt).scale > 5 * StandardView.fit(X).scale
    assert RobustView.fit(spoilt).scale < 1.6 * RobustView.fit(X).scale


def test_a_column_that_is_mostly_one_value_has_the_unit_of_its_deviation():
    X = np.r_[np.zeros(90), np.ones(10)][:, None]
    assert RobustView.fit(X).scale == pytest.approx(X.std())
    assert RobustView.fit(np.full((9, 1), 7.0)).scale == 1


def test_ranks_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 6, size=(40, 3)).astype(float)  # many ties
    query = rng.integers(0, 6, size=(10, 3)).astype(float)
    query = np.vstack([query, [[2.5, 0.5, 4.5]]])
    expected = [
        [
            (sum(x < v for x in X[:, j]) + sum(x <= v for x in X[:, j])) / (2 * len(X))
            for j, v in enumerate(row)
        ]
        for row in query
    ]
    assert np.allclose(RankView.fit(X).apply(query), expected)


def test_ranks_go_on_rising_past_the_range():
    X = np.random.default_rng(0).normal(size=(40, 1))
    line = np.linspace(X.min() - 10, X.max() + 10, 500)[:, None]
    ranks = RankView.fit(X).apply(line)[:, 0]
    assert (np.diff(ranks) >= 0).all()
    outside = (line[:, 0] < X.min()) | (line[:, 0] > X.max())
    assert (np.diff(ranks)[outside[1:] & outside[:-1]] > 0).all()
    assert ranks[0] < 0 and ranks[-1] > 1


def test_ranks_of_a_constant_column_are_in_the_middle():
    view = RankView.fit(np.full((9, 1), 3.0))
    assert view.apply(np.array([[3.0]])) == 0.5
    assert view.apply(np.array([[2.0]])) < 0 < 1 < view.apply(np.array([[4.0]]))


def test_whitening_a_large_gaussian_leaves_almost_the_identity():
    X = np.random.default_rng(1).normal(size=(5000, 4)) @ np.array(
        [[1.0, 0.8, 0, 0], [0, 0.6, 0, 0], [0, 0, 1, 0.5], [0, 0, 0, 1]]
    )
    covariance = np.cov(WhitenedView.fit(X).apply(X).T)
    assert np.allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-6)
    assert np.allclose(np.diag(covariance), 1, atol=0.25)  # shrunk: small directions stay a little below 1
    assert (np.diag(covariance) <= 1.001).all()


def test_whitening_does_not_know_units():
    X = correlated(np.random.default_rng(2), 200, 5)
    units = np.array([1, 10, 1e-3, 1e4, 7.0])
    plain, scaled = WhitenedView.fit(X), WhitenedView.fit(X * units)
    assert np.allclose(
        np.linalg.norm(plain.apply(X), axis=1), np.linalg.norm(scaled.apply(X * units), axis=1)
    )


@pytest.mark.parametrize("shape", [(2, 1), (2, 30), (20, 80), (60, 60), (5, 5), (1, 3)])
@pytest.mark.parametrize("view", VIEWS)
def test_every_shape_stays_finite(view, shape):
    rng = np.random.default_rng(3)
    X = rng.normal(size=shape)
    X[:, 0] = 4.0  # constant
    fitted = view.fit(X)
    query = np.vstack([X, rng.normal(size=(3, shape[1])) * 100])
    assert np.isfinite(fitted.apply(query)).all()
    if view is WhitenedView:
        assert np.isfinite(fitted.residual(query)).all()


def test_both_gram_matrices_give_the_same_directions():
    X = np.random.default_rng(4).normal(size=(30, 31))
    wide, query = WhitenedView.fit(X), X[:5] + 0.5
    tall = WhitenedView.fit(np.vstack([X, X]))  # the same covariance, but more rows than columns
    norms = [np.linalg.norm(view.apply(query), axis=1) for view in (wide, tall)]
    assert np.allclose(*norms, rtol=0.2)  # the wide one lacks the empty directions
    assert np.allclose(wide.residual(query), tall.residual(query))


def test_the_residual_is_what_the_leading_directions_leave_out():
    rng = np.random.default_rng(5)
    line = rng.normal(size=(400, 1))
    X = np.hstack([line, line, line]) + rng.normal(size=(400, 3)) * 0.01
    on, off = WhitenedView.fit(X).residual(np.array([[2.0, 2, 2], [2, -2, 0]]))
    assert on < 0.1 < 1 < off


@pytest.mark.parametrize("view", VIEWS)
def test_rows_and_columns_may_come_in_any_order(view):
    rng = np.random.default_rng(6)
    X, query = correlated(rng, 80, 5), correlated(rng, 10, 5)
    rows, columns = rng.permutation(80), rng.permutation(5)

    def gaps(fitted, points):  # a view may turn the space; what counts is how far apart rows are
        moved = fitted.apply(points)
        return np.linalg.norm(moved[:, None] - moved[None], axis=2)

    assert np.allclose(
        gaps(view.fit(X), query), gaps(view.fit(X[rows][:, columns]), query[:, columns]), rtol=1e-6, atol=1e-7
    )
