"""Few-shot images: a tiny run, resuming, and the judge."""

import json

import numpy as np
import pytest


@pytest.fixture
def benchmark(monkeypatch):
    import torch

    threads = torch.get_num_threads()
    from benchmarks.studies import images

    yield images
    torch.set_num_threads(threads)


def run(benchmark, monkeypatch, folder, *options):
    words = ["--out", str(folder / "out.json"), "--channels", "4", "--classes", "30", "--tasks", "2"]
    words += ["--scale", "0.003", "--tests", "6", "--shots", "1", *options]
    benchmark.STUDY.run(words)
    return json.loads((folder / "out.json").read_text())


def test_a_run_judges_every_learner_and_resumes(benchmark, monkeypatch, tmp_path, capsys):
    some = ("--learners", "ProtoNet,ANIL")
    first = run(benchmark, monkeypatch, tmp_path, *some)["rows"]
    assert [row["learner"] for row in first] == ["ProtoNet", "ANIL"]
    stored = run(benchmark, monkeypatch, tmp_path)
    rows = {row["learner"]: row for row in stored["rows"]}
    assert [rows["ProtoNet"], rows["ANIL"]] == first, "what was finished is kept"
    assert len(rows) == len(stored["rows"]) == 7
    for row in rows.values():
        assert 0 <= row["glyphs"]["accuracy"] <= 1 and row["digits"]["interval"] >= 0
    assert rows[benchmark.PIXELS]["glyphs"]["accuracy"] > 0.3
    assert str(tmp_path) not in stored["command"]
    assert "| pixels, nearest neighbour" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="take another --out"):
        run(benchmark, monkeypatch, tmp_path, "--seed", "1")


def test_an_omniglot_folder_is_trained_and_tested_on(benchmark, monkeypatch, tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for number in range(24):
        folder = tmp_path / "omniglot" / "alphabet" / f"character{number:02d}"
        folder.mkdir(parents=True)
        for example in range(8):
            image.fromarray(rng.integers(200, 256, (20, 20), dtype=np.uint8)).save(folder / f"{example}.png")
    options = ("--omniglot", str(tmp_path / "omniglot"), "--learners", "ProtoNet")
    rows = run(benchmark, monkeypatch, tmp_path, *options)["rows"]
    assert [row["trained on"] for row in rows] == ["glyphs", "omniglot"]
    assert "accuracy" in rows[1]["omniglot"] and "glyphs" not in rows[1]


def test_training_helps_and_test_classes_are_new(benchmark):
    from argparse import Namespace

    arguments = Namespace(seed=0, channels=8, classes=60, tasks=4, scale=0.05, omniglot=None)
    (group,) = benchmark.domains(arguments)
    home = group[0]
    assert not set(home.train.names) & set(home.test.names)
    proto = next(run for run in benchmark.RUNS if run.name == "ProtoNet")
    before, after = (
        benchmark.judge(benchmark.adapted(learned), home, 1, 60)["accuracy"]
        for learned in (
            proto.make(8).learned(proto.make(8).start()),
            benchmark.train(proto, 1, home, arguments),
        )
    )
    assert after > before + 0.1
