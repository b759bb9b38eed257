"""JSON lines of every command that finds something."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(3)
    frame = pl.DataFrame(rng.normal(size=(120, 3)), schema=["a", "b", "c"])
    frame[7, "b"] = 40.0
    frame.write_csv(tmp_path / "t.csv")
    return tmp_path / "t.csv"


def lines(*words):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_rows_and_a_summary(table):
    summary, first, second = lines("detect", table, "--detector", "knn", "--budget", 2, "--top", 2, "--json")
    assert summary["type"] == "summary" and summary["flagged"] == 2 and summary["rows"] == 120
    assert summary["rule"] == {
        "kind": "budget", "value": {"alerts": 2, "period": None}, "tail_model": False, "words": "budget 2",
    }  # fmt: skip
    assert summary["source"] == {"name": str(table), "rows": 120} and summary["reference"] is None
    assert (first["row"], first["rank"], first["flagged"]) == (7, 1, True) and second["rank"] == 2
    assert first["contributions"][0]["column"] == "b" and first["values"]["b"] == 40.0


def test_a_model_scores_and_explains(table, tmp_path):
    model = tmp_path / "m.outlearn"
    assert lines("fit", table, "--detector", "knn", "--out", model, "--quiet") == []
    summary, row = lines("score", model, table, "--top", 1, "--json")
    assert summary["reference"] == {"name": str(table), "rows": 120} and row["row"] == 7
    (why,) = lines("explain", model, table, "--row", 7, "--json")
    assert why["contributions"] == row["contributions"] and "b" in why["reason"]


def test_ranges_of_a_series(tmp_path):
    values = np.sin(np.arange(400) / 5)
    values[300:310] += 5
    path = tmp_path / "s.csv"
    times = [f"2026-01-01 {i // 60:02d}:{i % 60:02d}:00" for i in range(400)]
    pl.DataFrame({"t": times, "v": values}).write_csv(path)
    summary, first, *_ = lines("detect", path, "--time-column", "t", "--json")
    assert summary["points"] == 400 and first["type"] == "range" and first["reason"]
    assert 280 <= first["start"] <= 310 and first["since"].startswith("2026-01-01T0")


def test_a_hunt_and_a_search(table, tmp_path):
    case = tmp_path / "case.csv"
    pl.read_csv(table)[[7]].write_csv(case)
    summary, first = lines("hunt", table, "--like", case, "--learner", "protonet", "--top", 1, "--json")
    assert summary["rule"]["kind"] == "likeness" and first["row"] == 7
    summary, *rest = lines("tune", table, "--strategy", "default", "--budget", 0, "--json")
    assert summary["strategy"] == "default" and {each["type"] for each in rest} == {"configuration"}
    assert [each["name"] for each in rest if each["chosen"]] == summary["chosen"]
