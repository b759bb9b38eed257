"""Every name of the pool: against an oracle, and against the promises that all share."""

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pyod.models.cblof import CBLOF
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.hbos import HBOS
from sklearn.cluster import KMeans
from sklearn.covariance import MinCovDet
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from outlearn.detectors.pool import POOL
from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.learners.base import Scorer

naive = runpy.run_path(str(Path(__file__).parents[1] / "naive" / "pool.py"))

NAMES = sorted(POOL)
NEIGHBOURS = {"knn": ("knn_mean", 5), "kth_nn": ("knn_kth", 5), "knn50": ("knn_mean", 50), "lof": ("lof", 20)}
SEED = int(np.random.default_rng(0).integers(2**31 - 1))  # what an entry draws first from generator 0


def rows(n=120, d=4, seed=0):
    """Skewed, correlated rows, a few of them twice."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.exponential(size=(n, d))
    X[-5:] = X[:5]
    return X.astype(np.float32)


def standard(X, support=None):
    reference = np.asarray(X if support is None else support, dtype=np.float64)
    return (np.asarray(X, dtype=np.float64) - reference.mean(axis=0)) / reference.std(axis=0)


def fit(name, X, y=None, seed=0, **params):
    if POOL[name].needs_labels and y is None:
        y = np.full(len(X), -1, dtype=np.int8)
        y[: max(1, len(X) // 40)] = 1
    if params == {} and "trees" in POOL[name].parameters:
        params = {"trees": 30}
    return POOL[name].fit(X, y, np.random.default_rng(seed), params)


# ---- against oracles


@pytest.mark.parametrize("name", sorted(NEIGHBOURS))
@pytest.mark.parametrize("d", [3, 18])
def test_neighbour_detectors_agree_with_their_definition(name, d):
    oracle, k = NEIGHBOURS[name]
    X, new = rows(70, d), np.r_[rows(6, d, seed=1), rows(70, d)[:6]]
    wanted = [naive[oracle](row, standard(X).tolist(), k) for row in standard(new, X).tolist()]
    assert fit(name, X).score(new) == pytest.approx(wanted, rel=1e-9)


def test_lof_agrees_with_scikit_learn():
    X, new = rows(100)[:95], rows(40, seed=1)
    scorer = fit("lof", X, k=10)
    own = LocalOutlierFactor(n_neighbors=10).fit(standard(X))
    others = LocalOutlierFactor(n_neighbors=10, novelty=True).fit(standard(X))
    assert scorer.score(X) == pytest.approx(-own.negative_outlier_factor_, rel=1e-6)
    assert scorer.score(new) == pytest.approx(-others.score_samples(standard(new, X)), rel=1e-6)


@pytest.mark.parametrize(("name", "model"), [("ecod", ECOD), ("copod", COPOD)])
def test_tail_detectors_score_the_support_as_pyod_does(name, model):
    X = rows(150, 5)
    X[:, 0] = np.round(X[:, 0])  # ties
    wanted = model().fit(X.astype(np.float64)).decision_scores_
    assert fit(name, X).score(X) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("name", ["ecod", "copod"])
def test_tail_detectors_judge_new_rows_by_the_support_alone(name):
    X, new = rows(60), rows(20, seed=1) * 2
    wanted = [naive["tails"](row, X.tolist(), name) for row in new.tolist()]
    assert fit(name, X).score(new) == pytest.approx(wanted, rel=1e-9)


def test_a_symmetric_column_adds_both_tails():
    X = np.array([[-1.0], [0.0], [0.0], [1.0]], dtype=np.float32)
    both = -np.log(1 / 4) - np.log(4 / 4)
    assert fit("copod", X).score(X[:1]) == pytest.approx([both])


def test_hbos_scores_as_pyod_does_away_from_the_edges_of_bins():
    X, new = rows(150), rows(60, seed=1) * 2
    model = HBOS(n_bins=7).fit(standard(X))
    scorer = fit("hbos", X, bins=7)
    assert scorer.score(X) == pytest.approx(model.decision_scores_)
    assert scorer.score(new) == pytest.approx(model.decision_function(standard(new, X)))


def test_hbos_counts_a_value_on_an_edge_once_and_in_its_own_bin():
    values = np.arange(-2, 3)[:, None].astype(np.float32)
    X = np.repeat(values, [1, 3, 6, 3, 1], axis=0)  # mean 0, deviation 1: standardising changes nothing
    wanted = -np.log2(np.array([1, 3, 6, 4]) / 14 + 0.1)[[0, 1, 2, 3, 3]]
    assert fit("hbos", X, bins=4).score(values) == pytest.approx(wanted)


@pytest.mark.parametrize("params", [{}, {"alpha": 0.6}, {"beta": 1.5}, {"alpha": 0.999, "beta": 1.2}])
def test_cblof_scores_as_pyod_does(params):
    X, new = rows(150), rows(30, seed=1)
    model = CBLOF(n_clusters=5, random_state=SEED, **params).fit(standard(X))
    scorer = fit("cblof", X, clusters=5, starts=1, **params)
    assert scorer.score(X) == pytest.approx(model.decision_scores_)
    assert scorer.score(new) == pytest.approx(model.decision_function(standard(new, X)))


def test_kmeans_scores_as_scikit_learn_does():
    X, new = rows(), rows(30, seed=1)
    model = KMeans(6, n_init=3, random_state=SEED).fit(standard(X))
    wanted = model.transform(standard(new, X)).min(axis=1)
    assert fit("kmeans", X, clusters=6, starts=3).score(new) == pytest.approx(wanted)


def test_iforest_scores_as_scikit_learn_does():
    X, new = rows(300), rows(30, seed=1)
    model = IsolationForest(n_estimators=30, max_samples=64, random_state=SEED).fit(X)
    scores = fit("iforest", X, trees=30, max_samples=64).score(new)
    assert scores == pytest.approx(-model.score_samples(new))


def test_ocsvm_scores_as_scikit_learn_does():
    X, new = rows(), rows(30, seed=1)
    model = OneClassSVM(nu=0.2, gamma=0.3).fit(standard(X))
    assert fit("ocsvm", X, nu=0.2, gamma=0.3).score(new) == pytest.approx(
        -model.score_samples(standard(new, X))
    )


def test_mcd_scores_as_scikit_learn_does():
    X, new = rows(200, 3), rows(30, 3, seed=1)
    model = MinCovDet(random_state=SEED).fit(standard(X))
    assert fit("mcd", X).score(new) == pytest.approx(model.mahalanobis(standard(new, X)), rel=1e-3)


@pytest.mark.parametrize("variance", [0.6, 0.9, 1.0])
def test_pca_measures_by_the_covariance_of_the_probabilistic_model(variance):
    X, new = rows(90, 6), rows(30, 6, seed=1)
    whole = np.cumsum(PCA().fit(standard(X)).explained_variance_ratio_)
    kept = int((whole < variance - 1e-9).sum()) + 1
    model = PCA(kept).fit(standard(X))
    away = standard(new, X) - model.mean_
    wanted = np.einsum("ij,jk,ik->i", away, model.get_precision(), away) * len(X) / (len(X) - 1)
    assert fit("pca", X, variance=variance).score(new) == pytest.approx(wanted, rel=1e-6)


def test_cleaned_knn_compares_with_the_rows_that_both_screens_find_usual():
    X, new = rows(100, 3)[:95], rows(20, 3, seed=1)
    forest = IsolationForest(n_estimators=30, max_samples=95, random_state=SEED).fit(standard(X))
    points = standard(X).tolist()
    wide = [naive["knn_mean"](row, points, 50) for row in points]
    rank = np.argsort(np.argsort(-forest.score_samples(standard(X)))) + np.argsort(np.argsort(wide))
    kept = [points[i] for i in np.flatnonzero(rank <= np.sort(rank)[95 - 19 - 1])]
    assert len(kept) in range(76, 82)  # rows that tie at the border stay
    wanted = [naive["knn_mean"](row, kept, 20) for row in standard(new, X).tolist()]
    assert fit("cleaned_knn", X, trees=30).score(new) == pytest.approx(wanted)


def test_cleaning_uncovers_a_group_of_anomalies():
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(size=(300, 4)), rng.normal(5, 0.1, size=(15, 4))].astype(np.float32)
    odd = np.arange(315) >= 300
    assert roc_auc_score(odd, fit("knn", X).score(X)) < 0.2
    assert roc_auc_score(odd, fit("cleaned_knn", X).score(X)) > 0.99


def test_bagged_trees_find_more_of_the_labelled_kind_among_unlabelled_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 6)).astype(np.float32)
    odd = np.arange(600) < 40
    X[odd, 2] += 2.5
    y = np.where(np.arange(600) < 6, 1, -1)
    scores = fit("bagged_trees", X, y).score(X)
    assert roc_auc_score(odd[6:], scores[6:]) > 0.85
    assert ((scores >= 0) & (scores <= 1)).all()


def test_bagged_trees_believe_labelled_normal_rows():
    X = rows(200)
    y = np.full(200, -1)
    y[:5] = 1
    without = fit("bagged_trees", X, y).score(X[:1])
    X[100], y[100] = X[0] + 1e-3, 0
    assert fit("bagged_trees", X, y).score(X[100:101]) < without


@pytest.mark.parametrize("y", [None, np.zeros(9), np.ones(9)])
def test_bagged_trees_say_what_labels_they_need(y):
    with pytest.raises(LabelError, match="label some anomalies 1, leave the rest -1"):
        POOL["bagged_trees"].fit(rows(9), y, np.random.default_rng(0), {})


# ---- promises that all names share


@pytest.fixture(scope="module", params=NAMES)
def fitted(request):
    X = rows(90, 17)  # wide enough for the search by matrix products
    return request.param, X, fit(request.param, X)


def test_an_entry_describes_itself_and_fits_a_scorer(fitted):
    name, X, scorer = fitted
    entry = POOL[name]
    assert entry.summary and entry.source and entry.notes
    assert isinstance(scorer, Scorer)
    scores = scorer.score(X)
    assert scores.shape == (len(X),) and scores.dtype == np.float64 and np.isfinite(scores).all()


def test_a_row_scores_the_same_alone_in_a_batch_and_shuffled(fitted):
    _, X, scorer = fitted
    batch = np.r_[rows(20, 17, seed=1), X[:10]]
    order = np.random.default_rng(0).permutation(len(batch))
    scores = scorer.score(batch)
    alone = np.concatenate([scorer.score(row[None]) for row in batch])
    assert alone == pytest.approx(scores, rel=1e-12)
    assert scorer.score(batch[order]) == pytest.approx(scores[order], rel=1e-12)


def test_scoring_changes_nothing(fitted):
    _, X, scorer = fitted
    before = X.copy()
    first = scorer.score(X)
    scorer.score(rows(50, 17, seed=3) * 10)
    assert (scorer.score(X) == first).all() and np.array_equal(X, before)


def test_equal_seeds_give_equal_scores(fitted):
    name, X, scorer = fitted
    assert (fit(name, X).score(X) == scorer.score(X)).all()


@pytest.mark.parametrize("name", ["iforest", "cleaned_knn", "bagged_trees", "kmeans"])
def test_the_generator_is_the_only_source_of_chance(name):
    X = rows(150)
    params = {"clusters": 8, "starts": 1} if name == "kmeans" else {}
    first, second = (fit(name, X, seed=seed, **params).score(X) for seed in (0, 1))
    assert (first != second).any()


def test_an_empty_batch_has_no_scores(fitted):
    _, X, scorer = fitted
    assert scorer.score(X[:0]).shape == (0,)


def test_other_columns_are_refused(fitted):
    _, X, scorer = fitted
    with pytest.raises(InputError, match="3 columns came, the detector was fitted on 17"):
        scorer.score(X[:, :3])


@pytest.mark.parametrize("name", NAMES)
def test_a_far_row_outranks_the_bulk(name):
    X = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    far, y = np.full((1, 6), 8, dtype=np.float32), None
    if POOL[name].needs_labels:
        X[:3] += 8
        y = np.where(np.arange(200) < 3, 1, -1)
    scorer = fit(name, X, y)
    assert scorer.score(far)[0] > scorer.score(X[3:]).max()


@pytest.mark.parametrize("name", [n for n in NAMES if POOL[n].standardise])
def test_units_do_not_matter_where_columns_are_standardised(name):
    X, units = rows(80), np.array([1, 1024, 1 / 64, 4], dtype=np.float32)
    assert fit(name, X * units).score(X * units) == pytest.approx(fit(name, X).score(X), rel=1e-6)


@pytest.mark.parametrize("name", [n for n in NAMES if not POOL[n].needs_labels])
def test_known_anomalies_are_left_out_of_the_support(name):
    X = rows(80)
    y = np.where(np.arange(80) < 6, 1, np.where(np.arange(80) < 20, 0, -1))
    assert (fit(name, X, y).score(X) == fit(name, X[6:]).score(X)).all()


# ---- bad and odd input

rng = np.random.default_rng(0)
ODD = {
    "two rows": rng.normal(size=(2, 2)),
    "three rows": rng.normal(size=(3, 2)),
    "one column": rng.normal(size=(30, 1)),
    "wide": rng.normal(size=(12, 40)),
    "all equal": np.full((30, 3), 0.1),
    "constant column": np.c_[rng.normal(size=(40, 2)), np.full(40, 1e9)],
    "dependent columns": rng.normal(size=(40, 1)) * [1, 2, -3],
    "few values": rng.integers(0, 2, size=(60, 3)),
    "mostly zero": np.where(rng.random((60, 2)) < 0.9, 0, rng.normal(size=(60, 2))),
    "huge": rng.normal(size=(30, 2)) * 1e38,
    "tiny": rng.normal(size=(30, 2)) * 1e-42,
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", NAMES)
def test_odd_tables_are_scored_or_refused_with_a_reason(name, kind):
    X = ODD[kind].astype(np.float32)
    if name == "mcd" and len(X) <= X.shape[1]:
        with pytest.raises(InputError, match="wants more rows than columns"):
            fit(name, X)
        return
    scorer = fit(name, X)
    assert np.isfinite(scorer.score(X)).all()
    assert np.isfinite(scorer.score(np.zeros_like(X[:1]))).all()
    assert np.isfinite(scorer.score(np.full_like(X[:1], -3e38))).all()


@pytest.mark.parametrize("name", ["knn", "kmeans", "pca", "mcd", "cblof", "ocsvm", "lof", "ecod", "hbos"])
def test_leaving_a_constant_value_is_odd(name):
    X = np.c_[np.random.default_rng(0).normal(size=(100, 2)), np.ones(100)].astype(np.float32)
    usual, odd = np.array([[0, 0, 1], [0, 0, 9]], dtype=np.float32)[:, None]
    scorer = fit(name, X)
    assert scorer.score(odd) > scorer.score(usual)


def test_cblof_without_small_clusters_is_the_distance_to_the_nearest_centre():
    corners = np.array([[0, 0], [0, 9], [9, 0], [9, 9]])
    X = (np.repeat(corners, 20, axis=0) + np.random.default_rng(0).normal(size=(80, 2))).astype(np.float32)
    scores = fit("cblof", X, clusters=4).score(X)
    assert scores == pytest.approx(fit("kmeans", X, clusters=4).score(X), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("X", [rows(10)[:1], rows(10)[:0]])
def test_too_few_rows_are_refused(name, X):
    with pytest.raises(InputError, match="wanted at least 2"):
        POOL[name].fit(X, None, np.random.default_rng(0), {})


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros(5), r"shape \(5,\)"),
        (np.zeros((5, 0)), "at least one column"),
        (np.array([[0.0], [np.nan]]), "not finite"),
        (np.array([[0.0], [1e300]]), "not finite"),
    ],
)
def test_what_is_not_a_table_of_numbers_is_refused(X, said):
    with pytest.raises(InputError, match=said):
        fit("knn", X)


@pytest.mark.parametrize("y", [[0, 1], [0, 1, 2], [0.5, 0, 0], ["a", "b", "c"]])
def test_labels_that_do_not_fit_are_refused(y):
    with pytest.raises(LabelError, match=r"one label a row|must be 1"):
        fit("knn", rows(20)[:3], np.array(y))


def test_nothing_left_beside_known_anomalies_is_refused():
    with pytest.raises(InputError, match="1 rows to compare with"):
        fit("knn", rows(20), np.r_[np.ones(19), 0])


def test_an_unknown_parameter_is_answered_with_the_allowed_ones():
    with pytest.raises(ParameterError, match=r"'neighbours'.*allowed: k \(default 5: a whole number from 1"):
        fit("knn", rows(), neighbours=3)
    with pytest.raises(ParameterError, match="allowed: none"):
        fit("ecod", rows(), k=3)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("knn", {"k": 0}),
        ("knn", {"k": 2.5}),
        ("knn", {"k": True}),
        ("knn", {"k": "5"}),
        ("knn", {"k": None}),
        ("ocsvm", {"nu": 1.5}),
        ("ocsvm", {"nu": float("nan")}),
        ("ocsvm", {"gamma": "tight"}),
        ("cleaned_knn", {"drop": 0.5}),
    ],
)
def test_a_parameter_outside_its_range_is_refused(name, params):
    with pytest.raises(ParameterError, match="is not usable; wanted"):
        fit(name, rows(), **params)


def test_numpy_numbers_and_whole_floats_are_parameters():
    assert POOL["knn"].settings({"k": np.int64(3)}) == {"k": 3}
    assert POOL["ocsvm"].settings({"nu": 1, "gamma": "auto"}) == {"nu": 1.0, "gamma": "auto"}


def test_the_pool_loads_without_pyod():
    code = "import sys, outlearn.detectors.pool; sys.exit('pyod' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
