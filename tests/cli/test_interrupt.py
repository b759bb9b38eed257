"""Ctrl-C, and other signals, half way through the writing of a result."""

import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.pipeline import monitor
from outlearn.report import page

PROGRAM = """
import sys, time
from outlearn.pipeline import monitor

def slowly(*arguments):
    print("writing", flush=True)
    time.sleep(60)

monitor.with_verdict = slowly
sys.argv = "outlearn detect rows.csv --detector knn --out scored.csv --report report.html".split()
from outlearn.cli import main
main()
"""


def test_an_interrupted_command_leaves_no_file(tmp_path):
    pl.DataFrame({"a": np.random.default_rng(0).normal(size=50)}).write_csv(tmp_path / "rows.csv")
    (tmp_path / "scored.csv").write_text("of yesterday")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "writing\n"
        assert any("-part-" in path.name for path in tmp_path.iterdir())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "interrupted: no file is left half-written\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv", "scored.csv"]
    assert (tmp_path / "scored.csv").read_text() == "of yesterday"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pl.DataFrame({"a": np.random.default_rng(0).normal(size=50), "when": ["2026-01-01"] * 50})
    frame.write_csv("rows.csv")
    (tmp_path / "scored.csv").write_text("of yesterday")
    return tmp_path


WORDS = ["detect", "rows.csv", "--detector", "knn", "--top", "0", "--out", "scored.csv"]
BESIDE = ["--report", "report.html", "--alerts", "a.cef"]
HANDLED = [signal.SIGTERM, signal.SIGHUP] if hasattr(signal, "SIGHUP") else [signal.SIGTERM]


@pytest.mark.parametrize("number", HANDLED)
@pytest.mark.parametrize("place", [(monitor, "with_verdict"), (monitor, "write_alerts"), (page, "whole")])
def test_a_signal_ends_a_command_as_ctrl_c_does(folder, monkeypatch, number, place):
    def raise_twice(*arguments, **options):
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)  # nothing disturbs the clearing up

    monkeypatch.setattr(*place, raise_twice)
    before = signal.signal(number, signal.SIG_DFL)  # the tests may run under nohup
    try:
        result = CliRunner().invoke(app, [*WORDS, *BESIDE])
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)
    assert result.exit_code == 128 + number
    assert result.stderr == f"ended by {signal.Signals(number).name}: no file is left half-written\n"
    assert sorted(path.name for path in folder.iterdir()) == ["rows.csv", "scored.csv"]
    assert (folder / "scored.csv").read_text() == "of yesterday"


def test_outputs_appear_together_or_not_at_all(folder, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(page, "render_html", full)
        assert CliRunner().invoke(app, [*WORDS, *BESIDE]).exit_code == 70
    assert sorted(path.name for path in folder.iterdir()) == ["rows.csv", "scored.csv"]
    assert (folder / "scored.csv").read_text() == "of yesterday"


def test_a_signal_that_is_ignored_stays_so(folder, monkeypatch):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as nohup ignores another
    try:
        write = monitor.write_alerts
        monkeypatch.setattr(
            monitor, "write_alerts", lambda *given: (signal.raise_signal(signal.SIGTERM), write(*given))
        )
        assert CliRunner().invoke(app, [*WORDS, "--quiet"]).exit_code == 0
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
