"""Every public detector meets every check, ours and scikit-learn's."""

import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

from outlearn.detectors import POOL, ClassicalDetector, Committee, Detector
from outlearn.detectors.pyod import to_pyod
from outlearn.errors import InputError, LabelError
from outlearn.learners.catalogue import CATALOGUE
from outlearn.weights.checkpoint import shipped

# Forests smaller still than in other tests, but for the default, for hundreds of fits are made here.
pytestmark = pytest.mark.usefixtures("few_trees")

suite = runpy.run_path(str(Path(__file__).with_name("checks.py")))
Case, yield_checks = suite["Case"], suite["yield_checks"]

# Quicker, no other reason.
QUICK = {
    **{name: {"trees": 8} for name in ("iforest", "cleaned_knn", "bagged_trees")},
    **{name: {"starts": 2} for name in ("kmeans", "cblof")},
}
KNOWN = {
    "mcd": {
        "check_two_rows": "a covariance of half the rows needs more rows than columns: refused",
        "check_more_columns_than_rows": "a covariance of half the rows needs more rows than columns: refused",
    },
}


def classical(name):
    make = partial(ClassicalDetector, name, params=QUICK.get(name))
    return Case(name, make, needs_labels=POOL[name].needs_labels, known_failures=KNOWN.get(name, {}))


def facade(name, **options):
    return to_pyod(ClassicalDetector(name, **options))


CASES = [
    *(Case(name, partial(Detector, name)) for name in CATALOGUE if shipped(name).is_file()),
    *map(classical, POOL),
    Case("committee", partial(Committee, ("knn", "protonet"))),
    Case("PyOD facade of knn", partial(facade, "knn"), estimator=False),
    Case("PyOD facade of ecod", partial(facade, "ecod"), estimator=False),
]


def every_check():
    for case in CASES:
        for name, check in yield_checks(case):
            reason = case.known_failures.get(name)
            marks = () if reason is None else pytest.mark.xfail(raises=InputError, strict=True, reason=reason)
            yield pytest.param(case, check, id=f"{case.name}-{name.removeprefix('check_')}", marks=marks)


@pytest.mark.parametrize(("case", "check"), list(every_check()))
def test_a_detector_meets_each_check(case, check, request):
    if case.name == "profiles":  # which meets them as it ships
        request.getfixturevalue("shipped_forests")
    check(case)


def test_no_known_failure_is_of_a_check_that_does_not_exist():
    assert set(KNOWN) <= set(POOL)
    names = {name for case in CASES for name, _ in yield_checks(case)}
    assert all(check in names for known in KNOWN.values() for check in known)


# ---- scikit-learn's own checks. Many give class numbers such as 2 and 3 as y, which are no labels of ours.


class Unlabelled:
    """A detector that does not look at y."""

    def fit(self, X, y=None):
        return super().fit(X)


class OneLabel:
    """A detector whose first row is a known anomaly, whatever y says."""

    def fit(self, X, y=None):
        rows = np.asarray(X)
        return super().fit(X, [1, *[-1] * (len(rows) - 1)] if rows.ndim else None)


class UnlabelledDetector(Unlabelled, Detector):
    pass


class UnlabelledClassical(Unlabelled, ClassicalDetector):
    pass


class OneLabelClassical(OneLabel, ClassicalDetector):
    pass


def without_labels():
    for name in ("profiles", "maml", "protonet"):  # the estimator is the same for all
        yield UnlabelledDetector(name)
    for name in ("knn", "lof", "iforest", "ecod", "pca", "bagged_trees"):  # the estimator is the same for all
        kind = OneLabelClassical if POOL[name].needs_labels else UnlabelledClassical
        yield kind(name, params=QUICK.get(name))


# The blobs of these checks hold no anomaly, and scikit-learn wants one flagged. The default flags none there.
ONE_IS_FLAGGED = {"check_outliers_fit_predict", "check_outliers_train"}
NONE_STANDS_OUT = "where no row stands out the default flags none; with a share to flag it meets the check"


# What these checks meet is the code of two classes: of each class some are checked every day, and those that
# give it another learner or algorithm in the long run. Checks of our own are met by all of them every day.
DAILY = ("profiles", "protonet", "knn", "iforest")


def scikit_learn_checks():
    for estimator in without_labels():
        label = getattr(estimator, "algorithm", None) or estimator.learner
        for one, check in estimator_checks_generator(estimator):
            name = getattr(check, "func", check).__name__
            marks = [] if label in DAILY else [pytest.mark.long]
            if label == "profiles" and name in ONE_IS_FLAGGED:
                marks.append(pytest.mark.xfail(reason=NONE_STANDS_OUT, strict=True))
            yield pytest.param(one, check, id=f"{label}-{name.removeprefix('check_')}", marks=marks)
    for one, check in estimator_checks_generator(UnlabelledDetector(contamination=0.05)):
        name = getattr(check, "func", check).__name__
        if name in ONE_IS_FLAGGED:
            yield pytest.param(one, check, id=f"share-{name.removeprefix('check_')}")


@pytest.mark.parametrize(("estimator", "check"), list(scikit_learn_checks()))
def test_a_detector_meets_each_check_of_scikit_learn(estimator, check, request):
    if getattr(estimator, "learner", "") == "profiles":
        request.getfixturevalue("shipped_forests")
    check(estimator)


REFUSED = {
    "check_classifier_data_not_an_array",
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_fit_returns_self",
    "check_estimators_overwrite_params",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature",
    "check_fit2d_predict1d",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in_after_fitting",
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
}


def origins(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def test_with_a_share_to_flag_the_blobs_of_scikit_learn_are_parted():
    """Rows that stand out are flagged and no others; where none does, none is."""
    X, _ = make_blobs(n_samples=300, random_state=0)
    assert (Detector(contamination=0.05, random_state=0).fit_predict(X) == -1).sum() == 15
    assert (Detector(random_state=0).fit_predict(X) == -1).mean() <= 0.005
    odd = np.vstack([X, [[20.0, 20.0], [-15.0, 0.0]]])
    assert np.flatnonzero(Detector(random_state=0).fit_predict(odd) == -1).tolist() == [300, 301]


@pytest.mark.parametrize("estimator", [Detector(), ClassicalDetector("knn")], ids=["Detector", "knn"])
def test_with_their_labels_nothing_fails_but_for_values_that_are_no_labels(estimator):
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    if isinstance(estimator, Detector):
        assert all(failed.pop(name, None) for name in ONE_IS_FLAGGED), NONE_STANDS_OUT
    assert set(failed) == REFUSED, "each gives y other values than 1, 0 and -1"
    for error in failed.values():
        refusal = [one for one in origins(error) if isinstance(one, LabelError)]
        assert refusal and "wanted 1 (anomaly), 0 (normal) or -1 (unlabelled)" in str(refusal[0])
