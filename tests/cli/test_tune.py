"""`outlearn performance` and `outlearn tune`, as typed."""

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app

SMALL = ("--synthetic", "3", "--candidates", "3", "--detector", "lof,kmeans", "--quiet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tuning")


@pytest.fixture(scope="module")
def experience(folder):
    rng = np.random.default_rng(0)
    (folder / "sets").mkdir()
    y = (np.arange(120) < 12).astype(int)
    np.savez(folder / "sets" / "blob.npz", X=rng.normal(size=(120, 3)) + 4 * y[:, None], y=y)
    (folder / "sets" / "manifest.csv").write_text("file,licence\nblob.npz,CC0\n")
    out = folder / "experience"
    result = CliRunner().invoke(
        app, ["performance", "--corpus", str(folder / "sets"), "--out", str(out), *SMALL]
    )
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture(scope="module")
def table(folder):
    rng = np.random.default_rng(1)
    amount = np.r_[rng.lognormal(3, 0.5, 200), 4000.0, 5000.0]
    verdict = [""] * 201 + ["anomaly"]
    frame = {"amount": amount, "fee": amount * 0.02, "shop": rng.choice(["A", "B"], 202), "verdict": verdict}
    path = folder / "payments.csv"
    pl.DataFrame(frame).write_csv(path)
    return path


@pytest.fixture
def call():
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_a_table_of_performance_is_gone_on_with(call, experience, folder):
    assert len(list(experience.glob("*.parquet"))) == 4
    words = ("performance", "--corpus", folder / "sets", "--out", experience, *SMALL[:-1])
    again = call(*words)
    assert again.exit_code == 0 and "6 configurations on 4 tasks" in again.output
    other = call("performance", "--out", experience, *SMALL)
    assert other.exit_code == 2 and "source" in other.output


@pytest.mark.parametrize("strategy", ["portfolio", "single"])
def test_tuning_says_what_and_why_and_scores_the_rows(call, experience, table, folder, strategy):
    out = folder / f"{strategy}.csv"
    options = ("--strategy", strategy, "--detector", "kmeans", "--ignore", "verdict", "--out", out)
    result = call("tune", table, "--experience", experience, *options)
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"{strategy}: ") and "on other tables" in result.output
    scored = pl.read_csv(out)
    assert sorted(scored["row"]) == list(range(202))
    assert scored["score"].is_sorted(descending=True)


def test_labels_and_trials_are_told(call, experience, table):
    report = table.with_suffix(".html")
    options = ("--detector", "kmeans", "--label-column", "verdict", "--strategy", "maml", "--budget", "2")
    result = call("tune", table, "--experience", experience, *options, "--report", report)
    assert result.exit_code == 0, result.output
    assert "2 tried, of which 2 worked" in result.output and "best on the labelled rows" in result.output
    page = report.read_text()
    assert "The search as it went" in page and "Average precision on labels" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--experience", "nowhere"), "no performance table"),
        (("--detector", "svm"), "no detector named 'svm'"),
        (("--detector", "iforest"), "nothing was learnt about iforest"),
        (("--strategy", "luck"), "strategy='luck' is unknown"),
        (("--out", "scores.parquet"), "ends in .csv"),
    ],
)
def test_what_is_asked_for_wrongly(call, experience, table, words, said):
    given = words if "--experience" in words else ("--experience", experience, *words)
    result = call("tune", table, *given)
    assert result.exit_code == 2 and said in result.output


def test_no_task_is_refused(call, tmp_path):
    result = call("performance", "--out", tmp_path, "--synthetic", "0")
    assert result.exit_code == 2 and "no task" in result.output
