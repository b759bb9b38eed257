"""Ctrl-C half way through the writing of a result."""

import signal
import subprocess
import sys

import numpy as np
import polars as pl

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
