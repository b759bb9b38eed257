"""What was learnt, kept in a file: it chooses as before, and other files are refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from outlearn.errors import InputError, ParameterError, ReadError, WeightsError
from outlearn.tasks.corpus import Entry
from outlearn.tuning import experience as module
from outlearn.tuning.experience import Experience, load_experience, save_experience, train_tuning
from outlearn.tuning.search import Search
from outlearn.tuning.source import SYNTHETIC_NAME, TaskSource
from outlearn.tuning.space import configurations
from outlearn.tuning.strategies.catalogue import STRATEGIES
from outlearn.tuning.strategies.folds import kindred
from outlearn.tuning.strategies.surrogate import Surrogate
from outlearn.tuning.table import PerformanceTable, build_table
from outlearn.tuning.trials.candidate import scores
from outlearn.tuning.trials.observe import Observation
from outlearn.tuning.tuner import MetaTuner


class Known:
    def __init__(self, table, task, labels):
        self.table, self.task, self.labels = table, task, labels

    def look(self, config):
        place = self.table.configs.index(config)
        precision = float(self.table.precision[self.task, place]) if self.labels else None
        return Observation(self.table.measures[self.task, place], precision, 0.0)


def chosen(experience, table, name, task, allowed, same=(), labels=False):
    looker = Known(table, task, labels)
    search = Search(
        experience.configs, allowed, table.features[task], lambda: looker, 4, same=frozenset(same), seed=3
    )
    return experience.strategy(name).search(search)


@pytest.fixture(scope="module")
def learnt(table, make_quick):
    with pytest.MonkeyPatch.context() as patch:
        make_quick(patch)
        return Experience.learn(table, list(STRATEGIES), 5)


def test_what_comes_back_chooses_the_same(learnt, table, tmp_path):
    path = tmp_path / "tuning.safetensors"
    save_experience(path, learnt, corpus="made up", command="a test", notes={"why": "to see"})
    again = load_experience(path)
    assert again.tasks == learnt.tasks and again.seed == 5 and list(again.strategies) == list(STRATEGIES)
    assert [dict(c) for c in again.configs] == [dict(c) for c in table.configs]
    every, some = np.arange(12), np.array([1, 2, 3, 8, 11])
    for name in STRATEGIES:
        cases = ((0, every, (), False), (4, some, ("family2",), True), (7, np.arange(6), (), False))
        for task, allowed, same, labels in cases:
            one, other = (chosen(e, table, name, task, allowed, same, labels) for e in (learnt, again))
            assert one.members == other.members, name
            np.testing.assert_array_equal(one.expected, other.expected)


@pytest.mark.parametrize("name", ["single", "portfolio", "maml", "policy", "adversarial"])
def test_a_family_that_is_the_table_has_no_say(table, name, taught, teach):
    """What is searched with is the same, whatever the table's own family says."""
    own = [i for i, family in enumerate(table.families) if family == "family3"]
    spoilt = replace(table, precision=table.precision.copy(), features=table.features.copy())
    spoilt.precision[own] = np.random.default_rng(9).random((len(own), 12))
    spoilt.features[own] += 5.0
    one, other = taught(name), teach(name, spoilt)
    for labels in (False, True):
        choices = []
        for strategy in (one, other):
            looker = Known(table, own[0], labels)
            search = Search(
                table.configs,
                np.arange(12),
                table.features[own[0]],
                lambda looker=looker: looker,
                4,
                same=frozenset(["family3"]),
            )
            choices.append(strategy.search(search))
        assert choices[0].members == choices[1].members
        np.testing.assert_array_equal(choices[0].expected, choices[1].expected)


def test_families_that_share_a_table_are_one(table):
    prints = list(table.prints)
    prints[9] = prints[2] + 1e-6
    families = kindred(replace(table, prints=prints)).families
    assert families[9] == families[8] == families[2] == families[3] == "family1"
    assert families[:2] == ["family0", "family0"] and len(set(families)) == 14


def test_where_a_detector_works_nowhere_the_rest_is_learnt(table):
    failed = table.failed.copy()
    failed[:10, :6] = True
    Surrogate.learn(replace(table, failed=failed), steps=3, width=8)
    failed[:, :6] = True
    Surrogate.learn(replace(table, failed=failed), steps=3, width=8)


def test_its_own_tables_are_recognised(learnt):
    assert learnt.alike(learnt.prints[3]) == [3]
    assert learnt.alike(np.zeros((5, 2))) == []


def test_files_of_something_else_are_refused(learnt, tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match="no checkpoint"):
        load_experience(tmp_path / "nowhere")
    path = tmp_path / "tuning.safetensors"
    monkeypatch.setattr(module, "META_FEATURES", ("moon",))
    save_experience(path, learnt, corpus="", command="")
    monkeypatch.undo()
    with pytest.raises(WeightsError, match="other meta-features"):
        load_experience(path)
    monkeypatch.setattr(type(learnt.strategies["single"]), "state", lambda self: {})
    save_experience(path, learnt, corpus="", command="")
    monkeypatch.undo()
    with pytest.raises(WeightsError, match="lacks"):
        load_experience(path)


def test_a_tuner_is_saved_and_goes_on(table, tmp_path):
    path = tmp_path / "mine.safetensors"
    MetaTuner("single").fit(table).save(path)
    tuner = MetaTuner.pretrained("single", path=path)
    X = np.random.default_rng(0).normal(size=(60, 3))
    made = tuner.optimize("lof", X)
    assert tuner.tuned_.winner["detector"] == "lof" and np.isfinite(scores(made, X)).all()
    with pytest.raises(ParameterError, match="'maml' was not learnt"):
        MetaTuner.pretrained("maml", path=path)
    with pytest.raises(ParameterError, match="nothing was learnt"):
        MetaTuner().save(path)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_ships_serves_every_strategy(strategy):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(80, 3)), rng.normal(6, 1, size=(5, 3))])
    tuner = MetaTuner.pretrained(strategy)
    made = tuner.optimize(["iforest", "lof", "ocsvm", "kmeans"], X, budget=3)
    assert np.isfinite(made.predict(X)).all()
    assert len(tuner.tuned_.trials) <= 3


def test_strategies_are_learnt_from_folders(tmp_path, quick):
    configs = [*configurations("lof", 2), *configurations("kmeans", 2)]
    rng = np.random.default_rng(0)
    y = (np.arange(120) < 24).astype(int)
    np.savez(tmp_path / "blob.npz", X=rng.normal(size=(120, 3)) + 4 * y[:, None], y=y)
    entry = Entry("blob", tmp_path / "blob.npz", "CC0", "blobs")
    folders = []
    for name, given in (("blind", {"splits": 2}), ("told", {"labels": 3, "first": 2})):
        source = TaskSource((entry,), **given)
        build_table(tmp_path / name, source, len(source), configs, about=source.about())
        folders.append(tmp_path / name)
    out, steps = tmp_path / "tuning.safetensors", []
    learnt = train_tuning(
        folders, out, ["single", "maml"], progress=lambda stage, done, total: steps.append((done, total))
    )
    assert steps == [(0, 2), (1, 2)] and learnt.tasks == ["blob"] * 3
    assert not any(name.startswith(SYNTHETIC_NAME) for name in learnt.tasks)
    card = out.with_suffix(".md").read_text()
    assert "3 splits of labelled sets and 0 synthetic tasks" in card and "blob (CC0)" in card
    assert json.loads((folders[0] / "about.json").read_text())["source"] in card
    assert list(load_experience(out).strategies) == ["single", "maml"]
    with pytest.raises(ParameterError, match="no strategy named"):
        train_tuning(folders, out, ["luck"])
    with pytest.raises(ReadError):
        train_tuning([tmp_path / "nowhere"], out, ["single"])


def test_tables_of_other_configurations_are_not_joined(table):
    both = PerformanceTable.joined([table, table])
    assert both.precision.shape == (60, 12) and both.tasks == table.tasks * 2
    assert np.array_equal(both.ranks[30], table.ranks[0])
    with pytest.raises(InputError, match="different configurations"):
        PerformanceTable.joined([table, table.among([1, 2])])


def test_labels_are_told_in_the_table(tmp_path):
    y = (np.arange(200) < 40).astype(int)
    X = np.random.default_rng(0).normal(size=(200, 3)) + 3 * y[:, None]
    np.savez(tmp_path / "blob.npz", X=X, y=y)
    source = TaskSource((Entry("blob", tmp_path / "blob.npz", "", "b"),), synthetic=1, labels=4)
    assert int((source(0).support_y == 1).sum()) == 4
    table = build_table(tmp_path / "t", source, 2, configurations("kmeans", 2), about=source.about())
    assert np.isfinite(table.seen).all() and ((table.seen > 0) & (table.seen <= 1)).all()
    plain = TaskSource(source.entries, splits=2)
    assert not np.array_equal(plain(0).support_x, plain(1).support_x)
    later = TaskSource(source.entries, first=1)
    assert np.array_equal(later(0).support_x, plain(1).support_x)
    blind = build_table(tmp_path / "b", plain, 2, configurations("kmeans", 2), about=plain.about())
    assert np.isnan(blind.seen).all()
