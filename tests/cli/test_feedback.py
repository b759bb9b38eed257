"""`outlearn label` and `outlearn ask`, as typed."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli import ask as module
from outlearn.cli.app import app

PLANTED = (20, 90)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A table with two odd rows, a model of it and the table scored."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    values = np.round(rng.normal(size=(120, 2)), 3)
    values[list(PLANTED)] = 6.5
    frame = pl.DataFrame(values, schema=["heat", "flow"]).with_columns(shop=pl.Series(["x", "y", ""] * 40))
    frame.write_csv("t.csv")
    run("fit", "t.csv", "--detector", "iforest", "--out", "m.outlearn", "--quiet")
    return tmp_path


def run(*words, code=0, said=None):
    result = CliRunner().invoke(app, list(map(str, words)), input=said)
    assert result.exit_code == code, result.output
    return result.output


def mark(verdicts):
    run("score", "m.outlearn", "t.csv", "--out", "scored.csv", "--quiet")
    frame = pl.read_csv("scored.csv")
    cells = [verdicts.get(row) for row in range(frame.height)]
    frame.with_columns(verdict=pl.Series(cells, dtype=pl.String)).write_csv("scored.csv")


def kept(path="m.verdicts.jsonl"):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_verdicts_of_a_scored_file_are_learnt_and_kept(folder):
    mark({20: "anomaly", 3: "0", 4: "perhaps"})
    before = Path("m.outlearn").read_bytes()
    told = run("label", "m.outlearn", "scored.csv", "--by", "ana")
    assert "learnt from scored.csv: 1 anomaly, 1 normal row" in told
    assert "skipped row 4: 'perhaps' is no verdict" in told and " - row 20 (anomaly): score " in told
    assert "Verdicts: m.verdicts.jsonl (2 added)" in told and "Model: m.outlearn" in told
    assert Path("m.outlearn").read_bytes() != before
    assert [(each["by"], each["row"], each["verdict"], each["origin"]) for each in kept()] == [
        ("ana", 3, "normal", "file"),
        ("ana", 20, "anomaly", "file"),
    ]
    assert "(0 added, 2 already there)" in run("label", "m.outlearn", "scored.csv")
    assert run("label", "m.outlearn", "scored.csv", "--quiet") == ""


def test_another_model_and_another_store_can_be_named(folder):
    mark({20: "1"})
    before = Path("m.outlearn").read_bytes()
    words = ("--out", "new.outlearn", "--verdicts", "team.jsonl", "--label-column", "verdict")
    assert "Model: new.outlearn" in run("label", "m.outlearn", "scored.csv", *words)
    assert Path("m.outlearn").read_bytes() == before and len(kept("team.jsonl")) == 1
    assert "flagged" in run("score", "new.outlearn", "t.csv")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("label", "m.outlearn", "t.csv"), "no column 'verdict'"),
        (("label", "m.outlearn", "t.csv", "--label-column", "shp"), "did you mean shop?"),
        (("label", "m.outlearn", "t.csv", "--label-column", "shop"), "one that the model judges rows by"),
        (("label", "m.outlearn", "t.csv", "--out", "t.csv"), "it is what is read"),
        (("label", "m.outlearn", "t.csv", "--verdicts", "no/v.jsonl"), "there is no folder no"),
        (("label", "none.outlearn", "t.csv"), "no model at none.outlearn"),
        (("ask", "none.outlearn", "t.csv"), "no model at none.outlearn"),
        (("ask", "m.outlearn", "nowhere.csv"), "no such file"),
        (("ask", "m.outlearn", "t.csv", "--verdicts", "t.csv"), "it is what is read"),
    ],
)
def test_a_mistake_is_told_in_one_line(folder, words, complaint):
    told = run(*words, code=2)
    assert complaint in told and told.startswith("error: ") and "Traceback" not in told


def test_asking_finds_the_planted_rows_and_says_what_changed(folder):
    told = run("ask", "m.outlearn", "t.csv", "--rows", "4", "--by", "ana", said="a\na\nwhat\nn\nskip\n")
    assert "1 of at most 4: row " in told and "heat  6.5" in told and "above the usual" in told
    assert "that is none of the answers" in told
    assert "learnt: 2 anomalies, 1 normal row, 1 unsure" in told and "score" in told
    assert "Verdicts: m.verdicts.jsonl" in told and "Model: m.outlearn" in told
    assert {each["row"] for each in kept()[:2]} == set(PLANTED)
    assert [each["verdict"] for each in kept()] == ["anomaly", "anomaly", "normal", "unsure"]
    again = run("ask", "m.outlearn", "t.csv", "--rows", "1", said="n\n")
    assert not any(f"1: row {row}," in again for row in PLANTED)


@pytest.mark.parametrize("said", ["", "q\n"])
def test_who_quits_at_once_changes_nothing(folder, said):
    before = Path("m.outlearn").read_bytes()
    assert "nothing was learnt" in run("ask", "m.outlearn", "t.csv", said=said)
    assert Path("m.outlearn").read_bytes() == before and not Path("m.verdicts.jsonl").exists()


def test_ctrl_c_loses_no_answer_and_the_next_call_learns_it(folder, monkeypatch):
    from outlearn.feedback.verdict import Answer

    answers = iter([Answer.ANOMALY])

    def interrupted():
        try:
            return next(answers)
        except StopIteration:
            raise KeyboardInterrupt from None

    with monkeypatch.context() as patch:
        patch.setattr(module, "_answer", interrupted)
        run("ask", "m.outlearn", "t.csv", code=130)
    assert len(kept()) == 1
    assert "learnt: 1 anomaly, 0 normal rows" in run("ask", "m.outlearn", "t.csv", said="q\n")


def test_of_a_wide_row_the_first_cells_are_shown_and_none_of_ours(folder):
    frame = pl.read_csv("t.csv").with_columns(
        **{f"c{i}": pl.Series(np.random.default_rng(i).normal(size=120)) for i in range(50)}
    )
    frame.write_csv("w.csv")
    run("fit", "w.csv", "--detector", "iforest", "--out", "w.outlearn", "--quiet")
    run("score", "w.outlearn", "w.csv", "--out", "w_scored.csv", "--quiet")
    told = run("ask", "w.outlearn", "w_scored.csv", said="q\n")
    assert "  … and 13 more columns" in told and "  anomaly_score" not in told


def test_points_of_series_are_not_asked_about(folder):
    frame = pl.DataFrame({"when": [f"2026-01-01 {i // 60:02d}:{i % 60:02d}" for i in range(300)]})
    frame.with_columns(heat=np.sin(np.arange(300) / 5)).write_csv("s.csv")
    run("fit", "s.csv", "--time-column", "when", "--out", "s.outlearn", "--quiet")
    assert "`outlearn label`" in run("ask", "s.outlearn", "s.csv", code=2)


@pytest.mark.parametrize("command", ["label", "ask"])
def test_a_model_and_its_verdicts_are_no_one_file(folder, command):
    mark({20: "anomaly"})
    told = run(
        command, "m.outlearn", "scored.csv", "--out", "x.jsonl", "--verdicts", "x.jsonl", code=2, said="a\n"
    )
    assert "give each a file of its own" in " ".join(told.split()) and not Path("x.jsonl").exists()
