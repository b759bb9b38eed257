"""The benchmarks that judge the in-context learner: tiny runs answer every question, and are gone on with."""

import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sets").mkdir()
    rng = np.random.default_rng(0)
    for name, odd in (("1_plain", 20), ("2_few", 3)):
        y = (np.arange(120) < odd).astype(int)
        np.savez(tmp_path / "sets" / f"{name}.npz", X=rng.normal(size=(120, 3)) + 4 * y[:, None], y=y)
    return tmp_path


@pytest.fixture
def run(folder, monkeypatch, capsys, few_trees):
    import torch

    threads = torch.get_num_threads()

    def run(script, *words):
        module = import_module(f"benchmarks.studies.{script}")
        out = folder / f"{script}.json"
        command = [str(folder / "sets"), "--out", str(out), "--seeds", "1", *words]
        module.STUDY.run(command)
        rows, said = json.loads(out.read_text())["rows"], capsys.readouterr().out
        before = out.stat().st_mtime_ns
        module.STUDY.run(command)
        assert out.stat().st_mtime_ns == before, "a finished run computes nothing anew"
        return module, rows, said

    yield run
    torch.set_num_threads(threads)


def test_calibration_is_judged_with_and_without_the_share(run):
    module, rows, said = run("calibration")
    assert [row["set"] for row in rows] == ["1_plain", "2_few"]
    assert all(0 <= row["error"] <= 1 and 0 <= row["uncertainty"] <= 1 for row in rows)
    assert "labelled_auroc" in rows[0] and "labelled_auroc" not in rows[1]  # too few anomalies
    assert "sets 2" in said and "within a factor of 2" in said
    truth = np.array([1, 1, 0, 0])
    assert module.f1(truth, truth == 1) == 1
    assert module.f1(truth, np.array([True, False, True, False])) == 0.5
    assert module.f1(truth, np.zeros(4, bool)) == 0


@pytest.mark.long
def test_labels_are_judged_at_each_count_on_the_same_sets(run, monkeypatch):
    monkeypatch.setattr(import_module("benchmarks.studies.labels"), "PEERS", ("outlearn", "bagged_trees"))
    module, rows, said = run("labels")
    assert {row["set"] for row in rows} == {"1_plain"}  # the other has too few anomalies
    counts = {(row["labels"], row["count"]) for row in rows if row["detector"] == "outlearn"}
    assert counts == {("true", count) for count in (0, *module.COUNTS)} | {("random", module.RANDOM)}
    assert "refused" in said and "| outlearn |" in said


def test_each_statistic_is_judged_alone_beside_the_network(run):
    module, rows, said = run("row_statistics")
    orders = {row["order"] for row in rows if row["protocol"] == "contaminated"}
    assert orders == {*module.STATISTICS, module.START, module.SHIPPED}
    labelled = {row["order"] for row in rows if row["protocol"] == "few-label-5"}
    assert labelled == {"trees.columns", "trees.whitened", "trees, both", module.START, module.SHIPPED}
    assert "## few-label-10" in said
    best = max(row["auroc"] for row in rows if row["set"] == "1_plain")
    assert best > 0.9


@pytest.mark.long
def test_each_part_of_training_is_left_out_once(run, folder, monkeypatch):
    module = import_module("benchmarks.studies.ablation")
    small = replace(module.SAMPLER, support_rows=(50, 60), query_rows=40, columns=(2, 5))
    monkeypatch.setattr(module, "SAMPLER", small)
    _, rows, said = run("ablation", "--work", str(folder / "work"), "--tasks", "10", "--epochs", "1")
    assert [row["network"] for row in rows] == [
        "kNN distance (5)",
        *(variant.name for variant in module.VARIANTS),
    ]
    assert all(0 <= row["sets · contaminated"][0] <= 1 for row in rows)
    assert "| all priors |" in said


def test_real_sets_are_compared_with_synthetic_tasks(run, monkeypatch):
    module = import_module("benchmarks.studies.fingerprint")
    small = replace(module.SAMPLER, support_rows=(50, 60), query_rows=40, columns=(2, 5))
    monkeypatch.setattr(module, "SAMPLER", small)
    monkeypatch.setattr(module, "TASKS", 12)
    monkeypatch.setattr(module, "TREES", 60)
    _, rows, said = run("fingerprint")
    assert [len(row["features"]) for row in rows] == [len(module.META_FEATURES)] * 2
    assert "2 sets, 12 synthetic tasks" in said and "| log rows |" in said
    made = np.random.default_rng(0).normal(size=(200, 4))
    assert module.farther(made[:50] + 9, made) == 1 > 0.3 > module.farther(made[:50] + 0.1, made)
    named = [{"set": "ab"[i % 2] * (i + 1)} for i in range(60)]  # a family each
    assert module.separability(named, made[:60] + 3, made) > 0.9
    assert module.separability(named, np.random.default_rng(1).normal(size=(60, 4)), made) < 0.65


def test_sizes_of_support_are_judged_on_one_test_part(run, monkeypatch):
    monkeypatch.setattr(import_module("benchmarks.studies.support_size"), "LEAST", 100)
    module, rows, said = run("support_size")
    judged = {(row["situation"], row["size"]) for row in rows}
    assert judged == {(situation, size) for situation in module.SITUATIONS for size in module.SIZES}
    assert all(row["rows"] <= 95 for row in rows)
    assert "| mean | normal |" in said
