"""Choosing rows, held to plain oracles."""

import numpy as np
import pytest

from outlearn.data.rows import row_hash
from outlearn.errors import InputError
from outlearn.tasks.rows import stratified, unique_rows


def test_unique_rows_agree_with_a_set_of_tuples():
    rng = np.random.default_rng(0)
    X = rng.integers(3, size=(200, 4)).astype(np.float32)
    y = rng.integers(2, size=200).astype(np.int8)
    kept, labels = unique_rows(X, y)
    seen = {}
    for row, label in zip(map(tuple, X), y, strict=True):
        seen.setdefault(row, label)
    assert [tuple(row) for row in kept] == list(seen) and labels.tolist() == list(seen.values())


def test_hashes_see_order_sign_and_near_values_but_not_negative_zero():
    X = np.array([[1, 2], [2, 1], [-1, 2], [1, 2.0000002], [0.0, 1], [-0.0, 1]], dtype=np.float32)
    hashes = row_hash(X)
    assert len(set(hashes[:5])) == 5 and hashes[4] == hashes[5]


@pytest.mark.parametrize(
    ("odd", "count", "expected"), [(20, 50, 10), (1, 50, 1), (1, 2, 1), (100, 50, 50), (0, 5, 0)]
)
def test_stratified_keeps_the_share_and_rare_labels(odd, count, expected):
    truth = np.repeat(np.array([0, 1], dtype=np.int8), (100 - odd, odd))
    kept = stratified(np.random.default_rng(0), truth, count)
    assert len(set(kept)) == len(kept) == count and truth[kept].sum() == expected


def test_more_rows_than_there_are_is_refused():
    with pytest.raises(InputError, match="ask for fewer"):
        stratified(np.random.default_rng(0), np.zeros(3, dtype=np.int8), 4)
