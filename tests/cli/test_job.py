"""detect by a job file: the same as by options, and what is wrong in one is named."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app

JOB = """
source = "t.csv"

[table]
ignore = ["c"]

[read]
header = true

[detector]
name = "knn"
seed = 3

[rule]
budget = 2

[outputs]
top = 2
out = "scored.csv"

[outputs.alerts]
file = "alerts.jsonl"
of = "rows"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pl.DataFrame(np.random.default_rng(3).normal(size=(120, 3)), schema=["a", "b", "c"])
    frame[7, "b"] = 40.0
    frame.write_csv("t.csv")
    return tmp_path


def run(*words, code=0):
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result


def test_a_job_does_what_its_options_would(folder):
    (folder / "job.toml").write_text(JOB)
    by_file = [json.loads(line) for line in run("detect", "--job", "job.toml", "--json").stdout.splitlines()]
    scored = pl.read_csv("scored.csv")
    by_options = run(
        "detect", "t.csv", "--ignore", "c", "--detector", "knn", "--seed", "3", "--budget", "2", "--top", "2",
        "--out", "again.csv", "--alerts", "again.jsonl", "--alerts-of", "rows", "--json",
    )  # fmt: skip
    again = [json.loads(line) for line in by_options.stdout.splitlines()]
    for summary in (by_file[0], again[0]):
        summary.pop("seconds")
    assert by_file == again and by_file[1]["row"] == 7
    assert scored.equals(pl.read_csv("again.csv")) and scored["flagged"].sum() == 2
    assert len((folder / "alerts.jsonl").read_text().splitlines()) == 2


def test_a_job_on_series(folder):
    values = np.sin(np.arange(300) / 5)
    values[200:210] += 5
    pl.DataFrame({"v": values}).write_csv("s.csv")
    (folder / "job.toml").write_text('source = "s.csv"\n[table]\nkind = "series"\n')
    assert "of 300 points flagged" in run("detect", "--job", "job.toml").stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("source = ", "is not a TOML file"),
        ("[rule]\nbudget = 2", "names no source"),
        ('source = "t.csv"\nsorce = 3', "sorce"),
        ('source = "t.csv"\n[rule]\nbudget = 2\nfdr = 0.1', "--budget and --fdr were given"),
        ('source = "t.csv"\n[rule]\nfdr = "often"', "fdr"),
        ('source = "t.csv"\n[rule]\ncontamination = 7', "contamination"),
        ('source = "t.csv"\n[table]\nkind = "song"', "wanted one of series, flows"),
        ('source = "t.csv"\n[table]\nignore = "a"', "ignore"),
        ('source = "t.csv"\n[outputs]\ntop = "all"', "top"),
        ("source = 3", "wanted a path"),
    ],
)
def test_what_is_wrong_in_a_job_is_named(folder, text, says):
    (folder / "job.toml").write_text(text)
    assert says in " ".join(run("detect", "--job", "job.toml", code=2).output.split())


def test_nothing_else_says_what_to_do_beside_a_job(folder):
    (folder / "job.toml").write_text(JOB)
    told = run("detect", "t.csv", "--job", "job.toml", "--top", "3", code=2).output
    assert "--top, TABLE came beside --job" in told
    assert "no table came" in run("detect", code=2).output
    assert "cannot read the job" in run("detect", "--job", "nowhere.toml", code=2).output
