"""The benchmark of tuning: a tiny run answers every question, and is gone on with."""

import json
from importlib import import_module

import numpy as np
import pytest


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("one", "two", "three"):
        y = (np.arange(90) < 12).astype(int)
        np.savez(tmp_path / f"{name}.npz", X=rng.normal(size=(90, 3)) + 3 * y[:, None], y=y)
    (tmp_path / "manifest.csv").write_text("file,licence\none.npz,\ntwo.npz,\nthree.npz,\n")
    return tmp_path


def test_strategies_are_judged_beside_baselines(data, monkeypatch, capsys, few_trees):
    module = import_module("benchmarks.studies.tuning")
    from outlearn.tuning.strategies import adversary
    from outlearn.tuning.strategies.policy import SearchPolicy
    from outlearn.tuning.strategies.surrogate import Surrogate

    surrogate, policy = Surrogate.learn, SearchPolicy.learn
    monkeypatch.setattr(Surrogate, "learn", lambda t, s=0: surrogate(t, s, steps=3, width=8))
    monkeypatch.setattr(SearchPolicy, "learn", lambda t, s=0: policy(t, s, rounds=1))
    monkeypatch.setattr(adversary, "STEPS", 20)
    monkeypatch.setattr(module, "CLASSICAL", ("lof", "kmeans"))
    out = data / "tuning.json"
    words = [str(data), "--synthetic", "2", "--candidates", "3", "--budget", "2", "--folds", "2"]
    words += ["--work", str(data / "work"), "--out", str(out)]
    module.STUDY.run(words)
    rows, said = json.loads(out.read_text())["rows"], capsys.readouterr().out
    assert {row["set"] for row in rows} == {"one", "two", "three"}
    assert {row["detectors"] for row in rows} == {"lof kmeans", "lof", "kmeans"}
    assert {row["kind"] for row in rows} == {
        module.BLIND,
        module.TOLD,
        *(f"{module.REGRET} {n}" for n in module.TRIALS),
    }
    for row in rows:
        values = row["values"]
        if row["kind"] == module.BLIND:
            assert set(values) == {*module.STRATEGIES, module.EVERY, module.ORACLE, module.TAU}
        elif row["kind"] == module.TOLD:
            assert set(values) == {*module.STRATEGIES, *module.PEERS, module.EVERY, module.ORACLE}
            assert all(0 <= values[way] <= values[module.ORACLE] + 1e-3 for way in module.PEERS)
        else:
            assert set(values) == {*module.SEARCHING, *module.PEERS}
            assert all(0 <= value <= 1 for value in values.values())
        if row["kind"] == f"{module.REGRET} 100":  # more trials than configurations
            assert all(values[way] == 0 for way in module.PEERS)
    assert "| maml |" in said and "Kendall" in said
    before = out.stat().st_mtime_ns
    module.STUDY.run(words)
    assert out.stat().st_mtime_ns == before
