"""What users get wrong: one line, exit code 2, no traceback and no half-written file."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli import guard
from outlearn.cli.app import app
from outlearn.errors import MissingExtraError, WeightsError

GOOD = "a,b\n" + "".join(f"{a:.4f},{b:.4f}\n" for a, b in np.random.default_rng(0).normal(size=(60, 2)))


def invoke(*words):
    return CliRunner().invoke(app, [*words, "--detector", "knn"])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.csv").write_text(GOOD)
    return tmp_path


def parquet_bytes():
    import io

    stream = io.BytesIO()
    pl.DataFrame({"a": np.arange(1000.0)}).write_parquet(stream)
    return stream.getvalue()


BAD_TABLES = {
    "empty": b"",
    "header only": b"a,b\n",
    "one row": b"a,b\n1,2\n",
    "all missing": b"a,b,c\n" + b",,\n" * 20,
    "constant": b"a,b\n" + b"1,x\n" * 20,
    "binary": bytes(range(256)) * 20,
    "truncated parquet": parquet_bytes()[:1500],
    "rows of several lengths": b"a,b\n1,2\n1,2,3\n4,5\n",
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_bad_table_is_the_users_to_mend(folder, name):
    (folder / "bad.csv").write_bytes(BAD_TABLES[name])
    result = invoke("detect", "bad.csv", "--out", "out.csv", "--report", "out.html")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert sorted(p.name for p in folder.iterdir()) == ["bad.csv", "good.csv"]


ODD_TABLES = {
    "one column": "a\n" + "\n".join(map(str, np.random.default_rng(0).normal(size=50))),
    "infinities": GOOD + "inf,1\n-inf,2\n",
    "duplicate names": GOOD.replace("a,b", "a,a", 1),
    "mixed types": GOOD + "x,1\n2024-01-01,true\n",
    "a column that is empty": "a,b\n" + "".join(line.split(",")[0] + ",\n" for line in GOOD.splitlines()[1:]),
}


@pytest.mark.parametrize("name", ODD_TABLES)
def test_an_odd_table_is_handled_and_said_so(folder, name):
    (folder / "odd.csv").write_text(ODD_TABLES[name])
    result = invoke("detect", "odd.csv", "--out", "out.csv", "--top", "2")
    assert result.exit_code == 0, result.stderr
    assert pl.read_csv("out.csv").height == len(ODD_TABLES[name].strip().splitlines()) - 1
    said = " ".join(result.stdout.split())
    expected = {
        "infinities": "infinite values are read as missing",
        "duplicate names": "duplicate column names renamed",
        "mixed types": "not a number",
        "a column that is empty": "only where it differs: 'b' (missing)",
    }
    assert expected.get(name, "rows flagged") in said


@pytest.mark.parametrize("columns", [1_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_many_columns_by_fifty_rows(folder, columns):
    values = np.random.default_rng(0).normal(size=(50, columns))
    names = [f"c{i}" for i in range(columns)]
    pl.DataFrame(values, schema=names, orient="row").write_parquet("wide.parquet")
    assert invoke("detect", "wide.parquet", "--top", "2", "--out", "out.parquet").exit_code == 0
    assert pl.read_parquet("out.parquet").width == columns + 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.csv"], "no such file"),
        (["."], "a directory"),
        (["dataset:nope"], "no data set is called 'nope'"),
        (["good.csv", "--label-column", "b"], "allowed labels are"),
        (["good.csv", "--label-column", "c"], "no column 'c' for the label column in good.csv"),
        (["good.csv", "--anomaly-value", "-1"], "give --label-column too"),
        (["good.csv", "--ignore", "c"], "no column 'c' for the columns to ignore in good.csv"),
        (["good.csv", "--reference", "good.csv", "--time-column", "c"], "the time column in good.csv"),
        (["good.csv", "--reference", "dataset:iris"], "columns that the model reads are missing"),
        (["good.csv", "--out", "nowhere/out.csv"], "there is no folder nowhere"),
        (["good.csv", "--out", "out.xlsx"], "ends in .parquet"),
        (["good.csv", "--out", "good.csv"], "it is what is read"),
        (["good.csv", "--report", "nowhere/out.html"], "there is no folder nowhere"),
        (["good.csv", "--schema", "nothing.toml"], "cannot read the overrides file"),
        (["good.csv", "--budget", "lots"], "wanted a number of alerts"),
        (["good.csv", "--budget", "3/day"], "needs the time of each row"),
        (["good.csv", "--contamination", "7"], "contamination is 7"),
        (["good.csv", "--fdr", "0.1", "--budget", "3"], "--budget and --fdr were given"),
        (["good.csv", "--separator", "ab"], "separator is 'ab'"),
    ],
)
def test_a_wrong_request_is_the_users_to_mend(folder, words, said):
    result = invoke("detect", *words)
    assert result.exit_code == 2, result.stderr
    assert result.stderr.startswith("error: ") and said in result.stderr
    assert "Traceback" not in result.stderr
    assert [p.name for p in folder.iterdir()] == ["good.csv"]


def test_an_unknown_option_is_the_users_to_mend():
    assert invoke("detect", "good.csv", "--nope").exit_code == 2


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (MissingExtraError("install it with pip"), 2, "error: install it with pip\n"),
        (WeightsError("damaged"), 1, "error: damaged\n"),
        (
            ZeroDivisionError("by\nzero"),
            70,
            "internal error: ZeroDivisionError: by zero; run again with --debug\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted: no file is left half-written\n"),
    ],
)
def test_whose_error_it_is(error, code, said, capsys):
    import typer

    def command(debug):
        raise error

    with pytest.raises(typer.Exit) as ended:
        guard.guarded(command)(debug=False)
    assert ended.value.exit_code == code
    assert capsys.readouterr().err == said


def test_debug_prints_the_traceback():
    result = invoke("detect", "nothing.csv", "--debug")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr and result.stderr.splitlines()[-1].startswith("error: nothing.csv")


def test_the_installed_command_ends_with_the_code(folder):
    done = subprocess.run(
        [sys.executable, "-m", "outlearn", "detect", "nothing.csv"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: nothing.csv: no such file; check the path\n"


@pytest.mark.parametrize(
    ("words", "said"), [("detect good.csv --detector knn --top 60", "flagged"), ("--help", "")]
)
def test_a_reader_that_leaves_early_is_no_error(folder, words, said):
    program = f"{sys.executable} -m outlearn {words} | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == "" and said in done.stdout and done.returncode == 0
