"""Adapting against not adapting on generated sets: rows, resuming, other weights, the parts that judge."""

import csv

import numpy as np
import polars as pl
import pytest

from outlearn.learners.catalogue import Recipe
from outlearn.learners.pretrained import save_table_learner


@pytest.fixture
def benchmark(monkeypatch):
    import torch

    threads = torch.get_num_threads()
    from benchmarks.studies import adaptation

    # CatBoost is no part of what tests install; what it adds is run by the benchmark itself.
    monkeypatch.setattr(adaptation, "PEERS", ("bagged_trees", "logistic"))
    yield adaptation
    torch.set_num_threads(threads)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "sets" / "deep").mkdir(parents=True)
    y = np.arange(120) < 20
    X = rng.normal(size=(120, 3)) + 4 * y[:, None]
    np.savez(tmp_path / "sets" / "1_plain.npz", X=X, y=y.astype(int))
    few = np.arange(120) < 9
    np.savez(tmp_path / "sets" / "2_few.npz", X=rng.normal(size=(120, 3)), y=few.astype(int))
    frame = pl.DataFrame({"a": rng.normal(size=150), "b": rng.normal(size=150), "label": np.arange(150) < 60})
    frame.write_parquet(tmp_path / "sets" / "deep" / "crowded.parquet")
    weights(tmp_path / "weights", 0)
    return tmp_path


def weights(folder, seed):
    for name in ("maml", "protonet"):
        recipe = Recipe(learner=name, seed=seed)
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.safetensors"
        save_table_learner(path, recipe, recipe.build().start(), corpus="none", command="none", notes={})


def run(benchmark, monkeypatch, folder, learners="maml,protonet"):
    words = [str(folder / "sets"), "--out", str(folder / "out.csv"), "--weights", str(folder / "weights")]
    words += ["--work", str(folder / "work"), "--learners", learners, "--seeds", "0"]
    benchmark.STUDY.run([*words, "--tasks", "4", "--steps", "2"])
    with (folder / "out.csv").open() as stored:
        return list(csv.DictReader(stored))


def test_a_run_writes_a_row_a_learner_reports_and_resumes(benchmark, monkeypatch, folder, capsys):
    from benchmarks.harness import scratch

    monkeypatch.setattr(scratch, "BUDGETS", (2, 5))
    rows = run(benchmark, monkeypatch, folder, "maml,protonet,one-class maml")
    assert "2_few: fewer than 15" in capsys.readouterr().out
    by_key = {(row["set"], row["learner"]): row for row in rows}
    peers = [by_key.pop((name, peer)) for name in ("1_plain", "crowded") for peer in benchmark.PEERS]
    assert all(float(row["adapted_ap"]) > 0.9 for row in peers[:2]), "an easy set"
    assert len(by_key) == len(rows) - 4 == 6
    crowded = by_key["crowded", "maml"]
    assert (crowded["n"], crowded["anomalies"]) == ("105", "15"), "40 % anomalies are cut, 15 stay"
    for row in by_key.values():
        assert all(0 <= float(row[name]) <= 1 for name in row if name.endswith(("_ap", "_auroc")))
        assert (row["cosine"] == "") == (row["learner"] == "protonet")
    assert by_key["1_plain", "maml"]["scratch_ap"] == by_key["1_plain", "protonet"]["scratch_ap"]
    assert by_key["1_plain", "maml"]["cosine"] == by_key["1_plain", "maml"]["cosine_untrained"]
    assert float(by_key["1_plain", "maml"]["adapted_ap"]) > 0.8
    report = (folder / "out.md").read_text()
    for words in (
        "2 sets of 2 sources",
        "gain on unadapted",
        "One-class and balanced",
        "one-class maml",
        "over bagged_trees",
    ):
        assert words in report
    assert str(folder) not in report

    with monkeypatch.context() as frozen:
        frozen.setattr(benchmark, "judge", None)
        assert run(benchmark, frozen, folder, "maml,protonet,one-class maml") == rows, "nothing was run again"
    weights(folder / "weights", 1)
    assert len(run(benchmark, monkeypatch, folder)) == 14, "other weights are other rows"


def test_unadapted_takes_no_step_and_no_label(benchmark, folder):
    from outlearn.learners.pretrained import load_learner

    case = benchmark.prepare(folder / "sets" / "1_plain.npz", 0)
    assert (case.labelled.y == 1).sum() == 5 and (case.plain.y == -1).all()
    assert (case.plain.x[:, -9:] == 0).all(), "without labels there are no distances to labelled rows"
    for name in ("maml", "protonet"):
        answers = benchmark.answers(load_learner(name, folder / "weights" / f"{name}.safetensors"), case)
        assert not np.allclose(answers["unadapted"], answers["adapted"])
        assert not np.allclose(answers["unlabelled"], answers["adapted"])
    shown = benchmark.prepare(folder / "sets" / "1_plain.npz", 0)
    assert (shown.labelled.x == case.labelled.x).all()


def test_from_scratch_solves_what_is_easy(benchmark):
    from outlearn.tasks.task import Task

    rng = np.random.default_rng(0)
    y = np.repeat(np.array([1, -1], dtype=np.int8), (5, 60))
    support, query = (rng.normal(size=(65, 73)).astype(np.float32) for _ in range(2))
    support[:5, :20] += 3
    query[:5, :20] += 3
    scores, steps = benchmark.from_scratch(Task(support, y, query, (y == 1).astype(np.int8)), (64, 64))
    assert scores[:5].min() > np.quantile(scores[5:], 0.9)
    assert steps in (10, 30, 100, 300)


def test_the_cosine_is_that_of_a_formula(benchmark):
    import torch

    from outlearn.learners.gradient.maml import MAML
    from outlearn.nets.losses import binary_cross_entropy
    from outlearn.tasks.task import Task

    net = torch.nn.Linear(2, 1)
    with torch.no_grad():
        net.weight.zero_(), net.bias.zero_()
    learner = MAML(module=net, loss=binary_cross_entropy)
    support = np.array([[1, 0], [0, 9]], dtype=np.float32)
    query = np.array([[0, 2], [3, 0]], dtype=np.float32)
    task = Task(support, np.array([-1, 1]), query, np.array([1, 0]))
    # Gradients at 0: half the usual support row (1, 0; 1), and a quarter of (3, -2; 0).
    wanted = np.array([1, 0, 1]) @ np.array([3, -2, 0]) / np.sqrt(2) / np.sqrt(13)
    assert benchmark.cosine(learner, learner.start(), task) == pytest.approx(wanted, abs=1e-6)


def test_gains_are_tested_one_sided(benchmark):
    from benchmarks.studies.adaptation_report import greater

    gains = np.linspace(0.01, 0.2, 20)
    assert greater(gains) < 1e-4 and greater(-gains) > 0.99 and greater(np.zeros(9)) == 1
