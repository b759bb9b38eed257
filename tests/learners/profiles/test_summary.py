"""What is read of a support as a whole."""

import numpy as np
import pytest

from outlearn.learners.profiles.lean import LEAN_STATISTICS
from outlearn.learners.profiles.summary import SUMMARY, summarise


def read(order: np.ndarray) -> dict[str, float]:
    profile = np.zeros((len(order), 2 * len(LEAN_STATISTICS)))
    values = summarise(order, profile, np.full(len(order), -1, dtype=np.int8), 3)
    return dict(zip(SUMMARY, values.tolist(), strict=True))


def test_the_gap_that_parts_a_few_rows_from_the_others_is_found():
    order = np.concatenate([np.linspace(0, 10, 96), [20.0, 20.5, 21.0, 21.5]])
    told = read(np.random.default_rng(0).permutation(order))
    assert told["parted, middle"] == pytest.approx(15.0)
    assert told["parted, half width"] == pytest.approx(5.0)
    assert told["parted, share"] == pytest.approx(np.log(100 / 4) / 4)


def test_the_last_of_an_exponential_tail_is_not_parted_from_it():
    """Its widest gap is the first one in most tables; told by its place it is no larger than others."""
    rng = np.random.default_rng(0)
    noise = [read(rng.exponential(size=400))["parted, spacing"] for _ in range(50)]
    parted = [
        read(np.concatenate([rng.exponential(size=396), 14 + rng.random(4)]))["parted, spacing"]
        for _ in range(50)
    ]
    assert np.quantile(noise, 0.95) < np.quantile(parted, 0.05)


@pytest.mark.parametrize("order", [np.zeros(2), np.zeros(100), np.array([1.0])])
def test_where_nothing_is_parted_all_numbers_are_finite(order):
    told = read(order)
    assert np.isfinite(list(told.values())).all()
    assert told["parted, middle"] > order.max() and told["parted, spacing"] == 0
