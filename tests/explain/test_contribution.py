import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from outlearn.errors import InputError, ParameterError
from outlearn.explain import explain_rows


def top(contribution, k=1):
    return set(contribution.columns[:k].tolist())


def test_a_planted_column_comes_first(world, draw):
    rows = draw(np.random.default_rng(1), 20)
    planted = np.arange(20) % 5
    rows[np.arange(20), planted] += 8
    explained = explain_rows(rows, **world.common)
    assert np.mean([c.columns[0] == j for c, j in zip(explained, planted, strict=True)]) >= 0.95
    for contribution in explained:
        assert (np.diff(contribution.drops) <= 0).all()
        assert contribution.neighbours.shape == (10,)


def test_a_broken_dependency_is_found_though_each_value_is_usual(world, draw):
    rows = draw(np.random.default_rng(2), 10)
    rows[:, 0], rows[:, 1] = 1.8, -1.8
    rows[:, 5:] = [1, 0, 0]
    measured = [top(c) <= {0, 1} for c in explain_rows(rows, **world.common)]
    assert np.mean(measured) >= 0.9


def test_a_rare_category_is_found_as_one_table_column(draw):
    support = draw(np.random.default_rng(0), 2000)
    support = support[support[:, 7] == 0]

    def score(rows):
        return 3.0 * rows[:, 7] + np.abs(rows[:, :5]).max(axis=1) / 4

    rows = draw(np.random.default_rng(3), 5)
    rows[:, 5:] = [0, 0, 1]
    groups = [[0], [1], [2], [3], [4], [5, 6, 7]]
    for contribution in explain_rows(
        rows, score=score, support=support, support_scores=score(support), groups=groups
    ):
        assert top(contribution) == {5}
        assert contribution.drops[0] == pytest.approx(3.0)


def test_two_columns_that_hide_one_another_are_found_together():
    """The score sees only that both are high or one is: no single replacement changes it."""
    rng = np.random.default_rng(4)
    support = rng.normal(size=(300, 5)).astype(np.float32)

    def score(rows):
        return np.maximum(rows[:, 1] > 5, rows[:, 3] > 5).astype(float)

    row = np.array([[0, 9, 0, 9, 0]], dtype=np.float32)
    common = {
        "score": score,
        "support": support,
        "support_scores": score(support),
        "groups": [[i] for i in range(5)],
    }
    contribution = explain_rows(row, **common)[0]
    assert set(contribution.together) == top(contribution, 2) == {1, 3}
    assert contribution.drops[:2].tolist() == [1.0, 1.0]
    single = explain_rows(np.array([[0, 9, 0, 0, 0]], dtype=np.float32), **common)[0]
    assert single.together == ()


def test_three_columns_that_hide_one_another_are_found_together():
    """The score sees only how many of three are high: neither one nor two replacements change it."""
    rng = np.random.default_rng(4)
    support = rng.normal(size=(300, 6)).astype(np.float32)

    def score(rows):
        return (rows[:, [1, 3, 5]] > 5).any(axis=1).astype(float)

    common = {
        "score": score,
        "support": support,
        "support_scores": score(support),
        "groups": [[i] for i in range(6)],
    }
    why, less = explain_rows(np.array([[0, 9, 0, 9, 0, 9], [0, 9, 0, 9, 0, 0]], np.float32), **common)
    assert set(why.together) == top(why, 3) == {1, 3, 5}
    assert why.drops[:3].tolist() == [1.0, 1.0, 1.0]
    assert (why.tried_together, less.tried_together, why.excess) == (3, 2, 1.0)


def test_among_many_columns_the_planted_ones_are_tried():
    rng = np.random.default_rng(5)
    support = rng.normal(size=(400, 200)).astype(np.float32)
    forest = IsolationForest(n_estimators=50, max_features=1.0, random_state=0).fit(support)

    def score(rows):
        return -forest.score_samples(rows)

    rows = rng.normal(size=(5, 200)).astype(np.float32)
    planted = [[3, 77, 150], [0, 1, 2], [199, 100, 50], [20, 30, 40], [9, 8, 7]]
    for row, columns in zip(rows, planted, strict=True):
        row[columns] = 12.0
    explained = explain_rows(
        rows, score=score, support=support, support_scores=score(support), groups=[[i] for i in range(200)]
    )
    for contribution, columns in zip(explained, planted, strict=True):
        assert set(columns) <= set(contribution.columns.tolist())
        assert len(contribution.columns) == 12


@pytest.mark.parametrize("chunk", [1, 7, 8192])
def test_chunks_do_not_change_the_explanation(world, draw, chunk):
    rows = draw(np.random.default_rng(6), 6) * 3
    whole = explain_rows(rows, **world.common)
    parts = explain_rows(rows, **world.common, chunk=chunk)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a.columns, b.columns)
        np.testing.assert_allclose(a.drops, b.drops, atol=1e-6)


def test_scores_asked_for_are_bounded_and_batched(world, draw):
    rows = draw(np.random.default_rng(7), 40) * 4
    common = world.common
    world.calls.clear()
    explain_rows(rows, **common, max_columns=4)
    assert sum(world.calls) <= 40 * (1 + 4 + 6 + 4)
    assert len(world.calls) <= 4


def test_a_row_is_explained_the_same_alone(world, draw):
    rows = draw(np.random.default_rng(8), 5) * 3
    together = explain_rows(rows, **world.common)
    alone = [explain_rows(row[None], **world.common)[0] for row in rows]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_array_equal(a.columns, b.columns)
        np.testing.assert_array_equal(a.neighbours, b.neighbours)
        np.testing.assert_allclose(a.drops, b.drops, atol=1e-6)


def test_rows_and_support_are_left_as_they_were(world, draw):
    rows = draw(np.random.default_rng(9), 3) * 3
    before, support = rows.copy(), world.support.copy()
    explain_rows(rows, **world.common)
    np.testing.assert_array_equal(rows, before)
    np.testing.assert_array_equal(world.support, support)


def test_small_and_bad_input(world, draw):
    assert explain_rows(world.support[:0], **world.common) == []
    one = explain_rows(
        world.support[:1],
        score=lambda rows: rows[:, 0].astype(float),
        support=world.support[:1],
        support_scores=np.zeros(1),
        groups=[[0]],
    )
    assert one[0].drops.tolist() == [0.0]
    assert one[0].neighbours.tolist() == [0]
    with pytest.raises(InputError, match="columns differ"):
        explain_rows(world.support[:2, :3], **world.common)
    with pytest.raises(InputError, match="groups name"):
        explain_rows(world.support[:2], **{**world.common, "groups": [[8]]})
    with pytest.raises(InputError, match="at least one matrix column"):
        explain_rows(world.support[:2], **{**world.common, "groups": [[0], []]})
    with pytest.raises(ParameterError, match="at least 1"):
        explain_rows(world.support[:2], **world.common, max_columns=0)
