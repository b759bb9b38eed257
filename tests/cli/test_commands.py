import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn import __version__
from outlearn.cli.app import app


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder that holds transactions.csv: 200 rows, of which the last two are odd."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    values = np.random.default_rng(0).normal(100, 10, size=(200, 3)).round(2)
    values[198:, 0] = [900.25, -700.5]
    frame = pl.DataFrame(values, schema=["amount", "delay", "size"], orient="row")
    frame = frame.with_columns(
        verdict=pl.Series([*["normal"] * 5, *[""] * 193, "anomaly", ""]), y=pl.int_range(200) >= 180
    )
    frame.write_csv("transactions.csv")
    frame.drop("verdict", "y").write_parquet("rows.parquet")
    return tmp_path


def run(*words, code=0):
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result


def test_detect_prints_rows_reasons_and_limits(folder):
    told = run("detect", "rows.parquet", "--detector", "knn", "--top", "2").output
    assert "of 200 rows flagged" in told and "What cannot be claimed" in told
    assert "amount is 900.25, above the usual" in told and "amount is -700.5, below the usual" in told


def test_detect_writes_scored_rows_and_a_report(folder):
    told = run(
        "detect", "transactions.csv", "--detector", "knn", "--top", "2", "--budget", "2",
        "--out", "scored.parquet", "--report", "report.html",
    ).output  # fmt: skip
    assert "Scored rows: scored.parquet" in told and "Report: report.html" in told
    scored = pl.read_parquet("scored.parquet")
    assert scored.filter("flagged")["amount"].to_list() == [900.25, -700.5]
    assert (folder / "report.html").read_text().startswith("<!")


def test_detect_quietly_prints_nothing(folder):
    assert run("detect", "rows.parquet", "--detector", "knn", "--quiet").output == ""


def test_a_reference_and_a_rate_make_a_promise(folder):
    told = run(
        "detect", "rows.parquet", "--reference", "dataset:iris", "--detector", "knn", code=2
    ).output  # fmt: skip
    assert "columns that the model reads are missing" in told
    told = run(
        "detect",
        "rows.parquet",
        "--reference",
        "rows.parquet",
        "--false-alarm-rate",
        "0.1",
        "--detector",
        "knn",
    ).output
    assert "Promise:" in told and "compared with rows.parquet (200 rows)" in told


def test_labels_and_columns_to_ignore(folder):
    told = run(
        "detect", "transactions.csv", "--label-column", "verdict", "--ignore", "y", "--ignore", "size",
        "--detector", "bagged_trees", "--top", "1",
    ).output  # fmt: skip
    assert "labels in column 'verdict': anomaly 1, normal 5, none 194" in told
    assert "2 columns used" in told


def test_fit_score_explain(folder):
    told = run("fit", "rows.parquet", "--detector", "knn", "--out", "model.outlearn").output
    assert "Model: model.outlearn (it holds 200 rows" in told
    told = run("score", "model.outlearn", "rows.parquet", "--out", "scored.csv", "--top", "1").output
    assert "compared with rows.parquet" in told
    assert pl.read_csv("scored.csv").height == 200
    told = run("explain", "model.outlearn", "rows.parquet", "--row", "198").output
    assert told.startswith("Row 198, score ") and "amount is 900.25" in told and "Score falls by" in told
    assert (
        "row 200 was asked for"
        in run("explain", "model.outlearn", "rows.parquet", "--row", "200", code=2).output
    )


def test_evaluate_prints_figures_beside_peers_and_chance(folder):
    told = run(
        "evaluate", "transactions.csv", "--label-column", "y", "--detector", "lof", "--ignore", "verdict",
        "--splits", "1",
    ).output  # fmt: skip
    for word in (
        "lof",
        "iforest",
        "knn",
        "chance",
        "AUROC",
        "Average precision",
        "Precision at budget",
    ):
        assert word in told
    assert "contaminated, splits: 1; 140 training rows; 60 test rows with 6 anomalies" in told


def test_figures_fit_a_narrow_terminal(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    told = run("evaluate", "dataset:iris", "--detector", "cleaned_knn", "--no-peers", "--splits", "1").output
    assert "…" not in told


def test_evaluate_knows_the_labels_of_bundled_sets(folder):
    told = run("evaluate", "dataset:iris", "--detector", "knn", "--no-peers", "--splits", "1").output
    assert "knn" in told and "iforest" not in told


def test_datasets_lists_what_can_be_used(folder):
    told = run("datasets").output
    assert "dataset:breast_cancer" in told and "a malignant tumour" in told


def test_schema_is_shown_written_and_used(folder):
    told = run("schema", "transactions.csv", "--label-column", "verdict", "--out", "schema.toml").output
    assert "amount" in told and "label" in told
    text = (folder / "schema.toml").read_text()
    (folder / "schema.toml").write_text(text.replace('[columns."y"]\n', '[columns."y"]\nunit = "?"\n'))
    told = run(
        "detect", "transactions.csv", "--schema", "schema.toml", "--detector", "knn", "--top", "0"
    ).output
    assert "labels in column 'verdict': anomaly 1" in told


def test_reading_options_reach_the_reader(folder):
    (folder / "odd.txt").write_bytes("größe;preis\n1.234,5;2\n1.111,25;3\n999,0;2,5\n".encode("cp1252"))
    told = run(
        "schema", "odd.txt", "--separator", ";", "--encoding", "cp1252", "--decimal", ",", "--thousands", "."
    ).output
    assert "größe" in told and told.count("numeric") == 2
    (folder / "plain.txt").write_text("up   2.5\ndown 3.5\nup   4.5\n")
    told = run("schema", "plain.txt", "--separator", "whitespace", "--header").output
    assert told.split()[4] == "up"
    assert "column_2" in run("schema", "plain.txt", "--no-header").output


def test_a_database_can_be_asked(folder):
    import sqlite3

    with sqlite3.connect("rows.db") as connection:
        connection.execute("create table t (a real, b real)")
        values = np.random.default_rng(0).normal(size=(50, 2)).tolist()
        connection.executemany("insert into t values (?, ?)", values)
    connection.close()
    told = run(
        "detect", "sqlite:///rows.db", "--query", "select a, b from t where a < 9", "--detector", "knn"
    ).output
    assert "of 50 rows flagged" in told


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_the_version_is_told(words):
    assert run(*words).output.strip() == __version__


def test_every_command_has_a_help_text():
    assert "Find the odd rows" in run("--help").output
    for command in app.registered_commands:
        assert "Usage" in run(command.callback.__name__.replace("_", "-"), "--help").output
