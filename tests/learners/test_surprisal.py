"""Heights: near the rank of a score, without its steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlearn.learners.surprisal import Heights


def test_a_height_is_about_the_log_of_the_share_above():
    rng = np.random.default_rng(0)
    reference = np.sort(rng.normal(size=4000))
    told = Heights.of(reference)(reference)
    share = np.arange(4000, 0, -1) / 4000
    usual = share > 0.01  # further out the knots are kept apart
    assert np.abs(told + np.log(share))[usual].max() < 0.4
    assert (np.diff(told) >= 0).all()


def test_beyond_the_highest_it_goes_on():
    heights = Heights.of(np.arange(101.0))
    inside, far, farther = heights(np.array([60.0, 200.0, 2000.0]))
    assert inside < heights.tails[-1] < far < farther


@pytest.mark.parametrize("reference", [[3.0], [3.0, 3.0, 3.0], [0.0, 0.0, 1e-30], [1e12, 1e12 + 1]])
def test_hardly_any_spread_is_no_fault(reference):
    told = Heights.of(np.array(reference))(np.array([-1e15, reference[0], 1e15]))
    assert np.isfinite(told).all() and (np.diff(told) >= 0).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60), st.floats(-2e6, 2e6))
def test_the_last_bits_of_a_score_do_not_decide(reference, score):
    heights = Heights.of(np.array(reference))
    near = heights(np.array([score, score + 1e-7 * heights.room]))
    assert 0 <= near[1] - near[0] < 1e-5
