"""Guards with and without: the harms do what they say, and a tiny run of every question resumes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from outlearn.tasks.episode import Episode
from outlearn.tasks.glyphs import glyphs
from outlearn.tasks.task import Task


@pytest.fixture
def benchmark(monkeypatch):
    import torch

    threads = torch.get_num_threads()
    from benchmarks.studies import robustness

    yield robustness
    torch.set_num_threads(threads)


@pytest.fixture
def task():
    x = np.arange(50, dtype=np.float32)[:, None]
    y = np.arange(50) % 5
    return Task(x, y, x, y, np.arange(1, 51, dtype=np.float32))


@pytest.fixture
def episode():
    rng = np.random.default_rng(0)
    truth = (np.arange(40) < 8).astype(np.int8)
    labels = np.where(np.arange(40) < 3, 1, -1).astype(np.int8)
    x = (rng.normal(size=(40, 2)) + 9 * truth[:, None]).astype(np.float32)
    return Episode(x, labels, x, truth, truth)


def test_a_run_answers_every_question_and_resumes(benchmark, monkeypatch, tmp_path, capsys):
    words = ["--out", str(tmp_path / "out.json"), "--work", str(tmp_path / "work"), "--classes", "30"]
    words += ["--steps", "1", "--tests", "4", "--tasks", "2", "--table-steps", "1", "--table-tests", "2"]
    small = replace(benchmark.robust_tables.SAMPLER, support_rows=(60, 80), query_rows=40)
    monkeypatch.setattr(benchmark.robust_tables, "SAMPLER", small)
    benchmark.STUDY.run(words)
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    questions = {
        (on, *key)
        for on, lab in (("glyphs", benchmark.robust_glyphs), ("tables", benchmark.robust_tables))
        for key in lab.QUESTIONS
    }
    assert {(row["on"], row["threat"], row["guard"]) for row in rows} == questions
    assert len(rows) == len(questions)
    for row in rows:
        assert row["harmed"]["worst"] <= row["harmed"]["mean"] <= 1
        assert ("expected" in row) == ("harmed_guarded" not in row)
    text = (tmp_path / "out.md").read_text()
    assert text in capsys.readouterr().out and "## Tables: average precision" in text
    assert str(tmp_path) not in text

    monkeypatch.setattr(
        benchmark.robust_glyphs, "QUESTIONS", dict.fromkeys(benchmark.robust_glyphs.QUESTIONS)
    )
    monkeypatch.setattr(
        benchmark.robust_tables, "QUESTIONS", dict.fromkeys(benchmark.robust_tables.QUESTIONS)
    )
    benchmark.STUDY.run(words)
    assert json.loads((tmp_path / "out.json").read_text())["rows"] == rows
    with pytest.raises(SystemExit, match="take another --out"):
        benchmark.STUDY.run([*words, "--seed", "1"])


def test_harms_have_their_size(benchmark, task):
    from benchmarks.studies.harms import delete_rows, mislabel, shuffle_labels

    rng = np.random.default_rng(0)
    assert (mislabel(task, rng, 0.2).support_y != task.support_y).sum() == 10
    dealt = shuffle_labels(task, rng).support_y
    assert (np.sort(dealt) == np.sort(task.support_y)).all() and (dealt != task.support_y).any()
    fewer = delete_rows(task, rng, 0.2)
    assert len(fewer.support_y) == 40 and set(fewer.support_y) == set(range(5))
    assert (fewer.support_weight == fewer.support_x[:, 0] + 1).all(), "weights go with their rows"


def test_tied_tasks_give_a_class_one_number(benchmark):
    from benchmarks.studies.harms import tied_task

    classes = glyphs(10, 4, seed=0, size=8)
    numbers = {}
    for seed in range(20):
        drawn = tied_task(classes, np.random.default_rng(seed), ways=5, shots=2, queries=2)
        for image, label in zip(drawn.support_x, drawn.support_y, strict=True):
            (row,) = np.flatnonzero((classes.images == image).all(axis=(1, 2, 3)))
            numbers.setdefault(int(classes.labels[row]), set()).add(int(label))
        both = np.concatenate([drawn.support_x, drawn.query_x])
        assert len(np.unique(both, axis=0)) == 20, "no image is in support and query"
    assert len(numbers) == 10 and all(len(given) == 1 for given in numbers.values())


def test_harmed_episodes_tell_untruths(benchmark, episode):
    from benchmarks.studies.harms import planted, wrong_labels

    rng = np.random.default_rng(0)
    wrong = wrong_labels(episode, rng, 0.2)
    hit = (wrong.support_y >= 0) & (wrong.support_y != wrong.support_truth)
    assert hit.sum() == 8
    assert (wrong.support_y[~hit] == episode.support_y[~hit]).all()
    more = planted(episode, rng, 0.2)
    assert len(more.support_y) == 50 and (more.support_y[40:] == 0).all()
    assert more.support_truth[40:].all() and more.support_x[40:].min() > 4, "they lie among the anomalies"


def test_an_attack_is_bounded_and_hurts(benchmark):
    import torch

    from benchmarks.studies.answers import predict
    from outlearn.learners.gradient.maml import MAML
    from outlearn.nets.losses import binary_cross_entropy

    net = torch.nn.Linear(2, 1)
    learner = MAML(module=net, loss=binary_cross_entropy, steps=0)
    x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    easy = Task(x, np.arange(20) % 2, x, np.arange(20) % 2)
    learned = learner.learned(learner.start())
    calm, harmed = (predict(learned, easy, size).ravel() for size in (0.0, 0.1))
    sign = np.where(easy.query_y == 1, -1, 1)
    reach = 0.1 * float(net.weight.detach().abs().sum())
    assert np.allclose(harmed - calm, sign * reach, atol=1e-5), "the steepest step of its size"


def test_gains_are_paired_and_checks_are_against_what_is_expected(benchmark):
    from benchmarks.studies.answers import Answers

    base = np.linspace(0, 1, 20)
    row = Answers(base, base, base, base + 0.1).row()
    assert row["gain"] == {"mean": 0.1, "error": 0.0} and row["harmed"]["worst"] == pytest.approx(
        0.0263, abs=1e-4
    )
    assert Answers(base, None, base, None, expected=0.2).row()["gain"]["mean"] == 0.3
