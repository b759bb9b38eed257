import numpy as np

from outlearn.explain.neighbours import usual_rows
from outlearn.explain.replace import replaced, scores_of


def test_only_the_named_columns_change_and_their_values_are_real(world):
    usual = usual_rows(world.support, np.zeros(len(world.support)))
    row = np.full(8, 9.0, dtype=np.float32)
    for columns, copy in zip(world.groups, replaced(row, usual, world.groups), strict=True):
        rest = np.setdiff1d(np.arange(8), columns)
        np.testing.assert_array_equal(copy[rest], row[rest])
        assert (world.support[:, columns] == copy[columns]).all(axis=1).any()


def test_a_category_stays_a_category(world):
    usual = usual_rows(world.support, np.zeros(len(world.support)))
    copy = replaced(np.array([0, 0, 0, 0, 0, 0, 0, 1], np.float32), usual, [[5, 6, 7]])[0]
    assert copy[5:].tolist() in ([1, 0, 0], [0, 1, 0])


def test_the_value_put_in_fits_the_other_columns(world):
    usual = usual_rows(world.support, np.zeros(len(world.support)))
    row = np.array([1.5, -9, 0, 0, 0, 1, 0, 0], np.float32)
    assert 0.8 < replaced(row, usual, [[1]])[0, 1] < 2.0


def test_scores_come_back_in_the_blocks_they_went_in():
    rng = np.random.default_rng(0)
    blocks = [rng.normal(size=(size, 2)).astype(np.float32) for size in (3, 1, 5, 2)]
    calls = []

    def score(rows):
        calls.append(len(rows))
        return rows.sum(axis=1).astype(float)

    for chunk in (1, 4, 100):
        for block, scores in zip(blocks, scores_of(blocks, score, chunk=chunk), strict=True):
            np.testing.assert_allclose(scores, block.sum(axis=1), rtol=1e-6)
    assert calls == [3, 1, 5, 2, 4, 5, 2, 11]
    assert list(scores_of([], score)) == []
