"""The runner on a generated folder: rows, refusals, resuming, time limits."""

import csv
from importlib import import_module

import numpy as np
import polars as pl
import pytest


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(200) < 20
    X = rng.normal(size=(200, 3)) + 5 * y[:, None]
    np.savez(tmp_path / "1_plain.npz", X=X, y=y.astype(int))
    np.savez(tmp_path / "2_one.npz", X=X, y=(np.arange(200) < 1).astype(int))
    words = np.where(rng.random(200) < 0.5, "a", "b")
    pl.DataFrame({"x": X[:, 0], "word": words, "family": "odd", "label": y}).write_parquet(
        tmp_path / "3_words.parquet"
    )
    return tmp_path


@pytest.fixture
def run(folder, monkeypatch, capsys):
    module = import_module("benchmarks.studies.tabular")
    # The runner sets these for its children.
    for name in (*module.THREADS, "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "1")

    def run(*options):
        words = [str(folder), "--seeds", "0", "--out", str(folder / "out.csv")]
        module.STUDY.run([*words, *options])
        with (folder / "out.csv").open() as stored:
            return list(csv.DictReader(stored)), capsys.readouterr().out

    return run


def test_a_run_writes_rows_resumes_and_reports(run, folder):
    rows, report = run("--detectors", "iforest,random")
    by_run = {(row["set"], row["detector"]): row for row in rows}
    assert len(by_run) == len(rows) == 6
    for name in ("1_plain", "3_words"):
        assert by_run[name, "iforest"]["status"] == "ok"
        assert float(by_run[name, "iforest"]["auroc"]) > 0.9
    assert by_run["3_words", "iforest"]["d"] == "2", "family and label are no features"
    assert by_run["2_one", "random"]["status"].startswith("refused: the set holds 1 anomalies")
    assert (folder / "out.md").read_text() in report
    for words in ("p vs iforest", "oracle", "kNN(50)", "Sets refused", "2/2"):
        assert words in report
    assert str(folder) not in (folder / "out.md").read_text()
    again, _ = run("--detectors", "iforest,random")
    assert again == rows


def test_a_run_past_its_limit_is_a_row_that_can_be_tried_again(run):
    options = ("--detectors", "random", "--sets", "1_*", "--protocol", "few-label", "--labels", "1")
    rows, report = run(*options, "--time-limit", "0")
    assert [row["status"] for row in rows] == ["timeout"] and "No table" in report
    rows, _ = run(*options)
    assert len(rows) == 1
    rows, _ = run(*options, "--retry")
    assert [row["status"] for row in rows] == ["timeout", "ok"]
    assert rows[-1]["protocol"] == "few-label-1"
