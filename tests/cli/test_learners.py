"""`outlearn learners`, and learners by name in the commands that take a detector."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.learners import pretrained
from outlearn.learners.catalogue import CATALOGUE, Recipe
from outlearn.weights.checkpoint import shipped


def run(*words, code=0):
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


def test_each_learner_is_listed_with_its_words(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    told = run("learners")
    for name, kind in CATALOGUE.items():
        (line,) = [line for line in told.splitlines() if line.split()[:1] == [name] and kind.idea in line]
        assert all(words in line for words in (kind.suits, kind.cost, kind.explains))
    for family in ("in-context", "gradient", "metric"):
        assert f"\n{family} " in told
    assert "1,107 kB" in told and "--detector maml" in told


@pytest.mark.parametrize("width", ["60", "80", "120"])
def test_no_word_is_cut_off(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    told = run("learners")
    assert "…" not in told and max(map(len, told.splitlines())) <= int(width)


def test_programs_read_the_same_as_json(monkeypatch, tmp_path):
    monkeypatch.setattr("outlearn.weights.checkpoint.HERE", tmp_path)
    (tmp_path / "maml.safetensors").write_bytes(bytes(1234))
    listed = json.loads(run("learners", "--json"))
    assert [one["name"] for one in listed] == list(CATALOGUE)
    assert {one["name"]: one["weights_bytes"] for one in listed if one["weights_bytes"]} == {"maml": 1234}
    for one in listed:
        kind = CATALOGUE[one.pop("name")]
        one.pop("weights_bytes")
        assert one == {key: getattr(kind, key) for key in ("family", "idea", "suits", "cost", "explains")}
    assert "1 kB" in run("learners") and "none: train it" in run("learners")


def test_a_learner_serves_detect_fit_score_explain_and_evaluate(monkeypatch, tmp_path):
    path = tmp_path / "protonet.safetensors"
    recipe = Recipe(learner="protonet", widths=(8, 4), embedding=4)
    pretrained.save_table_learner(
        path, recipe, recipe.build().start(), corpus="none", command="by hand", notes={}
    )
    monkeypatch.setattr(pretrained, "shipped", lambda name: path if name == "protonet" else shipped(name))
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(60, 3))
    rows[-1] = 9
    frame = pl.DataFrame(rows, schema=["a", "b", "c"], orient="row").with_columns(y=pl.int_range(60) >= 54)
    frame.write_csv("rows.csv")
    by = ("--detector", "protonet")
    told = run("detect", "rows.csv", *by, "--ignore", "y", "--top", "1")
    assert "of 60 rows flagged" in told
    run("fit", "rows.csv", *by, "--ignore", "y", "--out", "m.outlearn")
    assert "compared with rows.csv" in run("score", "m.outlearn", "rows.csv", "--top", "1")
    assert run("explain", "m.outlearn", "rows.csv", "--row", "59").startswith("Row 59, score ")
    assert "protonet" in run(
        "evaluate", "rows.csv", "--label-column", "y", "--no-peers", "--splits", "1", *by
    )


def test_help_points_to_the_list_of_learners(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    for command in ("detect", "fit", "evaluate"):
        assert "outlearn learners" in run(command, "--help")
    assert "no detector is called 'mamma'; there are profiles, incontext, maml" in run(
        "detect", "dataset:iris", "--detector", "mamma", code=2
    )
