"""Declared spaces, and how a configuration becomes an estimator."""

import sys

import numpy as np
import pytest
from sklearn.base import OutlierMixin
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from outlearn.errors import MissingExtraError, ParameterError
from outlearn.tuning.space import DETECTORS, configurations, default, named, spec_of, vectors
from outlearn.tuning.trials.candidate import fitted, recognise, scores

CLASSICAL = ("iforest", "lof", "ocsvm", "kmeans", "knn")


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    usual, odd = rng.normal(size=(150, 4)), rng.normal(size=(20, 4)) * 6
    return usual, np.concatenate([rng.normal(size=(60, 4)), odd]), np.repeat([0, 1], [60, 20])


@pytest.mark.parametrize("name", DETECTORS)
def test_configurations_differ_begin_with_the_default_and_repeat_with_the_seed(name):
    drawn = configurations(name, 12, seed=3)
    assert drawn[0] == default(name)
    assert len({str(sorted(c.items())) for c in drawn}) == 12
    assert drawn == configurations(name, 12, seed=3)
    assert drawn[1:] != configurations(name, 12, seed=4)[1:]
    assert all(type(value) in (int, float, str, bool) for c in drawn for value in c.values())


@pytest.mark.parametrize("name", CLASSICAL)
def test_every_configuration_fits_and_high_scores_are_abnormal(name, rows):
    usual, query, truth = rows
    areas = []
    for config in configurations(name, 12):
        pipeline = fitted(config, usual)
        numbers = scores(pipeline, query)
        assert np.isfinite(numbers).all()
        assert np.array_equal(numbers, scores(fitted(config, usual), query))
        areas.append(roc_auc_score(truth, numbers))
    assert areas[0] > 0.9
    assert np.mean(areas) > 0.75


@pytest.mark.parametrize(
    ("name", "widths", "activation"),
    [
        ("autoencoder", "hidden_neuron_list", "hidden_activation_name"),
        ("deepsvdd", "hidden_neurons", "hidden_activation"),
    ],
)
def test_networks_take_the_architecture(name, widths, activation, rows):
    usual, query, _ = rows
    config = {**default(name), "depth": 3, "width": 16, "activation": "tanh", "dropout": 0.1, "epochs": 2}
    pipeline = fitted(config, usual)
    made = pipeline.steps[-1][1]
    assert getattr(made, widths) == [16, 8, 4]
    assert (getattr(made, activation), made.dropout_rate) == ("tanh", 0.1)
    assert np.isfinite(scores(pipeline, query)).all()


def test_settings_that_mean_something_relative_to_a_table_are_settled_there(rows):
    usual = rows[0]
    few = usual[:10]
    assert fitted({**default("lof"), "neighbours": 200}, few).steps[-1][1].n_neighbors == 9
    assert fitted({**default("iforest"), "max_samples": 1000}, few).steps[-1][1].max_samples == 10
    boundary = fitted({**default("ocsvm"), "width": 2.0}, usual).steps[-1][1]
    plain = make_pipeline(StandardScaler(), OneClassSVM(gamma="scale", nu=0.5)).fit(usual)
    assert boundary.gamma == pytest.approx(2 * plain.steps[-1][1]._gamma)
    twice = fitted({**default("ocsvm"), "scale": "minmax", "width": 1.0}, usual * 100)
    assert twice.steps[-1][1].gamma == pytest.approx(
        fitted({**default("ocsvm"), "scale": "minmax", "width": 1.0}, usual).steps[-1][1].gamma
    )


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (IsolationForest(), "iforest"),
        (LocalOutlierFactor(), "lof"),
        (OneClassSVM(), "ocsvm"),
        (KMeans(), "kmeans"),
        ("knn", "knn"),
    ],
)
def test_estimators_and_names_are_recognised(estimator, name):
    assert recognise(estimator)[0] == name


def test_those_of_pyod_and_subclasses_are_recognised():
    from pyod.models.iforest import IForest
    from pyod.models.lof import LOF

    class Ours(IsolationForest):
        pass

    assert [recognise(model)[0] for model in (IForest(), LOF(), Ours())] == ["iforest", "lof", "iforest"]


@pytest.mark.parametrize(
    "estimator",
    [RandomForestClassifier(), "forest", object(), IsolationForest],
    ids=["forest", "name", "object", "class"],
)
def test_what_has_no_space_is_refused_with_what_has(estimator):
    with pytest.raises(ParameterError, match=r"iforest.*kmeans.*lof.*ocsvm"):
        recognise(estimator)


def test_an_estimator_of_the_user_keeps_its_other_settings(rows):
    like = IsolationForest(random_state=7, contamination=0.3, n_estimators=3)
    config = {**default("iforest"), "trees": 30}
    made = fitted(config, rows[0], seed=1, like=like).steps[-1][1]
    assert (made.random_state, made.contamination, made.n_estimators) == (7, 0.3, 30)
    assert like.n_estimators == 3 and not hasattr(like, "estimators_")
    pipeline = fitted(default("kmeans"), rows[0], like=KMeans(5))
    assert isinstance(pipeline.steps[-1][1], OutlierMixin)  # k-means by itself calls nothing an outlier
    assert set(pipeline.predict(rows[1])) == {-1, 1}


def test_detectors_of_pyod_score_high_where_abnormal(rows):
    from pyod.models.lof import LOF

    numbers = scores(fitted(default("lof"), rows[0], like=LOF()), rows[1])
    assert roc_auc_score(rows[2], numbers) > 0.9


def test_vectors_tell_configurations_apart_and_stay_in_the_unit_cube():
    configs = [config for name in DETECTORS for config in configurations(name, 6)]
    numbers = vectors(configs)
    assert numbers.min() >= 0 and numbers.max() <= 1
    assert len(np.unique(numbers, axis=0)) == len(configs)
    by_name = [c["detector"] for c in configs]
    assert (numbers[:, : len(DETECTORS)].argmax(1) == [list(DETECTORS).index(n) for n in by_name]).all()
    assert named(configs)[0].startswith("iforest ") and "trees=100" in named(configs)[0]


def test_without_pyod_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyod.models.knn", None)
    with pytest.raises(MissingExtraError, match=r"outlearn\[pyod\]"):
        spec_of("knn").build()


def test_without_configspace_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ConfigSpace", None)
    with pytest.raises(MissingExtraError, match=r"outlearn\[tuning\]"):
        spec_of("lof").configuration_space()
