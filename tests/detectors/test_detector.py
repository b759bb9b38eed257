"""What the learnt detector does beyond the checks that all detectors meet; and detectors by name."""

import shutil

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from outlearn.detectors import LEARNERS, POOL, ClassicalDetector, Detector, make_detector
from outlearn.errors import LabelError, ParameterError, WeightsError
from outlearn.weights.checkpoint import shipped


def table(seed=0):
    """150 normal rows, then two kinds of anomalies, 8 rows each."""
    rng = np.random.default_rng(seed)
    kinds = [rng.normal(size=(8, 5)) * 0.4 + odd for odd in ([2.2, 2.2, 0, 0, 0], [0, 0, -2.2, 2.2, 0])]
    return np.vstack([rng.normal(size=(150, 5)), *kinds])


def like_the_first(seed=5):
    return np.random.default_rng(seed).normal(size=(10, 5)) * 0.4 + [2.2, 2.2, 0, 0, 0]


@pytest.fixture(scope="module")
def fitted():
    return Detector(random_state=0).fit(table())


@pytest.mark.parametrize("seed", [0, 1])
def test_labelled_anomalies_and_their_like_move_up(seed):
    X, like = table(seed), like_the_first()
    detector = Detector(random_state=0).fit(X)
    before, others = detector.anomaly_score(X), detector.anomaly_score(like)
    detector = detector.update(X[150:152], [1, 1])
    after = detector.anomaly_score(X)
    assert (after[150:152] > before[150:152]).all()
    assert (detector.anomaly_score(like) > others).mean() >= 0.9
    kind = np.r_[np.zeros(150), np.ones(6)]
    rest = np.r_[0:150, 152:158]
    assert roc_auc_score(kind, after[rest]) > roc_auc_score(kind, before[rest])


@pytest.mark.parametrize("contamination", ["auto", 0.1])
def test_labels_given_at_once_equal_labels_given_by_and_by(contamination):
    X = table()
    y = np.full(len(X), -1)
    y[[150, 158]], y[:3] = 1, 0
    once, steps = (Detector(contamination=contamination, random_state=0) for _ in range(2))
    once.fit(X, y)
    steps = steps.fit(X).update(X[:3], np.zeros(3)).update(X[150:151], [1])
    steps = steps.update(X, np.where(np.arange(len(X)) == 158, 1, -1))
    assert np.array_equal(once.anomaly_score(X), steps.anomaly_score(X))
    assert once.support_y_.tolist().count(1) == 2 and once.support_y_.tolist().count(0) == 3


def test_a_clean_support_is_told_from_one_that_may_hold_anomalies():
    X, y = table()[:150], np.zeros(150)
    like = like_the_first()
    known, unknown = Detector(random_state=0).fit(X, y), Detector(random_state=0).fit(X)
    assert (known.anomaly_score(like) != unknown.anomaly_score(like)).all()
    assert known.contamination_ < Detector(random_state=0).fit(table()).contamination_


def test_only_known_anomalies_are_a_support_too():
    detector = Detector(random_state=0).fit(like_the_first(), np.ones(10))
    assert np.isfinite(detector.anomaly_score(table())).all()


def test_another_checkpoint_is_used_when_named(fitted, tmp_path):
    copy = tmp_path / "own.safetensors"
    shutil.copy(shipped("profiles"), copy)
    for path in (copy, str(copy)):
        other = Detector(weights=path, random_state=0).fit(table())
        assert np.array_equal(other.anomaly_score(table()), fitted.anomaly_score(table()))


@pytest.mark.parametrize("content", [None, b"", b"nothing of the kind"])
def test_a_checkpoint_that_cannot_be_used_is_named(content, tmp_path):
    path = tmp_path / "own.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"own\.safetensors"):
        Detector(weights=path).fit(table())


@pytest.mark.parametrize(
    ("detector", "words"),
    [
        (Detector("mamma"), "learner is 'mamma'; wanted one of profiles, incontext, maml, "),
        (Detector(["maml"]), "learner is "),
        (Detector(None), "learner is None"),
        (Detector(weights=5), "weights is 5"),
        (Detector(random_state="x"), "random_state is 'x'"),
        (Detector(random_state=-1), "random_state is -1"),
        (ClassicalDetector("knnn"), "algorithm is 'knnn'; wanted one of bagged_trees, "),
        (ClassicalDetector([]), "algorithm is "),
        (ClassicalDetector("knn", params={"q": 1}), "no parameter named 'q'"),
        (ClassicalDetector("knn", params={"k": 0}), "k=0 is not usable"),
        (ClassicalDetector("knn", params=5), "params is 5"),
    ],
    ids=str,
)
def test_a_parameter_outside_its_values_is_refused_in_fit(detector, words):
    with pytest.raises(ParameterError, match=words):
        detector.fit(table())


def test_parameters_reach_the_algorithm():
    X = table()
    near, far = (ClassicalDetector("knn", params={"k": k}).fit(X) for k in (1, 60))
    assert not np.array_equal(near.support_scores_, far.support_scores_)


def test_a_learner_of_labels_says_that_it_needs_some():
    with pytest.raises(LabelError, match="label some anomalies 1"):
        ClassicalDetector("bagged_trees").fit(table())


def test_an_algorithm_without_labels_leaves_known_anomalies_out():
    X = table()
    y = np.where(np.arange(len(X)) < 150, -1, 1)
    informed, blind = (ClassicalDetector("knn").fit(X, labels) for labels in (y, None))
    rows = informed.encoder_.transform(X).values[150:]
    assert (informed.scorer_.score(rows) > blind.scorer_.score(rows)).all()


@pytest.mark.parametrize("name", [*LEARNERS, *POOL])
def test_each_name_makes_its_detector(name):
    detector = make_detector(name, contamination=0.1)
    assert detector.contamination == 0.1
    assert isinstance(detector, Detector if name in LEARNERS else ClassicalDetector)
    assert name in (getattr(detector, "learner", None), getattr(detector, "algorithm", None))


def test_an_unknown_name_is_refused_with_those_that_exist():
    with pytest.raises(
        ParameterError, match="no detector is called 'nope'; there are profiles, incontext, maml, "
    ):
        make_detector("nope")


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_a_known_share_sets_the_level_and_not_the_order(fitted, share):
    X = table()
    shifted = Detector(contamination=share, random_state=0).fit(X)
    assert shifted.support_scores_.mean() == pytest.approx(share, abs=0.01)
    assert (shifted.anomaly_score(X).argsort() == fitted.anomaly_score(X).argsort()).all()
    y = np.full(len(X), -1)
    y[150:154] = 1
    labelled = Detector(contamination=share, random_state=0).fit(X, y)
    unknown = labelled.support_scores_[labelled.support_y_ == -1]
    assert unknown.mean() == pytest.approx(share, abs=0.01)


def test_uncertainty_grows_as_the_support_shrinks():
    X = np.random.default_rng(0).normal(size=(400, 5))
    uncertainties = [Detector(random_state=0).fit(X[:n]).uncertainty_ for n in (400, 40, 20, 10, 5)]
    assert uncertainties == sorted(uncertainties) and 0 < uncertainties[0] < uncertainties[-1] <= 1
    assert np.isnan(Detector("protonet").fit(X[:40]).uncertainty_)


def test_a_doubt_is_told_of_few_rows_of_strange_ones_and_of_ranks_that_tell_nothing(fitted):
    X = np.random.default_rng(0).normal(size=(200, 5))
    assert fitted.doubt_ == ""
    for make in (Detector, ClassicalDetector):
        assert "only 12 rows" in make(random_state=0).fit(X[:12]).doubt_
        assert make(random_state=0).fit(X).doubt_ == ""
    few = Detector(random_state=0).fit(X[:20]).doubt_
    assert "from 20 rows" in few and "hardly better than by chance" in few
    strange = np.arange(2000)[:, None] * np.ones((1, 50))  # one column fifty times, each value once
    assert "unlike those that the model learnt from" in Detector(random_state=0).fit(strange).doubt_


def test_more_rows_are_compared_with_where_all_are_known_to_be_normal():
    X = np.random.default_rng(0).normal(size=(9000, 2))
    sizes = [len(ClassicalDetector("pca").fit(X, y).support_) for y in (None, np.zeros(len(X)))]
    assert sizes == [5000, 8192]
