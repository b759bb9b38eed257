"""Residuals of columns given the others: against one ridge regression a column."""

import numpy as np
import pytest

from outlearn.learners.profiles.dependence import LEAST_RIDGE, MOST_RIDGE, USUAL, Dependence
from outlearn.learners.profiles.views import StandardView


def regressions(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Return the residuals of each column by solving for it alone."""
    view = StandardView.fit(rows)
    Z, asked = view.apply(rows), view.apply(query)
    n, d = Z.shape
    ridge = max(LEAST_RIDGE, MOST_RIDGE * d / (n + d))
    found = []
    for each in (Z, asked):
        residuals = np.empty(each.shape)
        for j in range(d):
            others = np.delete(np.arange(d), j)
            inner = Z[:, others].T @ Z[:, others] / n + ridge * np.eye(d - 1)
            weights = np.linalg.solve(inner, Z[:, others].T @ Z[:, j] / n)
            residuals[:, j] = each[:, j] - each[:, others] @ weights
        found.append(np.abs(residuals))
    usual = np.quantile(found[0], USUAL, axis=0) + 1e-3
    return np.log1p(found[1] / usual)


@pytest.mark.parametrize(("n", "d"), [(60, 4), (12, 30), (20, 1)])
def test_statistics_are_those_of_one_regression_a_column(n, d):
    rng = np.random.default_rng(d)
    rows, query = rng.normal(size=(n, d)), 3 * rng.normal(size=(7, d))
    rows[:, -1] += rows[:, 0]
    told = np.column_stack(Dependence(rows).statistics(query))
    wanted = regressions(rows, query)
    top = np.sort(wanted, axis=1)[:, -3:].mean(axis=1)
    assert np.allclose(told, np.column_stack([wanted.mean(axis=1), wanted.max(axis=1), top]))


def test_values_that_do_not_go_together_are_odd_though_each_is_usual():
    rng = np.random.default_rng(0)
    base = rng.normal(size=300)
    rows = np.column_stack([base, 2 * base + 0.1 * rng.normal(size=300), rng.normal(size=300)])
    together, apart = [1.0, 2.0, 0.0], [1.0, -2.0, 0.0]
    largest = Dependence(rows).statistics(np.array([together, apart]))[1]
    assert largest[1] > 1.5 > largest[0]
