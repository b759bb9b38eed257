import numpy as np
import pytest

from outlearn.errors import InputError, ParameterError
from outlearn.explain import smallest_change


@pytest.mark.parametrize("planted", [(2,), (3, 4), (0, 2, 4)])
def test_exactly_the_planted_columns_are_changed(world, draw, planted):
    row = draw(np.random.default_rng(1), 1)[0]
    row[:] = [0, 0, 0, 0, 0, 1, 0, 0]
    row[list(planted)] = 7.0
    threshold = float(np.quantile(world.score(world.support), 0.9))
    change = smallest_change(row, **world.common, threshold=threshold)
    assert change.passes
    assert change.score < threshold
    assert change.score == pytest.approx(world.score(change.row[None])[0])
    assert set(change.columns) == set(planted)
    kept = np.setdiff1d(np.arange(8), planted)
    np.testing.assert_array_equal(change.row[kept], row[kept])


def test_a_column_that_is_not_needed_is_put_back():
    support = np.zeros((50, 3), dtype=np.float32)

    def score(rows):
        a, b, c = (rows > 5).T
        # c looks best at first, but once a and b are usual it does not matter
        return 1.0 * a + 1.0 * b + 1.5 * (c & (a | b)) + 0.1

    row = np.array([9, 9, 9], dtype=np.float32)
    change = smallest_change(
        row, score=score, support=support, support_scores=np.zeros(50), groups=[[0], [1], [2]], threshold=0.5
    )
    assert set(change.columns) == {0, 1}
    assert change.row.tolist() == [0, 0, 9]


def test_a_row_under_the_threshold_needs_no_change_and_a_stubborn_one_says_so(world):
    common = {**world.common, "threshold": 1e9}
    assert smallest_change(world.support[0], **common).columns == ()
    stubborn = smallest_change(world.support[0] + 50, **{**common, "threshold": 0.5}, max_columns=2)
    assert not stubborn.passes
    assert len(stubborn.columns) == 2


def test_bad_input(world):
    with pytest.raises(InputError, match="wanted that of a support row"):
        smallest_change(world.support[0, :3], **world.common, threshold=1.0)
    with pytest.raises(ParameterError, match="max_columns"):
        smallest_change(world.support[0], **world.common, threshold=1.0, max_columns=0)
