"""Oddness of equal and unequal values against plain loops."""

import numpy as np
import pytest

from outlearn.data.rows import has_copy
from outlearn.learners.profiles.values import MOST_COLUMNS, Mismatch, Surprisal


def mixed(n: int, seed: int = 0) -> np.ndarray:
    """Two columns of codes, one of rounded amounts, one whose values all differ."""
    rng = np.random.default_rng(seed)
    columns = [
        rng.integers(0, 3, n),
        rng.integers(0, 40, n),
        rng.exponential(9, n).round(),
        rng.normal(size=n),
    ]
    return np.column_stack(columns).astype(np.float32)


def surprisal(column: list[float], value: float, own: bool) -> float:
    n, seen = len(column), column.count(value) - own
    alone = sum(column.count(each) == 1 for each in column)
    return -np.log(seen / n) if seen > 0 else -np.log(max(alone / n, 0.5 / n))


def test_surprisal_is_that_of_a_plain_count():
    X = mixed(60)
    query = np.vstack([X[:10], mixed(8, seed=1), [[7, 7, 7, 7]]]).astype(float)
    copies = np.arange(len(query)) < 10
    told = Surprisal(X.astype(float)).statistics(query, copies)
    columns = X.astype(float).T.tolist()
    for i, row in enumerate(query.tolist()):
        values = [surprisal(c, v, bool(copies[i])) for c, v in zip(columns, row, strict=True)]
        wanted = [np.mean(values), max(values), np.mean(sorted(values)[-3:])]
        assert np.allclose([each[i] for each in told], wanted)


def test_a_value_never_seen_is_odd_among_codes_and_usual_among_measurements():
    X = mixed(200)[:, [0, 3]].astype(float)
    new = np.array([[7.0, 0.123], [0.0, 0.123]])
    largest = Surprisal(X).statistics(new, np.zeros(2, dtype=bool))[1]
    assert largest[0] > 5 and largest[1] < 2


def differing(rows: list[list[float]], row: list[float], own: bool) -> float:
    away = sorted(sum(a != b for a, b in zip(each, row, strict=True)) for each in rows)[own:]
    return float(np.mean(away[:5])) / len(row)


def test_mismatch_is_that_of_a_plain_count_over_columns_that_repeat_values():
    X = mixed(60)
    query = np.vstack([X[:10], mixed(8, seed=1), np.full((1, 4), 77, dtype=np.float32)])
    told = Mismatch(X).statistic(query)
    rows = X[:, :3].tolist()
    for row, copy, value in zip(query, has_copy(query, X), told, strict=True):
        assert value == pytest.approx(differing(rows, row[:3].tolist(), bool(copy)))
    assert told[-1] == 1


def test_without_a_repeated_value_there_is_no_mismatch():
    X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    assert not Mismatch(X).statistic(X + 1).any()
    assert not Mismatch(X[:1]).statistic(X).any()


def test_of_many_columns_the_same_are_compared_in_whatever_order_they_come():
    X = np.random.default_rng(0).integers(0, 3, (40, MOST_COLUMNS + 60)).astype(np.float32)
    query = np.random.default_rng(1).integers(0, 3, (9, X.shape[1])).astype(np.float32)
    turned = np.random.default_rng(2).permutation(X.shape[1])
    told = Mismatch(X).statistic(query)
    assert np.array_equal(told, Mismatch(X[:, turned]).statistic(query[:, turned]))
    assert told.min() > 0 and told.max() < 1
