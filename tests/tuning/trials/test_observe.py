"""What is seen of a configuration, and of a table, without labels."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from outlearn.tuning.metafeatures import META_FEATURES, describe
from outlearn.tuning.space import default
from outlearn.tuning.trials.candidate import fitted, scores
from outlearn.tuning.trials.observe import (
    LANDMARKS,
    MEASURES,
    Landmarks,
    Observer,
    TableSample,
    _correlations,
)
from outlearn.tuning.trials.pseudo import KINDS, NEAR, pseudo_anomalies


def table(seed: int = 0, n: int = 200, d: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def blind(rows) -> np.ndarray:
    return np.full(len(rows), -1, dtype=np.int8)


def of(rows) -> np.ndarray:
    return describe(TableSample.of(rows, blind(rows)))


def by_name(observation) -> dict[str, float]:
    return dict(zip(MEASURES, observation.measures, strict=True))


def test_measures_are_finite_named_and_repeat():
    X = table()
    first, again = (Observer(TableSample.of(X, blind(X))).look(default("lof")) for _ in range(2))
    assert first.measures.shape == (len(MEASURES),) and np.isfinite(first.measures).all()
    assert np.array_equal(first.measures, again.measures)
    assert first.precision is None and first.seconds > 0


def test_what_agrees_with_the_landmarks_is_told_from_what_does_not():
    X = np.concatenate([table(), 6 * table(1, 20)])
    observer = Observer(TableSample.of(X, blind(X)))
    good = by_name(observer.look(default("lof")))
    bad = by_name(observer.look({**default("ocsvm"), "kernel": "poly", "degree": 1, "width": 50.0}))
    assert good["agree.incontext"] > 0.7 > bad["agree.incontext"]
    assert good["top10"] > bad["top10"]
    assert good["pseudo.box"] > 0.9


def test_labels_are_judged_on_rows_that_were_not_fitted():
    X = np.concatenate([table(), 6 * table(1, 6)])
    y = np.r_[blind(table()), np.ones(6, dtype=np.int8)]
    good = Observer(TableSample.of(X, y)).look(default("lof"))
    bad = Observer(TableSample.of(X, y)).look({**default("ocsvm"), "kernel": "poly", "degree": 1})
    assert good.precision > 0.9 > bad.precision


def test_scores_that_are_not_finite_are_an_error(monkeypatch):
    from outlearn.tuning.trials import observe

    monkeypatch.setattr(observe, "scores", lambda pipeline, rows: np.full(len(rows), np.nan))
    X = table()
    with pytest.raises(FloatingPointError, match="not finite"):
        Observer(TableSample.of(X, blind(X))).look(default("lof"))


def test_correlations_are_spearmans():
    rng = np.random.default_rng(0)
    a, b = (
        rng.permutation(30).astype(float),
        np.column_stack([rng.permutation(30) for _ in range(3)]).astype(float),
    )
    b[:, 2] = 1.0
    correlations = _correlations(a, b)
    assert correlations[:2] == pytest.approx([spearmanr(a, b[:, j]).statistic for j in range(2)])
    assert correlations[2] == 0


def test_landmarks_follow_the_rows_whatever_their_order():
    X = table(n=80)
    order = np.random.default_rng(1).permutation(len(X))
    one, other = Landmarks.of(X), Landmarks.of(X[order])
    assert one.scores.shape == (80, len(LANDMARKS))
    np.testing.assert_allclose(other.scores, one.scores[order], atol=1e-5)


def test_pseudo_anomalies_are_as_their_kind_says():
    X = table(n=400, d=5).astype(np.float64) * [1, 10, 100, 1, 1] + 7
    made = pseudo_anomalies(X, 50, np.random.default_rng(0))
    assert list(made) == list(KINDS)
    assert all(rows.shape == (50, 5) and np.isfinite(rows).all() for rows in made.values())
    for name in ("permuted", "crossed"):
        assert all(np.isin(column, values).all() for column, values in zip(made[name].T, X.T, strict=True))
        assert not (made[name][:, None] == X[None]).all(axis=2).any(axis=1).all()
    scale = X.std(axis=0)
    search = NearestNeighbors(n_neighbors=1).fit(X / scale)
    near = [search.kneighbors(made[f"local{reach}"] / scale)[0].mean() for reach in (1, 2, 4)]
    usual = NearestNeighbors(n_neighbors=NEAR + 1).fit(X / scale).kneighbors(X / scale)[0][:, -1].mean()
    assert near[0] < near[1] < near[2] and near[0] < 1.2 * usual
    spread = made["group"].std(axis=0) / scale
    assert (spread < 0.6).all()
    pipeline = fitted(default("lof"), X)
    area = roc_auc_score(
        np.repeat([0, 1], [400, 50]), np.r_[scores(pipeline, X), scores(pipeline, made["shifted"])]
    )
    assert area > 0.8


@pytest.mark.parametrize("rows", [np.zeros((5, 3)), np.ones((2, 1)), np.eye(4)], ids=["zeros", "ones", "eye"])
def test_pseudo_anomalies_of_poor_tables_are_finite(rows):
    for made in pseudo_anomalies(rows, 10, np.random.default_rng(0)).values():
        assert np.isfinite(made).all()


def test_meta_features_do_not_depend_on_order_or_units():
    X = table(n=150) ** 3
    features = of(X)
    assert features.shape == (len(META_FEATURES),) and np.isfinite(features).all()
    np.testing.assert_allclose(of(X[np.random.default_rng(0).permutation(len(X))]), features, atol=1e-4)
    scaled = X * np.array([8, 1, 0.5, 2], dtype=np.float32)
    np.testing.assert_allclose(of(scaled), features, atol=0.02)
    turned = np.ascontiguousarray(X[:, ::-1])  # an isolation forest draws columns by their place
    np.testing.assert_allclose(of(turned), features, atol=0.1)


def test_meta_features_tell_what_they_say():
    def named(rows):
        return dict(zip(META_FEATURES, of(np.asarray(rows, dtype=np.float32)), strict=True))

    rng = np.random.default_rng(0)
    line = rng.normal(size=(300, 1)) @ rng.normal(size=(1, 6)) + 1e-3 * rng.normal(size=(300, 6))
    cube = rng.uniform(size=(300, 6))
    assert named(line)["intrinsic"] < named(cube)["intrinsic"]
    assert np.exp(named(rng.uniform(size=(1000, 2)))["intrinsic"]) == pytest.approx(2, rel=0.15)
    assert named(line)["correlation"] > 0.9 > 0.2 > named(cube)["correlation"]
    assert named(line)["directions"] < named(cube)["directions"]
    assert named(rng.integers(0, 3, size=(200, 4)))["discrete"] == 1 > named(cube)["discrete"]
    assert named(np.repeat(cube[:50], 2, axis=0))["copies"] == pytest.approx(0.5)
    assert named(np.exp(2 * rng.normal(size=(300, 3))))["skewness"] > named(cube)["skewness"]


@pytest.mark.parametrize(
    "rows", [np.zeros((5, 3)), np.ones((2, 1)), np.eye(6)[:3]], ids=["zeros", "ones", "eye"]
)
def test_poor_tables_are_described_in_finite_numbers(rows):
    assert np.isfinite(of(rows.astype(np.float32))).all()
