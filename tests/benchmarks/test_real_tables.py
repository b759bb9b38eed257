"""The benchmark on real tables: folds, figures and peers on three small owners."""

import csv
import json
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from outlearn.learners.profiles.fit import fit, fit_order
from outlearn.learners.training import real


@pytest.fixture
def module(monkeypatch, few_trees):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return import_module("benchmarks.studies.real_tables")


@pytest.fixture
def tables(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    lines = [("file", "source")]
    (tmp_path / "tables" / "small").mkdir(parents=True)
    for name in ("anna", "ben", "cleo", "dora", "emil", "fritz"):
        y = (np.arange(90) < 10).astype(int)
        np.savez(
            tmp_path / "tables" / "small" / f"{name}.npz", X=rng.normal(size=(90, 3)) + 3 * y[:, None], y=y
        )
        lines.append((f"small/{name}.npz", name))
    with (tmp_path / "tables" / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    return tmp_path / "tables"


def run(module, monkeypatch, tables, *words: str) -> tuple[list[dict], str]:
    monkeypatch.setattr(module, "fit", partial(fit, steps=2))
    monkeypatch.setattr(module, "fit_order", partial(fit_order, steps=2))
    monkeypatch.setattr(real, "PLAIN", 2)
    out = tables.parent / "found.json"
    places = ["--work", str(tables.parent / "work"), "--out", str(out), "--workers", "1"]
    command = [str(tables), *places, *words]
    module.STUDY.run(command)
    return json.loads(out.read_text())["rows"], out.with_suffix(".md").read_text()


@pytest.mark.long
def test_each_table_is_judged_once_by_a_network_that_did_not_see_its_owner(module, monkeypatch, tables):
    seen = []
    own = module.FoldedTables.network

    def network(self, taught, **options):
        seen.append(set(taught))
        return own(self, taught, **options)

    monkeypatch.setattr(module.FoldedTables, "network", network)
    monkeypatch.setattr(module, "FOLDS", 2)
    monkeypatch.setattr(module, "LABEL_FREE", ("knn5", "ecod"))  # the others cost half a minute
    monkeypatch.setattr(module, "LABELLED", ("siamese", "nearest case"))
    rows, text = run(module, monkeypatch, tables, "--every", "6")
    assert sorted(row["episode"] for row in rows) == list(range(6 * 5))
    assert len(seen) == 2
    assert all(row["episode"] not in seen[module.fold_of(Path(row["set"]).name)] for row in rows)
    assert {row["group"] for row in rows} == {"small"}
    free = next(row for row in rows if row["use"] == "reference")
    assert set(free["peers"]) == set(module.LABEL_FREE) and free["peers"]["knn5"][0] > 0.9
    cases = next(row for row in rows if row["use"] == "cases" and "peers" in row)
    assert set(cases["peers"]) == set(module.LABELLED) and cases["f1"] <= 1
    assert "python -m benchmarks run real_tables " in text and "verdicts" in text


def test_gains_flags_and_distances_are_what_they_say(module):
    from benchmarks.studies.real_tables_report import gain

    assert gain([([0.9, 0.5], [0.8, 0.6])] * 6, 0).startswith("+10.0")
    assert gain([([0.9, 0.5], None)] * 6, 0) == "–"
    assert module.pair(np.array([0, 1]), np.array([0.0, 1.0])) == [1.0, 1.0]


def test_the_curve_is_drawn_over_the_number_of_tables(module, monkeypatch, tables):
    monkeypatch.setattr(module, "FOLDS", 2)
    monkeypatch.setattr(module, "CURVE", (2, 4))
    rows, text = run(module, monkeypatch, tables, "--curve")
    assert {row["asked"] for row in rows} == {2, 4}
    assert all(2 <= row["tables"] <= row["asked"] for row in rows)
    assert "reference" in text and (tables.parent / "found.svg").read_text().startswith("<svg")


def test_each_group_of_statistics_is_left_out_once(module, monkeypatch, tables):
    study = import_module("benchmarks.studies.lean_statistics")
    groups = {name: study.GROUPS[name] for name in ("isolation", "mismatch")}
    monkeypatch.setattr(study, "GROUPS", groups)
    for importer in (module, study):
        monkeypatch.setattr(importer, "FOLDS", 2)
    monkeypatch.setattr(study, "ROWS", 60)
    monkeypatch.setattr(study, "fit_order", partial(fit_order, steps=2))
    monkeypatch.setattr(study, "costs", lambda: dict.fromkeys(groups, 1.5))
    out = tables.parent / "found.json"
    places = ["--work", str(tables.parent / "work"), "--out", str(out), "--workers", "1"]
    uses = ["--uses", "reference", "unlabelled"]
    command = [str(tables), *places, *uses]
    study.STUDY.run(command)
    rows = json.loads(out.read_text())["rows"]
    assert len(rows) == 3 * 6 * 2 and {row["without"] for row in rows} == {"all", *groups}
    assert "1.5" in out.with_suffix(".md").read_text()


def test_verdicts_on_the_own_list_find_more_than_a_forest_and_are_resumed(
    module, monkeypatch, tables, capsys
):
    study = import_module("benchmarks.studies.verdicts")
    monkeypatch.setattr(module, "fit", partial(fit, steps=2))
    monkeypatch.setattr(real, "PLAIN", 2)
    monkeypatch.setattr(study, "ASKED", (3, 6, 12))
    for importer in (module, study):
        monkeypatch.setattr(importer, "FOLDS", 2)
    out = tables.parent / "found.json"
    places = ["--work", str(tables.parent / "work"), "--out", str(out), "--workers", "1"]
    command = [str(tables), *places]
    study.STUDY.run(command)
    rows = json.loads(out.read_text())["rows"]
    assert len(rows) == 2 * 5, "two of six tables, five ways"
    ours = [row for row in rows if row["way"] == "default"]
    assert all(row["found"] == sorted(row["found"]) and row["found"][-1] <= row["there"] for row in ours)
    assert all(set(row["unseen"]) <= {"3", "6", "12"} for row in ours) and any(row["unseen"] for row in ours)
    assert sum(row["found"][0] for row in ours) >= 4, "anomalies that stand apart come first"
    text = out.with_suffix(".md").read_text()
    assert "forest with feedback" in text and "not yet seen" in text

    monkeypatch.setattr(study, "measure", None)
    study.STUDY.run(command)
    assert json.loads(out.read_text())["rows"] == rows, "nothing was run again"


def test_verdicts_are_read_a_round_at_a_time(module):
    study = import_module("benchmarks.studies.verdicts")

    class Learned:
        """Scores rows by their only column, and counts the verdicts that it is given."""

        def __init__(self):
            self.seen = []

        def adapt(self, X, y):
            self.seen.append(int((y >= 0).sum()))
            self.support_scores = X[:, 0]
            return self

    learned, X = Learned(), np.arange(10.0)[:, None]
    way = study.ByDefault(learned, X, feedback=True)
    asked = []
    for _ in range(7):
        asked.append(way.ask())
        way.tell(asked[-1], 0)
    assert asked == [9, 8, 7, 6, 5, 4, 3] and learned.seen == [0, 3, 6]


def test_each_kind_of_more_tasks_is_learnt_from_beside_the_tables(module, monkeypatch, tables):
    study = import_module("benchmarks.studies.more_tasks")
    monkeypatch.setattr(study, "fit_order", partial(fit_order, steps=2))
    monkeypatch.setattr(study, "SYNTHETIC", 4)
    for importer in (module, study):
        monkeypatch.setattr(importer, "FOLDS", 2)
    monkeypatch.setattr(study, "BUNDLED", study.BUNDLED[:1])
    out = tables.parent / "found.json"
    places = ["--work", str(tables.parent / "work"), "--out", str(out), "--workers", "1"]
    command = [str(tables), *places]
    study.STUDY.run(command)
    stored = json.loads(out.read_text())
    tasks = stored["settings"]["tasks"]
    assert tasks["synthetic tables"] == 4 and tasks["class against class"] == 3 * 2 * 2
    assert len(stored["rows"]) == (len(study.KINDS) + 2) * 6 * 2
    assert "three networks" in out.with_suffix(".md").read_text()


def test_a_varied_table_keeps_its_rows_and_loses_columns_or_units(module, tables):
    study = import_module("benchmarks.studies.more_tasks")
    episodes = real.TableEpisodes((tables / "small" / "anna.npz",), (0,), 1)
    drawn, narrow, bent = (study.Varied(episodes, change)(1) for change in ("rows", "columns", "units"))
    assert (narrow.support_x == drawn.support_x).all(), "three columns are few enough"
    assert bent.support_x.shape == drawn.support_x.shape and not np.allclose(bent.support_x, drawn.support_x)
    ranks = [np.argsort(x, axis=0, kind="stable") for x in (bent.support_x, drawn.support_x)]
    assert (ranks[0] == ranks[1]).all(), "increasing functions keep the order"


def test_every_statistic_is_of_one_group_that_has_a_cost(module, monkeypatch):
    study = import_module("benchmarks.studies.lean_statistics")
    monkeypatch.setattr(study, "ROWS", 60)
    whole = [name for name in study.GROUPS if name not in study.MOST_COLUMNS]
    columns = sorted(column for name in whole for column in study.columns_of(name))
    assert columns == list(range(2 * len(study.LEAN_STATISTICS)))
    spent = study.costs()
    assert set(spent) == set(study.GROUPS) and min(spent.values()) > 0
