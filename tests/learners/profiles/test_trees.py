"""Trees on labelled anomalies: what they learn, and what a row may know of itself."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from outlearn.data.rows import row_hash
from outlearn.learners.profiles import trees as module
from outlearn.learners.profiles.trees import LabelTrees


def support(
    n: int = 200, odd: int = 20, told: int = 5, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of four columns; anomalies lie beyond 2 in the third alone. Truth, and labels of a few."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    truth = np.zeros(n, dtype=np.int8)
    truth[:odd] = 1
    X[:odd, 2] = rng.uniform(2.2, 3.0, size=odd)
    y = np.full(n, -1, dtype=np.int8)
    y[:told] = 1
    return X, truth, y


def grow(X: np.ndarray, y: np.ndarray, seed: int = 0) -> LabelTrees:
    (forest,) = LabelTrees.grow((X,), y, X, np.random.default_rng(seed))
    return forest


def test_a_few_labels_show_the_column_that_decides():
    X, _, y = support()
    fresh, truth, _ = support(seed=1)
    assert roc_auc_score(truth, grow(X, y).log_odds(fresh, fresh)) > 0.95


def test_shuffled_labels_tell_nothing():
    """Averaged over draws: trees on labels at random rank fresh rows as chance would."""
    found = []
    for seed in range(12):
        X, _, y = support(seed=seed)
        y = np.random.default_rng(seed).permutation(y)
        fresh, truth, _ = support(seed=100 + seed)
        found.append(roc_auc_score(truth, grow(X, y).log_odds(fresh, fresh)))
    assert abs(np.mean(found) - 0.5) < 0.12


def test_a_row_of_the_support_is_judged_by_trees_that_did_not_see_it():
    """A plain loop over the trees, each asked only where the row was not in its bag."""
    X, _, y = support(n=60, odd=6, told=3)
    forest = grow(X, y)
    log_odds = forest.log_odds(X, X, blind=True)
    for row in range(60):
        votes = [
            leaves[tree.apply(X[row : row + 1])][0]
            for tree, leaves, seen in forest._trees
            if not seen[forest._group[row]]
        ]
        share = np.clip(np.mean(votes), module.LEAST, 1 - module.LEAST) if votes else 0.5
        assert log_odds[row] == pytest.approx(np.log(share / (1 - share)), abs=1e-9)


def test_a_copy_of_a_support_row_scores_as_that_row_does():
    X, _, y = support(n=80)
    X[50] = X[0]  # one of them is labelled, the other is not
    forest = grow(X, y)
    scores = forest.log_odds(X, X, blind=True)
    assert scores[50] == scores[0]
    assert np.array_equal(forest.log_odds(X[[7, 50]], X[[7, 50]], blind=True), scores[[7, 50]])


def test_the_only_labelled_row_says_nothing_about_itself():
    X, _, y = support(told=1)
    scores = grow(X, y).log_odds(X, X, blind=True)
    assert scores[0] == 0
    assert (scores[1:] != 0).mean() > 0.95


def test_hidden_anomalies_leave_the_draws(monkeypatch):
    """With them in the draws, rows like the labelled ones are told to be normal as well."""
    X, _, y = support(n=200, odd=80, told=5)
    fresh, truth, _ = support(seed=1)
    cleaned = grow(X, y).log_odds(fresh, fresh)[truth == 1].mean()
    monkeypatch.setattr(module, "SHARPNESS", 0)
    assert cleaned > grow(X, y).log_odds(fresh, fresh)[truth == 1].mean() + 0.3


def test_known_normal_rows_are_believed():
    """Rows of a kind that looks like the labelled anomalies, but are vouched for, score lower."""
    X, _, y = support(n=200, odd=60, told=3)
    vouched = y.copy()
    vouched[30:60] = 0
    fresh, truth, _ = support(seed=1)
    assert (
        grow(X, vouched).log_odds(fresh, fresh)[truth == 1].mean()
        < grow(X, y).log_odds(fresh, fresh)[truth == 1].mean()
    )


def test_same_seed_same_verdict():
    X, _, y = support(n=60)
    assert np.array_equal(grow(X, y).log_odds(X, X), grow(X, y).log_odds(X, X))
    assert not np.array_equal(grow(X, y).log_odds(X, X), grow(X, y, seed=1).log_odds(X, X))


def test_a_forest_without_a_row_is_the_trees_that_did_not_draw_it():
    X, _, y = support(n=60, odd=6, told=3)
    X[1] = X[0]  # a copy is forgotten with it
    forest = grow(X, y)
    less = forest.without(row_hash(X[:1])[0])
    assert 0 < len(less._trees) < len(forest._trees)
    assert not any(seen[less._group[0]] or seen[less._group[1]] for _, _, seen in less._trees)
    fresh, _, _ = support(seed=1)
    kept = [t for t in forest._trees if not t[2][forest._group[0]]]
    votes = np.mean([leaves[tree.apply(fresh)] for tree, leaves, _ in kept], axis=0)
    share = votes.clip(module.LEAST, 1 - module.LEAST)
    assert np.allclose(less.log_odds(fresh, fresh), np.log(share / (1 - share)))


def test_a_forest_of_one_anomaly_without_it_says_nothing():
    X, _, y = support(told=1)
    assert (grow(X, y).without(row_hash(X[:1])[0]).log_odds(X, X) == 0).all()


def test_a_confirmed_row_is_judged_by_all_trees_unless_it_is_blind_to_its_label():
    X, _, y = support(told=3)
    y[100] = 0
    forest = grow(X, y)
    told, blind = forest.log_odds(X, X), forest.log_odds(X, X, blind=True)
    unlabelled = y == -1
    assert np.array_equal(told[unlabelled], blind[unlabelled])
    assert (told[:3] > blind[:3]).all()
    assert told[:3].min() > told[unlabelled].max()
    assert told[100] < blind[100] or blind[100] == told[100]
