"""Both doors to PyOD."""

import pickle
import sys
import warnings

import numpy as np
import pytest
from pyod.models.base import BaseDetector
from pyod.models.cblof import CBLOF
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import NotFittedError

from outlearn.detectors import pyod as facade
from outlearn.detectors.pyod import from_pyod, to_pyod
from outlearn.errors import InputError, LabelError, MissingExtraError, ParameterError


class Distance(BaseEstimator):
    """The least that `to_pyod` asks for: the share of support rows nearer to the origin, and a cut."""

    def __init__(self, cut=0.95):
        self.cut = cut

    def fit(self, X, y=None):
        self.radii_ = np.sort(np.linalg.norm(X, axis=1))
        self.y_ = y
        return self

    def anomaly_score(self, X):
        return np.searchsorted(self.radii_, np.linalg.norm(X, axis=1)) / len(self.radii_)

    def predict(self, X):
        return np.where(self.anomaly_score(X) >= self.cut, -1, 1)


class Plain:
    """Not a scikit-learn estimator, and with a threshold of its own."""

    threshold_ = 0.5

    def fit(self, X, y=None):
        return self

    def anomaly_score(self, X):
        return np.clip(np.abs(X[:, 0]), 0, 1)

    def predict(self, X):
        return np.where(self.anomaly_score(X) >= self.threshold_, -1, 1)


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(120, 3)).astype(np.float32)


@pytest.fixture
def new():
    return np.r_[np.random.default_rng(1).normal(size=(20, 3)), [[9, 9, 9]]].astype(np.float32)


def fit(entry, X, y=None, seed=0, **params):
    return entry.fit(X, y, np.random.default_rng(seed), params)


# ---- PyOD model → pool entry


def test_a_pyod_model_scores_as_in_pyod(X, new):
    model = KNN(n_neighbors=7)
    wanted = KNN(n_neighbors=7).fit(X.astype(np.float64)).decision_function(new.astype(np.float64))
    assert fit(from_pyod(model), X).score(new) == pytest.approx(wanted)
    assert not hasattr(model, "decision_scores_")


def test_a_pyod_model_can_be_standardised(X, new):
    units = np.array([1, 1024, 1 / 64], dtype=np.float32)
    entry = from_pyod(KNN(), standardise=True)
    assert fit(entry, X * units).score(new * units) == pytest.approx(fit(entry, X).score(new), rel=1e-6)


def test_a_pyod_model_takes_its_seed_from_the_generator(X, new):
    entry = from_pyod(IForest(n_estimators=10))
    first, again, other = (fit(entry, X, seed=seed).score(new) for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


@pytest.mark.parametrize("model", [ECOD, COPOD])
def test_a_model_whose_scores_depend_on_the_batch_is_refused(model, X):
    with pytest.raises(InputError, match="differently alone"):
        fit(from_pyod(model()), X)


def test_what_pyod_refuses_is_told_in_one_line():
    model = CBLOF(n_clusters=200)
    with pytest.raises(InputError, match="PyOD's CBLOF cannot be fitted"):
        fit(from_pyod(model), np.random.default_rng(0).normal(size=(30, 3)))


def test_an_entry_made_from_a_model_checks_as_the_pool_does(X):
    entry = from_pyod(KNN())
    with pytest.raises(ParameterError, match="allowed: none"):
        fit(entry, X, k=3)
    with pytest.raises(LabelError):
        fit(entry, X, np.full(len(X), 7))


# ---- our estimator → PyOD detector


def test_an_estimator_becomes_a_pyod_detector(X, new):
    detector = to_pyod(Distance()).fit(X)
    assert isinstance(detector, BaseDetector)
    own = Distance().fit(X)
    assert (detector.decision_scores_ == own.anomaly_score(X)).all()
    assert (detector.decision_function(new) == own.anomaly_score(new)).all()
    assert (detector.labels_ == (own.predict(X) == -1)).all()
    assert (detector.predict(new) == (own.predict(new) == -1)).all()
    assert detector.predict(new)[-1] == 1 and set(detector.predict(new)) == {0, 1}


@pytest.mark.parametrize("estimator", [Distance(), Distance(cut=2.0), Distance(cut=-1.0), Plain()])
def test_labels_are_the_scores_above_the_threshold(estimator, X):
    detector = to_pyod(estimator).fit(X)
    assert (detector.labels_ == (detector.decision_scores_ > detector.threshold_)).all()
    assert (detector.fit_predict(X) == detector.labels_).all()
    assert detector.contamination == detector.labels_.mean()


def test_an_own_threshold_holds_for_new_rows():
    detector = to_pyod(Plain()).fit(np.zeros((4, 1)))
    assert detector.predict(np.array([[0.5], [0.49]])).tolist() == [1, 0]
    assert (np.array([0.5, 0.49]) > detector.threshold_).tolist() == [True, False]


@pytest.mark.parametrize("method", ["linear", "unify"])
def test_probabilities_follow_the_scores(method, X, new):
    detector = to_pyod(Distance()).fit(X)
    chance = detector.predict_proba(new, method=method)
    assert chance.shape == (len(new), 2) and chance.sum(axis=1) == pytest.approx(1)
    order = np.argsort(detector.decision_function(new), kind="stable")
    assert (np.diff(chance[order, 1]) >= 0).all()


def test_confidence_comes_with_predictions(X, new):
    labels, confidence = to_pyod(Distance()).fit(X).predict(new, return_confidence=True)
    assert labels.shape == confidence.shape == (len(new),)
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_labels_reach_the_estimator(X):
    y = np.where(np.arange(len(X)) < 3, 1, -1)
    assert (to_pyod(Distance()).fit(X, y).detector_.y_ == y).all()


def test_the_wrapped_estimator_stays_unfitted(X):
    own = Distance()
    to_pyod(own).fit(X)
    assert not hasattr(own, "radii_")


def test_a_detector_is_cloned_set_and_pickled(X, new):
    detector = to_pyod(Distance()).fit(X)
    copy = clone(detector).set_params(detector__cut=0.5).fit(X)
    assert copy.labels_.sum() > detector.labels_.sum()
    again = pickle.loads(pickle.dumps(detector))
    assert (again.decision_function(new) == detector.decision_function(new)).all()
    assert type(detector) is facade.PyODDetector


@pytest.mark.parametrize("method", ["predict", "decision_function", "predict_proba"])
def test_an_unfitted_detector_says_so(method, X):
    with pytest.raises(NotFittedError):
        getattr(to_pyod(Distance()), method)(X)


def test_other_names_are_not_in_the_module():
    with pytest.raises(AttributeError, match="no attribute 'PyODModel'"):
        _ = facade.PyODModel


def test_a_missing_pyod_is_named_with_its_extra(monkeypatch):
    facade._detector_class.cache_clear()
    monkeypatch.setitem(sys.modules, "pyod.models.base", None)
    with pytest.raises(MissingExtraError, match=r"outlearn\[pyod\]"):
        to_pyod(Distance())
    facade._detector_class.cache_clear()


@pytest.mark.parametrize(("category", "heard"), [("DeprecationWarning", 0), ("RuntimeWarning", 1)])
def test_loading_pyod_silences_deprecations_and_nothing_else(category, heard, tmp_path, monkeypatch):
    (tmp_path / f"raises_{category}.py").write_text(f"import warnings\nwarnings.warn('!', {category})\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(facade, "require", lambda module, extra: __import__(f"raises_{category}"))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        facade._load("base")
    assert len(seen) == heard
