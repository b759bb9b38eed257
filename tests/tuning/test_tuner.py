"""Searching: strategies on a made-up table, and the tuner on real rows."""

import os
import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline

from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.tuning import tuner
from outlearn.tuning.search import Search
from outlearn.tuning.source import SYNTHETIC, TaskSource
from outlearn.tuning.space import configurations, default
from outlearn.tuning.strategies import catalogue, search_tasks
from outlearn.tuning.strategies.catalogue import STRATEGIES
from outlearn.tuning.strategies.folds import FOLDS, Folds
from outlearn.tuning.strategies.surrogate import Surrogate
from outlearn.tuning.table import PerformanceTable, fingerprint
from outlearn.tuning.trials.candidate import scores
from outlearn.tuning.trials.ensemble import RankEnsemble
from outlearn.tuning.trials.isolate import IsolatedObserver
from outlearn.tuning.trials.observe import Observation, TableSample
from outlearn.tuning.tuner import MetaTuner

TASKS, CONFIGS = 30, [*configurations("lof", 6), *configurations("kmeans", 6)]  # of the table of conftest
C = len(CONFIGS)


class Known:
    """Looks measures up in the table; candidates in `broken` fail."""

    def __init__(self, table, task, broken=()):
        self.table, self.task, self.broken, self.calls = table, task, broken, 0

    def look(self, config):
        self.calls += 1
        place = CONFIGS.index(config)
        if place in self.broken:
            raise ValueError("it does not work here")
        return Observation(self.table.measures[self.task, place], None, 0.0)


def search_of(table, task=0, *, allowed=range(C), budget=4, same=(), broken=()):
    looker = Known(table, task, broken)
    allowed = np.array(allowed)
    return Search(CONFIGS, allowed, table.features[task], lambda: looker, budget, same=frozenset(same))


def test_folds_hold_families_together_and_out():
    families = [f"f{i // 3}" for i in range(30)]
    folds = Folds(families)
    for fold in range(FOLDS):
        out = set(range(30)) - set(folds.kept(families, fold))
        assert len(out) == 6
        assert all(families.count(families[i]) == sum(families[j] == families[i] for j in out) for i in out)
        assert all(folds.without([families[i]]) == [fold] for i in out)
    assert folds.without([]) == folds.without(["never heard of"]) == list(range(FOLDS))
    assert Folds(["only"]).kept(["only"], Folds(["only"]).without(["only"])[0]) == [0]


@pytest.mark.parametrize("name", STRATEGIES)
def test_strategies_stay_within_budget_and_what_is_allowed(name, table, taught, teach):
    allowed = [2, 3, 5, 8]
    again = teach(name, table)
    for budget in (0, 1, 7):
        search = search_of(table, allowed=allowed, budget=budget)
        choice = taught(name).search(search)
        assert choice.members and set(choice.members) <= set(allowed)
        assert len(set(choice.members)) == len(choice.members)
        assert len(search.trials) <= budget and choice.expected.shape == (C,) and choice.why
        same = again.search(search_of(table, allowed=allowed, budget=budget))
        assert same.members == choice.members


def test_the_best_on_average_is_the_best_single(table):
    best = STRATEGIES["single"].learn(table, 0).search(search_of(table)).members
    assert best == (table.precision.mean(axis=0).argmax(),)
    assert STRATEGIES["default"].learn(table, 0).search(search_of(table, allowed=[7, 9])).members == (7,)


def test_a_family_that_is_the_table_itself_has_no_say(table):
    spoilt = replace(table, precision=table.precision.copy())
    mine = [i for i, family in enumerate(table.families) if family == "family0"]
    spoilt.precision[mine, 5] += 60.0
    strategy = STRATEGIES["single"].learn(spoilt, 0)
    assert strategy.search(search_of(table)).members == (5,)
    assert strategy.search(search_of(table, same=["family0"])).members != (5,)


def best_of(model: Surrogate, new: PerformanceTable, seen: bool) -> np.ndarray:
    """Return which configuration a surrogate expects most of on each task of a new table."""
    observations = [
        {c: Observation(new.measures[t, c], None, 0.0) for c in range(C)} if seen else {}
        for t in range(TASKS)
    ]
    return np.array(
        [model.expect(new.features[t], observations[t], np.arange(C)).argmax() for t in range(TASKS)]
    )


@pytest.mark.long
def test_the_surrogate_learns_what_tables_tell_apart(table, made_up):
    """New tables: the best configuration follows from meta-features before any trial."""
    new = made_up(1)
    right = np.where(new.features[:, :10].mean(axis=1) > 0, 3, 8)
    assert np.mean(best_of(Surrogate.learn(table, steps=300, width=64), new, seen=False) == right) > 0.9


@pytest.mark.long
def test_the_surrogate_believes_what_was_seen(table, made_up):
    """A measure that told the truth elsewhere is followed where the meta-features say nothing."""
    blind, new = (replace(origin, features=np.zeros_like(origin.features)) for origin in (table, made_up(1)))
    model, right = Surrogate.learn(blind, steps=300, width=64), new.precision.argmax(axis=1)
    assert np.mean(best_of(model, new, seen=False) == right) < 0.7
    assert np.mean(best_of(model, new, seen=True) == right) > 0.9


def test_what_failed_is_not_chosen(table, taught):
    broken = (3, 8)
    search = search_of(table, budget=C, broken=broken)
    choice = taught("maml").search(search)
    assert not set(choice.members) & set(broken)
    assert [t.fault for t in search.trials if t.index in broken] == ["ValueError: it does not work here"] * 2
    search = search_of(table, budget=3, broken=range(C))
    assert set(taught("maml").search(search).members).isdisjoint(t.index for t in search.trials)


def test_nothing_is_tried_after_the_deadline(table, taught):
    search = search_of(table, budget=C)
    search.deadline = time.monotonic() - 1
    assert taught("maml").search(search).members and not search.trials
    search.look(0)  # it began when there was time, so far as the strategy knew
    search.budget = 1
    with pytest.raises(RuntimeError, match="budget"):
        search.look(0)


def test_simulated_labels_are_kept_out_of_what_is_to_be_told():
    truth = (np.arange(60) < 15).astype(np.int8)
    ranks = np.stack([truth + np.linspace(0, 0.5, 60), np.linspace(0, 1, 60)])
    seen, rest = search_tasks._labelled(ranks, truth, np.random.default_rng(0))
    assert seen[0] < 1 and seen[0] > seen[1]  # the other anomalies stand unlabelled beside those that are
    assert rest[0] > rest[1]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """A tuner that learnt from a few small synthetic tasks."""
    sampler = replace(SYNTHETIC, support_rows=(60, 80), query_rows=60, columns=(2, 4))
    source = TaskSource((), synthetic=6, sampler=sampler)
    tasks = [source(i) for i in range(6)]
    return MetaTuner("portfolio", detectors=("lof", "kmeans"), candidates=4).fit(tasks), tasks


@pytest.fixture(scope="module")
def tuners(learnt, make_quick):
    """Tuners of three strategies that learnt from one table, made small."""
    with pytest.MonkeyPatch.context() as patch:
        make_quick(patch)
        return {name: MetaTuner(name).fit(learnt[0].table_) for name in ("portfolio", "maml", "single")}


@pytest.fixture(scope="module")
def cancer():
    X, benign = load_breast_cancer(return_X_y=True)
    kept = np.r_[np.flatnonzero(benign == 1), np.flatnonzero(benign == 0)[:30]]
    return X[kept].astype(np.float32), 1 - benign[kept]


@pytest.mark.parametrize("strategy", ["portfolio", "maml", "single"])
def test_a_tuned_detector_finds_tumours(strategy, tuners, cancer):
    X, y = cancer
    model = tuners[strategy]
    made = model.optimize(["lof", "kmeans"], X, budget=3)
    row_scores = -made.score_samples(X) if isinstance(made, RankEnsemble) else scores(made, X)
    assert roc_auc_score(y, row_scores) > 0.7
    assert set(np.unique(made.predict(X))) == {-1, 1}
    assert len(model.tuned_.trials) == (3 if strategy == "maml" else 0)
    assert model.tuned_.configs[model.tuned_.default] == default(model.tuned_.winner["detector"])


@pytest.mark.parametrize("strategy", ["single", "portfolio", "maml"])
def test_one_estimator_keeps_its_class_and_settings(strategy, tuners, cancer):
    model = tuners[strategy]
    like = LocalOutlierFactor(contamination=0.05, n_jobs=1)
    made = model.optimize(like, cancer[0], budget=4)
    assert len(model.tuned_.choice.members) == 1
    assert isinstance(made, Pipeline)
    assert made.steps[-1][1].contamination == 0.05 and made.steps[-1][1].novelty
    assert not hasattr(like, "offset_") and clone(like).get_params() == like.get_params()


def test_labels_are_seen(tuners, cancer):
    X, truth = cancer
    y = np.full(len(X), -1)
    y[np.flatnonzero(truth)[:5]] = 1
    model = tuners["maml"]
    model.optimize("lof", X, y, budget=2)
    assert all(0 < trial.seen.precision <= 1 for trial in model.tuned_.trials)


def test_a_table_that_was_learnt_from_is_recognised(learnt):
    model, tasks = learnt
    model.optimize("lof", tasks[2].support_x)
    assert model.tuned_.left_out == (model.table_.tasks[2],)
    assert "it is this table" in model.tuned_.notes[-1]
    assert fingerprint(tasks[2].support_x).tolist() == model.table_.prints[2].tolist()


def test_no_trial_is_said(learnt, cancer):
    model = learnt[0]
    model.optimize("lof", cancer[0], budget=0)
    assert "nothing was tried" in model.tuned_.notes[0]


class Hangs(LocalOutlierFactor):
    """Never ends with two neighbours' worth of patience."""

    def fit(self, X, y=None):
        time.sleep(60)


class Dies(LocalOutlierFactor):
    def fit(self, X, y=None):
        os._exit(1)


@pytest.mark.parametrize(
    ("kind", "error", "words"), [(Hangs, TimeoutError, "no result after 1 s"), (Dies, RuntimeError, "died")]
)
def test_a_configuration_that_hangs_or_dies_is_left(kind, error, words):
    X = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    sample = TableSample.of(X, np.full(60, -1, dtype=np.int8))
    with IsolatedObserver(sample, limit=1.0, like={"lof": kind()}) as observer:
        with pytest.raises(error, match=words):
            observer.look(default("lof"))
        assert np.isfinite(observer.look(default("kmeans")).measures).all()  # another process goes on


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.zeros((0, 3)), "cannot be used"),
        (np.ones((3, 2)), "3 rows came; wanted at least 10"),
        (np.full((20, 2), np.nan), "cannot be used"),
        ([["a", "b"]] * 20, "cannot be used"),
        (np.full((20, 1), 1e300), "cannot be used"),
    ],
)
def test_rows_that_cannot_be_used(X, words, learnt):
    with pytest.raises(InputError, match=words):
        learnt[0].optimize("lof", X)


def test_labels_that_cannot_be_used(learnt, cancer):
    X = cancer[0]
    with pytest.raises(LabelError, match="one a row"):
        learnt[0].optimize("lof", X, np.zeros(3))
    with pytest.raises(LabelError, match=r"values \[0, 2\]"):
        learnt[0].optimize("lof", X, np.r_[2, np.zeros(len(X) - 1)].astype(int))
    with pytest.raises(LabelError, match="labelled as anomalies"):
        learnt[0].optimize("lof", X, np.ones(len(X)))


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (lambda t, X: t.optimize("iforest", X), "nothing was learnt about iforest; learnt: kmeans, lof"),
        (lambda t, X: t.optimize(IsolationForest, X), "no declared space"),
        (lambda t, X: t.optimize([], X), "no detector came"),
        (lambda t, X: t.optimize("lof", X, budget=-1), "budget=-1"),
        (lambda t, X: t.optimize("lof", X, seconds=0), "seconds=0"),
        (lambda t, X: MetaTuner().optimize("lof", X), "nothing was learnt yet"),
        (lambda t, X: MetaTuner("luck"), "strategy='luck' is unknown"),
        (lambda t, X: MetaTuner(detectors=("lof", "svm")), "no detector named 'svm'"),
        (lambda t, X: MetaTuner(candidates=0), "candidates=0"),
        (lambda t, X: MetaTuner().fit([]), "no task came"),
    ],
)
def test_what_is_asked_for_wrongly(what, words, learnt, cancer):
    with pytest.raises(InputError, match=words):
        what(learnt[0], cancer[0])


@pytest.mark.parametrize(
    "X",
    [np.ones((20, 3)), np.random.default_rng(0).normal(size=(12, 40)), np.repeat(np.eye(2), 10, axis=0)],
    ids=["constant", "wide", "copies"],
)
def test_poor_tables_are_searched(X, tuners):
    made = tuners["maml"].optimize(["lof", "kmeans"], X, budget=3)
    assert np.isfinite(made.score_samples(X)).all()


def test_public_names_of_the_tuner():
    assert {"MetaTuner", "Tuned"} <= set(tuner.__all__)
    assert catalogue.STRATEGIES.keys() >= {"portfolio", "maml"}
    assert issubclass(ParameterError, InputError)
