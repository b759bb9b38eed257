"""`outlearn performance` and `outlearn tune`, as typed."""

from contextlib import nullcontext

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.execute import Processes, Serial

PROCESSES = "outlearn.execute.Processes"

SMALL = ("--synthetic", "3", "--candidates", "3", "--detector", "lof,kmeans", "--quiet")


@pytest.fixture(scope="module", autouse=True)
def _in_this_process():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PROCESSES, lambda workers: nullcontext(Serial()))
        yield


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
def call(quick):
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
    assert "<svg" in page and "of the default" not in result.output


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


def test_what_was_learnt_once_is_used_from_a_file(call, experience, table, folder):
    out = folder / "learnt.safetensors"
    made = call("learn-tuning", experience, "--strategies", "single, portfolio", "--out", out)
    assert made.exit_code == 0 and "2 strategies learnt from 4 tasks" in made.output
    assert out.with_suffix(".md").exists()
    options = ("--strategy", "single", "--detector", "kmeans", "--ignore", "verdict")
    one, other = (call("tune", table, "--experience", each, *options) for each in (experience, out))
    assert one.exit_code == 0 and one.output.splitlines()[1:] == other.output.splitlines()[1:]
    missing = call("tune", table, "--experience", out, "--strategy", "maml")
    assert missing.exit_code == 2 and "'maml' was not learnt" in missing.output


def test_a_set_that_was_learnt_from_is_recognised_in_a_file(call, experience, folder):
    with np.load(folder / "sets" / "blob.npz") as stored:
        X, y = stored["X"].astype(np.float32), stored["y"]
    names = {f"x{i}": column for i, column in enumerate(X.T)}
    pl.DataFrame({**names, "label": y}).write_parquet(folder / "blob.parquet")
    options = (
        "--experience",
        experience,
        "--detector",
        "kmeans",
        "--strategy",
        "single",
        "--ignore",
        "label",
    )
    result = call("tune", folder / "blob.parquet", *options)
    assert result.exit_code == 0 and "what was learnt from blob was not used" in result.output
    other = call("tune", "dataset:wine", *options)
    assert other.exit_code == 0 and "was not used" not in other.output


def test_what_ships_is_used_without_a_file(call, table):
    result = call("tune", table, "--detector", "kmeans", "--ignore", "verdict", "--strategy", "maml")
    assert result.exit_code == 0, result.output
    assert "25 tried" in result.output and "kmeans" in result.output


def test_tables_can_be_made_by_another_process_with_labels_and_of_more_splits(call, folder, monkeypatch):
    monkeypatch.setattr(PROCESSES, Processes)
    words = ("--corpus", folder / "sets", "--sets", "b*", "--sets", "blob*", "--candidates", "2")
    options = (
        "--detector",
        "kmeans",
        "--synthetic",
        "0",
        "--splits",
        "2",
        "--labels",
        "3",
        "--first-split",
        "1",
    )
    result = call("performance", *words, *options, "--out", folder / "more")
    assert result.exit_code == 0 and "2 configurations on 2 tasks" in result.output


def test_the_policy_that_asks_is_learnt_by_a_command(call, folder, monkeypatch):
    from outlearn.feedback import train
    from outlearn.learners.policy import PPO

    monkeypatch.setattr(train, "HELD_OUT_TABLES", 1)
    plain = train.AnalystPolicy.learn
    few = PPO(rounds=1, games=2, epochs=1)
    monkeypatch.setattr(
        train.AnalystPolicy, "learn", lambda grounds, seed, how, training: plain(grounds, seed, how=few)
    )
    out = folder / "asks.safetensors"
    result = call("learn-asking", "--tables", "2", "--out", out)
    assert result.exit_code == 0, result.output
    assert "trained on 2 synthetic tables" in result.output and out.exists()
    assert "outlearn learn-asking --tables 2 --seed 0" in out.with_suffix(".md").read_text()


def test_no_task_is_refused(call, tmp_path):
    result = call("performance", "--out", tmp_path, "--synthetic", "0")
    assert result.exit_code == 2 and "no task" in result.output
