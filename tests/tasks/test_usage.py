"""Episodes in the ways that users come with labels."""

import numpy as np
import pytest

from outlearn.errors import InputError
from outlearn.tasks.usage import USES, Use, episode_of_use

BY_NAME = {use.name: use for use in USES}


def table(n: int = 300, odd: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (np.arange(n) < odd).astype(np.int8)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    X[:odd] += 3
    return X, y


def made(use: Use, seed: int = 0, **options):
    X, y = table()
    options = {"support_rows": 200, "oddness": lambda rows: rows[:, 0].astype(float)} | options
    return episode_of_use(X, y, use, np.random.default_rng(seed), **options)


@pytest.mark.parametrize("use", USES, ids=lambda use: use.name)
def test_no_row_is_on_both_sides_and_labels_are_true(use):
    for seed in range(5):
        episode = made(use, seed)
        rows = np.vstack([episode.support_x, episode.query_x])
        assert len(np.unique(rows, axis=0)) == len(rows)
        told = episode.support_y >= 0
        assert np.array_equal(episode.support_y[told], episode.support_truth[told])
        assert episode.query_y.any() and not episode.query_y.all()


def test_supports_are_labelled_as_the_use_says():
    assert (made(BY_NAME["reference"]).support_y == 0).all()
    assert (made(BY_NAME["unlabelled"]).support_y == -1).all()
    clean = made(BY_NAME["clean"])
    assert (clean.support_y == -1).all() and not clean.support_truth.any()
    both = made(BY_NAME["reference and cases"])
    assert (both.support_y == 1).any() and set(both.support_y) == {0, 1}
    assert (both.support_truth == both.support_y).all()


def test_verdicts_are_given_on_the_top_of_the_list():
    episode = made(Use("verdicts", verdicts=(20,)))
    told = episode.support_y >= 0
    assert told.sum() == 20
    assert episode.support_x[told, 0].min() > episode.support_x[~told, 0].max()


def test_cases_of_one_kind_lie_together():
    X, y = table(odd=40)
    X[:20, 1] += 50  # two kinds
    for seed in range(6):
        use = Use("one", cases=(5,), one_kind=(True,))
        episode = episode_of_use(
            X, y, use, np.random.default_rng(seed), support_rows=300, oddness=lambda rows: rows[:, 0]
        )
        named = episode.support_x[episode.support_y == 1]
        assert len(named) == 5 and len(np.unique(named[:, 1] > 25)) == 1


def test_a_table_with_too_few_rows_of_a_kind_is_refused():
    X, y = table(odd=1)
    with pytest.raises(InputError, match="299 normal rows and 1 anomalies; wanted 20 and 2"):
        episode_of_use(
            X, y, USES[0], np.random.default_rng(0), support_rows=9, oddness=lambda rows: rows[:, 0]
        )
