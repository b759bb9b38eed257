"""The sinusoid benchmark: its waves, and a short run from start to report."""

import json
import math
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sinusoid(monkeypatch):
    return import_module("benchmarks.studies.sinusoid")


@pytest.fixture
def report(monkeypatch):
    return import_module("benchmarks.studies.sinusoid_report").report


def result(**changes):
    """What a run leaves, with errors that fall by half a step."""
    plain = {
        "run": "MAML 10-shot",
        "steps": 70,
        "seed": 3,
        "inner_steps": 1,
        "inner_rate": "0.01",
        "outer_rate": "0.001",
        "target": 0.5,
        "published": [[1, 0.4]],
        "mse": [2.0**-k for k in range(11)],
        "interval": [0.1] * 11,
        "example": None,
    }
    return {**plain, **changes}


def test_every_task_is_one_sine_of_the_protocol(sinusoid):
    batch = sinusoid.waves(np.random.default_rng(0), 300, 5, 7)
    assert batch.support_x.shape == (300, 5, 1) and batch.query_y.shape == (300, 7, 1)
    assert (batch.support_w == 1).all() and (batch.query_w == 1).all()
    x = torch.cat([batch.support_x, batch.query_x], 1).double()
    y = torch.cat([batch.support_y, batch.query_y], 1).double()
    # a sin(x - p) = u sin x + v cos x with u = a cos p and v = -a sin p, so two points give all others.
    basis = torch.cat([x.sin(), x.cos()], 2)  # (T, N, 2)
    uv = torch.linalg.lstsq(basis, y).solution
    torch.testing.assert_close(basis @ uv, y, atol=1e-5, rtol=0)
    u, v = uv[:, 0, 0], uv[:, 1, 0]
    height, phase = torch.hypot(u, v), torch.atan2(-v, u)
    for values, low, high in ((height, 0.1, 5.0), (phase, 0.0, math.pi), (x, -5.0, 5.0)):
        assert low - 1e-4 <= values.min() < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < values.max() <= high + 1e-4


def test_the_wave_is_its_closed_form(sinusoid):
    x = np.array([0.0, 1.0, 1.0 + math.pi / 2])
    np.testing.assert_allclose(sinusoid.wave(x, 3.0, 1.0), [-3 * math.sin(1), 0.0, 3.0], atol=1e-12)


def test_test_tasks_are_none_of_the_training(sinusoid):
    tests = sinusoid.waves(sinusoid.derive(sinusoid.TEST_SEED), 25, 10, 10)
    trained = sinusoid.waves(sinusoid.derive(sinusoid.TEST_SEED, 0), 25, 10, 10)
    assert not torch.isin(tests.support_x, trained.support_x).any()


def test_the_table_tells_what_is_met_missed_and_no_longer_finite(report, tmp_path):
    lost = [3.0, 0.6, 40.0, *[None] * 8]
    runs = [
        result(),
        result(run="Meta-SGD 5-shot", mse=lost, interval=lost),
        result(run="ANIL 10-shot", target=None),
    ]
    report(runs, tmp_path / "out", "the command")
    text = (tmp_path / "out.md").read_text()
    maml, metasgd, anil = (
        next(li for li in text.splitlines() if li.startswith(f"| {r['run']}")) for r in runs
    )
    assert "0.500 ± 0.100" in maml and maml.endswith("|    met |")
    assert metasgd.count("not finite") == 2 and metasgd.endswith("| MISSED |")
    assert "met" not in anil and "MISSED" not in anil
    assert "above 10 from 2 steps on and is not finite from 3 on" in text
    assert "70 meta-steps, seed 3" in text and "    the command" in text
    assert (tmp_path / "out.svg").read_text().startswith("<svg")


def test_a_short_run_reports_and_goes_on_from_its_state(sinusoid, monkeypatch, tmp_path):
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    words = ["--runs", "MAML 10-shot", "--steps", "3", "--out", str(tmp_path / "out")]

    def run():
        sinusoid.STUDY.run([*words, "--work", str(tmp_path / "work")])
        return json.loads((tmp_path / "out.json").read_text())["runs"]

    (first,) = run()
    assert first["run"] == "MAML 10-shot" and first["steps"] == 3 and len(first["mse"]) == 11
    assert 2 < first["mse"][0] < 6, "the power of a wave is about 4.5, and three steps learn little"
    assert "| MAML 10-shot |" in (tmp_path / "out.md").read_text()
    assert "MAML 10-shot: one wave" in (tmp_path / "out.svg").read_text()
    (state,) = (tmp_path / "work").iterdir()
    written = state.stat().st_mtime_ns
    (tmp_path / "out.json").unlink()
    assert run() == [first]
    assert state.stat().st_mtime_ns == written, "a finished training is not repeated"
