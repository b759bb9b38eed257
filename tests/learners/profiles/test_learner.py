"""The default learner, with the shipped weights where it matters what was learnt."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.metrics import roc_auc_score

from outlearn.learners.pretrained import load_learner
from outlearn.learners.profiles import learner as module
from outlearn.learners.profiles.learner import Profiles, ProfilesLearned
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler


@pytest.fixture(scope="module")
def learned() -> ProfilesLearned:
    return load_learner("profiles")


def unlabelled(X: np.ndarray) -> np.ndarray:
    return np.full(len(X), -1, dtype=np.int8)


def table(seed: int = 0, n: int = 150) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


def cluster(side: float, n: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, 4)) * 0.4
    return (rows + np.array([side, side, 0, 0])).astype(np.float32)


def test_adapting_and_scoring_change_nothing(learned):
    X, query = table(), table(1, n=30)
    y = unlabelled(X)
    y[:3] = 1
    before = {name: value.clone() for name, value in learned.net.state_dict().items()}
    scorer = learned.adapt(X, y)
    first = scorer.score(query)
    learned.adapt(query, unlabelled(query)).score(X)
    assert np.array_equal(scorer.score(query), first)
    assert all(value.equal(before[name]) for name, value in learned.net.state_dict().items())


@pytest.mark.parametrize("labels", [(), (1, 1, 0, 0)])
def test_a_row_scores_the_same_alone_in_a_batch_in_pieces_and_in_the_support(learned, labels, monkeypatch):
    X, query = table(), np.vstack([table(1, n=20), table()[:5]])
    y = unlabelled(X)
    y[: len(labels)] = labels
    scorer = learned.adapt(X, y)
    whole = scorer.score(query)
    alone = [scorer.score(row[None])[0] for row in query]
    monkeypatch.setattr(module, "CHUNK", 7)
    assert np.allclose(whole, alone, atol=1e-3)
    assert np.allclose(whole, scorer.score(query), atol=1e-3)
    assert np.allclose(scorer.support_scores[:5], whole[20:], atol=1e-3)


def test_the_order_of_the_support_does_not_matter(learned):
    X, query = table(), table(1, n=20)
    y = unlabelled(X)
    y[:4], y[20:40] = 1, 0
    order = np.random.default_rng(0).permutation(len(X))
    one, other = (learned.adapt(X[rows], y[rows]) for rows in (np.arange(len(X)), order))
    assert np.array_equal(one.score(query), other.score(query))
    assert np.array_equal(one.support_scores[order], other.support_scores)


@pytest.mark.parametrize("reference", [False, True])
def test_a_confirmed_case_rises_and_what_is_like_it_comes_first(learned, reference):
    """One case of a mild kind: itself and its near copies lead, whatever else is odd."""
    usual = table(n=300)
    case = cluster(2.5, 1)
    X = np.vstack([usual, case])
    y = np.r_[np.zeros(300) if reference else np.full(300, -1), 1].astype(np.int8)
    before = (
        learned.adapt(usual, y[:300]).score(case)[0]
        if reference
        else learned.adapt(X, unlabelled(X)).score(case)[0]
    )
    scorer = learned.adapt(X, y)
    near = case + 0.01 * np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    assert scorer.score(case)[0] > before
    assert scorer.score(near).min() > np.quantile(scorer.score(table(1, n=500)), 0.998)
    assert scorer.score(cluster(2.5, 50, 3)).mean() > scorer.score(cluster(-2.5, 50, 3)).mean()


def test_false_alarms_that_are_told_sink(learned):
    X = np.vstack([table(n=300), cluster(4, 8)])
    y = unlabelled(X)
    before = learned.adapt(X, y).score(cluster(4, 20, 5))
    y[300:304] = 0
    assert learned.adapt(X, y).score(cluster(4, 20, 5)).mean() < before.mean()


def test_label_effects_say_which_label_raised_a_row(learned):
    X = np.vstack([table(n=200), cluster(2.5, 3), cluster(-2.5, 3)])
    y = unlabelled(X)
    y[[200, 203]] = 1
    scorer = learned.adapt(X, y)
    effects = scorer.label_effects(cluster(2.5, 20, 3), X[[200, 203]])
    assert effects.shape == (20, 2)
    assert effects[:, 0].mean() > effects[:, 1].mean()
    assert scorer.label_effects(X[:3], X[:0]).shape == (3, 0)


def gains(learned, tasks) -> list[float]:
    """Return what AUROC (support, labels, query, truth) tasks gain over the same code, untrained."""
    start = ProfilesLearned(Profiles(seed=11).network())
    return [
        float(
            np.subtract(*(roc_auc_score(truth, each.adapt(X, y).score(asked)) for each in (learned, start)))
        )
        for X, y, asked, truth in tasks
    ]


@pytest.mark.parametrize("situation", ["normal", "contaminated"])
def test_the_shipped_weights_beat_their_start_without_labels(learned, situation):
    """On synthetic tasks: they learnt from real tables alone."""
    sampler = SyntheticSampler(SamplerConfig(seed=5, support_rows=(200, 300), situations={situation: 1}))
    drawn = [sampler.episode(i) for i in range(24)]
    found = gains(learned, [(e.support_x, e.support_y, e.query_x, e.query_y) for e in drawn])
    assert np.mean(found) > 0.005, found


def class_tasks(situation: str):
    """Yield tasks of bundled sets, of which one class is odd and rare."""
    for load in (load_wine, load_breast_cancer, load_digits):
        rows, classes = load(return_X_y=True)
        for rare in np.unique(classes)[:2]:
            odd = np.flatnonzero(classes == rare)[:15]
            X = np.vstack([rows[classes != rare][:400], rows[odd]]).astype(np.float32)
            yield class_task(X, (np.arange(len(X)) >= len(X) - len(odd)).astype(np.int8), situation)


def class_task(X, truth, situation: str):
    order = np.random.default_rng(0).permutation(len(X))
    X, truth = X[order], truth[order]
    fit = np.arange(len(X)) < len(X) // 2
    odd = np.flatnonzero(truth & fit)
    asked = ~fit
    y = np.full(len(X), -1, dtype=np.int8)
    if situation == "reference and cases":
        y[:] = 0
        fit &= truth == 0
    y[odd[:3]] = 1
    fit[odd[:3]] = True
    return X[fit], y[fit], X[asked], truth[asked]


@pytest.mark.parametrize("situation", ["cases", "reference and cases"])
def test_the_shipped_weights_beat_their_start_with_labels(learned, situation):
    """On bundled sets with a rare class; before training, labels do not move the order."""
    found = gains(learned, class_tasks(situation))
    assert np.mean(found) > 0.02, found


def test_a_clean_table_flags_next_to_nothing():
    """At most .5 % of a Gaussian table without an anomaly, in 95 % of the seeds."""
    from outlearn import Detector

    shares = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(400, int(rng.integers(2, 12))))
        shares.append((Detector(random_state=seed).fit_predict(X) == -1).mean())
    assert np.mean(np.array(shares) <= 0.005) >= 0.95, shares


@pytest.mark.parametrize("count", [2, 4, 8, 16])
@pytest.mark.parametrize("together", [False, True])
def test_a_few_far_rows_are_flagged_and_next_to_no_others(count, together):
    """Rows five standard deviations off in six columns among 400, alone or as a cluster."""
    from outlearn import Detector

    rng = np.random.default_rng(count)
    X = rng.normal(size=(400, 6))
    signs = np.ones(6) if together else rng.choice([-1.0, 1.0], size=(count, 6))
    X[:count] += 5 * signs
    flagged = Detector(random_state=0).fit_predict(X) == -1
    assert flagged[:count].mean() >= 0.75
    assert flagged[count:].sum() <= 2
