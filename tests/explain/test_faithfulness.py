from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from outlearn.errors import InputError
from outlearn.explain import explain_rows, faithfulness


def forest(support):
    fitted = IsolationForest(n_estimators=50, random_state=0).fit(support)
    return lambda rows: -fitted.score_samples(rows)


def neighbours(support):
    fitted = NearestNeighbors(n_neighbors=10).fit(support)
    return lambda rows: fitted.kneighbors(rows)[0].mean(axis=1)


@pytest.fixture(scope="module")
def tumours():
    x, y = load_breast_cancer(return_X_y=True)
    x = StandardScaler().fit(x[y == 1]).transform(x).astype(np.float32)
    return x[y == 1], x[y == 0]


@pytest.mark.parametrize("make", [forest, neighbours])
def test_named_columns_lower_the_score_more_than_random_ones_on_real_rows(tumours, make):
    support, odd = tumours
    score = make(support)
    common = {
        "score": score,
        "support": support,
        "support_scores": score(support),
        "groups": [[i] for i in range(support.shape[1])],
    }
    rows = odd[:30]
    measured = faithfulness(rows, explain_rows(rows, **common), **common)
    assert measured.named > 1.5 * max(measured.random, 0)
    assert measured.share > 0.8
    assert measured.p_value < 1e-3


@pytest.mark.parametrize("make", [forest, neighbours])
def test_planted_columns_are_named_among_the_first(make):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(530, 12))
    x[:, 1:6] = x[:, :1] + 0.5 * x[:, 1:6]
    x = x.astype(np.float32)
    support, rows = x[:500], x[500:].copy()
    planted = np.array([rng.choice(12, size=2, replace=False) for _ in rows])
    np.put_along_axis(rows, planted, 6.0 * rng.choice([-1, 1], size=planted.shape), axis=1)
    score = make(support)
    common = {
        "score": score,
        "support": support,
        "support_scores": score(support),
        "groups": [[i] for i in range(12)],
    }
    explained = explain_rows(rows, **common)
    hits = [set(c.columns[:3]) >= set(p) for c, p in zip(explained, planted.tolist(), strict=True)]
    assert np.mean(hits) >= 0.85
    assert faithfulness(rows, explained, **common, k=2).p_value < 1e-3


def test_explanations_that_name_random_columns_do_not_pass(world, draw):
    rows = draw(np.random.default_rng(1), 40)
    rows[:, 2] += 6
    rng = np.random.default_rng(2)
    lies = [replace(c, columns=rng.permutation(6)) for c in explain_rows(rows, **world.common)]
    assert faithfulness(rows, lies, **world.common, k=1).p_value > 0.05
    worst = [replace(c, columns=c.columns[::-1]) for c in explain_rows(rows, **world.common)]
    measured = faithfulness(rows, worst, **world.common, k=1)
    assert measured.named < measured.random


def test_the_measure_repeats_and_handles_no_difference(world, draw):
    rows = draw(np.random.default_rng(3), 5) * 3
    explained = explain_rows(rows, **world.common)
    measured = [faithfulness(rows, explained, **world.common, random_state=1) for _ in range(2)]
    assert measured[0] == measured[1]
    everything = faithfulness(rows, explained, **world.common, k=6)
    assert everything.named == pytest.approx(everything.random)
    flat = {**world.common, "score": lambda rows: np.zeros(len(rows))}
    assert faithfulness(rows, explain_rows(rows, **flat), **flat).share == 0.0
    with pytest.raises(InputError, match="one a row"):
        faithfulness(rows, explained[:2], **world.common)
