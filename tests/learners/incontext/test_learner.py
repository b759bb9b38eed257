"""The in-context learner, with the shipped weights where it matters what was learnt."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from outlearn.learners.base import Learned
from outlearn.learners.incontext import learner as module
from outlearn.learners.incontext.learner import InContext, InContextLearned
from outlearn.learners.pretrained import load_incontext


@pytest.fixture(scope="module")
def learned() -> InContextLearned:
    return load_incontext()


def unlabelled(X: np.ndarray) -> np.ndarray:
    return np.full(len(X), -1, dtype=np.int8)


def table(seed: int = 0, n: int = 150) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


def weights(learned: InContextLearned) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in learned.net.state_dict().items()}


def test_far_rows_score_high(learned):
    X = table()
    query = np.vstack([table(1), table(2, n=20) + 6])
    truth = np.r_[np.zeros(150), np.ones(20)]
    assert roc_auc_score(truth, learned.adapt(X, unlabelled(X)).score(query)) > 0.99


def test_labels_raise_rows_like_the_labelled_anomalies(learned):
    """Two mild clusters; once an analyst has named rows of one, rows like them rise more than the other's."""
    rng = np.random.default_rng(0)

    def cluster(side: float, n: int) -> np.ndarray:
        return (rng.normal(size=(n, 4)) * 0.4 + np.array([side, side, 0, 0])).astype(np.float32)

    X = np.vstack([table(n=200), cluster(2.5, 12), cluster(-2.5, 12)])
    y = unlabelled(X)
    before = learned.adapt(X, y)
    y[200:206] = 1
    after = learned.adapt(X, y)
    named, other, usual = cluster(2.5, 40), cluster(-2.5, 40), table(1, n=40)

    def gain(rows: np.ndarray) -> float:
        return float((after.score(rows) - before.score(rows)).mean())

    assert gain(named) > gain(usual)
    assert gain(named) > gain(other)
    assert after.score(named).mean() > after.score(usual).mean() + 1


def test_adapting_and_scoring_change_nothing(learned):
    X, query, before = table(), table(1, n=30), weights(learned)
    y = unlabelled(X)
    y[:3] = 1
    kept = X.copy(), y.copy(), query.copy()
    scorer = learned.adapt(X, y)
    first = scorer.score(query)
    learned.adapt(query, unlabelled(query)).score(X)
    assert np.array_equal(scorer.score(query), first)
    assert weights(learned) == before
    assert all(np.array_equal(a, b) for a, b in zip(kept, (X, y, query), strict=True))


def test_a_row_scores_the_same_alone_in_a_batch_and_in_pieces(learned, monkeypatch):
    X, query = table(), np.vstack([table(1, n=20), table()[:5]])
    scorer = learned.adapt(X, unlabelled(X))
    whole = scorer.score(query)
    alone = [scorer.score(row[None])[0] for row in query]
    monkeypatch.setattr(module, "CHUNK", 7)
    assert np.allclose(whole, alone, atol=1e-4)
    assert np.allclose(whole, scorer.score(query), atol=1e-4)


def test_the_order_of_the_support_does_not_matter(learned):
    X, query = table(), table(1, n=20)
    y = unlabelled(X)
    y[:4], y[20:40] = 1, 0
    order = np.random.default_rng(0).permutation(len(X))
    scores = [learned.adapt(X[rows], y[rows]).score(query) for rows in (np.arange(len(X)), order)]
    assert np.array_equal(*scores)


def test_a_seed_belongs_to_a_copy(learned):
    X, query = table(), table(1, n=20)
    other = learned.seeded(9)
    assert (learned.seed, other.seed, other.net is learned.net) == (0, 9, True)
    scores = [one.adapt(X, unlabelled(X)).score(query) for one in (learned, other, learned.seeded(9))]
    assert not np.array_equal(scores[0], scores[1])
    assert np.array_equal(scores[1], scores[2])


def test_the_same_seed_gives_the_same_network_and_leaves_torch_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    one, same, other = (InContextLearned(InContext(seed=s).network()) for s in (1, 1, 2))
    assert torch.rand(1) == expected
    assert weights(one) == weights(same) != weights(other)


def test_batches_depend_on_seed_and_step_alone_and_an_epoch_shows_each_episode_once():
    learner, bank = InContext(seed=0, batch=3), list(range(10))
    epoch = [learner.batch_at(bank, step) for step in range(3)]
    assert [learner.batch_at(bank, step) for step in (2, 0, 1)] == [epoch[2], epoch[0], epoch[1]]
    assert len({i for batch in epoch for i in batch}) == 9
    assert epoch != [learner.batch_at(bank, step) for step in range(3, 6)]
    assert epoch != [InContext(seed=1, batch=3).batch_at(bank, step) for step in range(3)]


@pytest.mark.usefixtures("few_trees")
def test_meta_fitting_gives_the_same_learner_each_time(sampler):
    learner = InContext(seed=2, epochs=1, batch=2, width=16, latents=4, blocks=1)
    start = weights(InContextLearned(learner.network()))
    one, same = (learner.meta_fit(sampler.episodes(0, 4)) for _ in range(2))
    assert isinstance(one, Learned)
    assert weights(one) == weights(same) != start
