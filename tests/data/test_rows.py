"""Rows by content."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from outlearn.data.rows import canonical_order, has_copy, row_hash
from outlearn.errors import InputError

naive = runpy.run_path(str(Path(__file__).parents[1] / "naive" / "rows.py"))

cells = st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, -0.0, 1.0])
tables = st.tuples(st.integers(1, 30), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=cells)
)


@given(tables)
def test_the_hash_is_that_of_the_plain_oracle(values):
    assert row_hash(values).tolist() == [naive["row_hash"](row) for row in values.tolist()]


@given(tables, st.randoms(use_true_random=False), st.booleans())
def test_the_order_depends_only_on_which_rows_are_there(values, random, labelled):
    y = (values[:, 0] > 0).astype(np.int8) if labelled else None
    rows = list(range(len(values)))
    random.shuffle(rows)
    order = canonical_order(values, y)
    again = canonical_order(values[rows], None if y is None else y[rows])
    assert sorted(order.tolist()) == list(range(len(values)))
    assert np.array_equal(values[order], values[rows][again])


def test_the_order_of_the_columns_does_not_matter():
    values = np.random.default_rng(0).integers(0, 9, size=(500, 6)).astype(np.float32)
    shuffled = values[::-1, ::-1]
    assert np.array_equal(values[canonical_order(values)][:, ::-1], shuffled[canonical_order(shuffled)])


def test_labels_tell_equal_rows_apart():
    values = np.repeat(np.arange(50, dtype=np.float32), 2)[:, None]
    y = np.tile([0, 1], 50).astype(np.int8)
    turned = np.arange(100)[::-1]
    assert np.array_equal(
        y[canonical_order(values, y)], y[turned][canonical_order(values[turned], y[turned])]
    )


def test_integers_and_blocks_of_rows_do_not_collide():
    grid = np.stack(np.meshgrid(np.arange(700), np.arange(700)), axis=-1).reshape(-1, 2).astype(np.float32)
    assert np.unique(row_hash(grid)).size == len(grid)
    assert row_hash(grid[-1:])[0] == row_hash(grid)[-1]


def test_the_first_rows_are_a_uniform_sample_under_heavy_duplication():
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(200):
        values = np.r_[np.full(900, rng.normal()), rng.normal(size=100)].astype(np.float32)[:, None]
        shares.append(np.mean(canonical_order(values)[:100] < 900))
    # Mean of 200 samples of 100 without replacement from 90 % copies: standard deviation under .0021.
    assert abs(np.mean(shares) - 0.9) < 0.01
    assert np.std(shares) > 0.01


@given(tables, tables)
def test_copies_are_found_exactly(query, support):
    width = min(query.shape[1], support.shape[1])
    query, support = query[:, :width], support[:, :width]
    known = {tuple(row) for row in (support + np.float32(0)).tolist()}
    wanted = [tuple(row) in known for row in (query + np.float32(0)).tolist()]
    assert has_copy(query, support).tolist() == wanted


def test_empty_tables_and_wrong_shapes():
    none = np.empty((0, 2), dtype=np.float32)
    one = np.zeros((1, 2), dtype=np.float32)
    assert canonical_order(none).shape == row_hash(none).shape == (0,)
    assert has_copy(one, none).tolist() == [False]
    with pytest.raises(InputError, match="wanted 2, as in the support"):
        has_copy(np.zeros((1, 3), dtype=np.float32), one)
    with pytest.raises(InputError, match="for 1 rows"):
        canonical_order(one, np.zeros(2, dtype=np.int8))
