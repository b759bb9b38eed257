"""Alerts, incidents, hosts and known-good patterns from the command line."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def run(*words, code=0):
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    pl.DataFrame(
        {
            "ts": np.sort(rng.uniform(1.7e9, 1.7e9 + 3600, 312)),
            "src_ip": [f"10.0.0.{i}" for i in rng.integers(1, 9, 300)] + ["10.0.0.66"] * 12,
            "dst_ip": [f"192.0.2.{i}" for i in rng.integers(1, 4, 300)] + ["198.51.100.9"] * 12,
            "dst_port": [*rng.choice([53, 443], 300).tolist(), *[4444] * 12],
            "proto": ["tcp"] * 312,
            "bytes": [*rng.lognormal(6, 0.5, 300), *rng.lognormal(13, 0.2, 12)],
        }
    ).write_csv("flows.csv")
    return "flows.csv"


KNN = ("--detector", "knn", "--contamination", "0.04")


def test_detect_tells_of_incidents_and_hosts_and_writes_all_forms(table):
    for suffix, report in (("cef", ()), ("syslog", ()), ("jsonl", ("--report", "r.html"))):
        told = run("detect", table, *KNN, "--top", "2", "--alerts", f"a.{suffix}", *report)
        assert f"Alerts: a.{suffix}" in told
    assert "incident" in told and "10.0.0.66: " in told and " Hosts " in told and "10.0.0.66 source" in told
    first = json.loads(Path("a.jsonl").read_text().splitlines()[0])
    assert first["event"]["kind"] == "alert" and first["source"]["ip"] == "10.0.0.66"
    assert Path("a.cef").read_text().startswith("CEF:0|outlearn|")
    page = Path("r.html").read_text()
    assert 'id="incidents"' in page and 'id="hosts"' in page and "10.0.0.66" in page


def test_a_model_and_a_hunt_write_alerts_and_suppress(table):
    run("suppress", "good.jsonl", "--where", "dst_port=4444", "--reason", "backup", "--by", "soc")
    run("fit", table, *KNN, "--out", "m.outlearn")
    told = run("score", "m.outlearn", table, "--alerts", "s.cef", "--suppress", "good.jsonl")
    assert "suppressed by pattern 1 (backup, by soc, for good)" in told and "are suppressed" in told
    pl.read_csv(table)[-1:].write_csv("case.csv")
    told = run(
        "hunt", table, "--like", "case.csv", "--alerts", "h.jsonl", "--alerts-of", "rows", "--top", "1"
    )
    lines = [json.loads(line) for line in Path("h.jsonl").read_text().splitlines()]
    assert lines and all("the case; " in line["event"]["reason"] for line in lines)


def test_suppress_adds_lists_and_revokes():
    told = run(
        "suppress",
        "g",
        "--where",
        "a=1",
        "--where",
        "b>=2",
        "--reason",
        "x",
        "--by",
        "soc",
        "--until",
        "2999-01-01",
    )
    assert "pattern 1 (x, by soc, until 2999-01-01)" in told
    assert "pattern 1 is revoked" in run("suppress", "g", "--revoke", "1", "--reason", "wrong", "--by", "eve")
    assert "a=1 and b>=2: x" in run("suppress", "g", "--list") and "by eve: wrong" in run(
        "suppress", "g", "--list"
    )
    assert "wanted one of" in run("suppress", "g", code=2)
    assert "wanted one of" in run("suppress", "g", "--list", "--revoke", "1", code=2)
    assert "no reason was given" in run("suppress", "g", "--where", "a=1", code=2)
    assert "cannot be read" in run("suppress", "absent", "--list", code=2)
    assert "cannot be read" in run("suppress", "absent", "--revoke", "1", "--reason", "x", code=2)


def test_series_have_no_alerts(table):
    pl.DataFrame({"t": range(300), "v": np.sin(np.arange(300))}).write_csv("s.csv")
    for option in ("--alerts", "--suppress"):
        told = run("detect", "s.csv", "--kind", "series", "--time-column", "t", option, "a.jsonl", code=2)
        assert f"{option}: ranges of series have no such thing" in told
    run("fit", "s.csv", "--kind", "series", "--time-column", "t", "--out", "m.outlearn")
    assert "ranges of series" in run("score", "m.outlearn", "s.csv", "--alerts", "a.cef", code=2)
    assert not Path("a.jsonl").exists() and not Path("a.cef").exists()


def test_an_unknown_suffix_is_refused_with_those_that_are_known(table):
    assert ".jsonl, .cef, .syslog" in run("detect", table, "--alerts", "a.xml", code=2)


def test_a_log_is_grouped_by_its_processes():
    lines = [f"2026-01-01 00:{i // 60:02d}:{i % 60:02d} web: done in {i} ms" for i in range(300)]
    for i in (200, 201, 202):
        lines[i] = f"2026-01-01 00:03:{i - 180:02d} disk: \x1b[31mon fire\x1b[0m at {i}"
    Path("a.log").write_text("\n".join(lines))
    told = run(
        "detect",
        "a.log",
        "--kind",
        "logs",
        "--top",
        "5",
        "--detector",
        "knn",
        "--budget",
        "3",
        "--alerts",
        "a.jsonl",
    )
    found = [json.loads(line) for line in Path("a.jsonl").read_text().splitlines()]
    fire = [each for each in found if each["outlearn"]["entity"] == "disk"]
    assert sum(each["outlearn"]["count"] for each in found) == 3 and fire
    assert (
        fire[0]["event"]["start"].startswith("2026-01-01T00:03:2") and "on fire" in fire[0]["log"]["original"]
    )
    assert " incident" in told and "on fire at" in told and "\x1b" not in told
