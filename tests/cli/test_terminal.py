"""What reaches a terminal: no foreign text moves the cursor, hides or passes for markup; no password does."""

import re
import sqlite3
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.text import Text
from typer.testing import CliRunner

import outlearn
from outlearn.cli.app import app
from outlearn.masked import masked, secrets_of
from outlearn.report.console import clean_console
from outlearn.shown import shown

EVIL = (
    "\x1b[31mred\x1b]0;title\x07\x9b2J\u202egnp.exe\u2066\u200b\x08\r\x00\u2028"
    "[bold]loud[/bold][link=http://x]y[/link]"
)
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069]")
SECRET = "Tr0ub4dor&3"
SOURCES = Path(outlearn.__file__).parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code != 70, result.output
    return result.output + result.stderr


def clean(text):
    assert not HIDDEN.findall(text), HIDDEN.findall(text)
    return text


def hostile(folder):
    """A table whose names and cells are hostile, in a file that is named so."""
    rng = np.random.default_rng(0)
    name = EVIL.replace("\x00", "").replace("/", "")
    rows = pl.DataFrame({EVIL + "a": rng.normal(size=40), "b": [EVIL + str(i % 3) for i in range(40)]})
    path = folder / f"{name}.parquet"
    rows.write_parquet(path)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("detect", "{table}", "--detector", "knn", "--top", "3"),
        ("detect", "{table}", "--detector", "knn", "--label-column", EVIL),
        ("detect", "{table}", "--detector", EVIL),
        ("detect", EVIL.replace("\x00", "")),
        ("detect", "{table}", EVIL.replace("\x00", "")),
        ("detect", "{table}", f"--{EVIL}".replace("\x00", "")),
        (EVIL.replace("\x00", ""),),
        ("schema", "{table}"),
        ("fit", "{table}", "--out", "m", "--detector", "knn"),
        ("evaluate", "{table}", "--label-column", EVIL + "a"),
        ("explain", "{table}", "{table}", "--row", "1"),
        ("detect", "{table}", "--debug", "--top", EVIL),
        ("detect", "{table}", "--debug", "--kind", EVIL),
        ("detect", "{table}", "--schema", "{schema}"),
    ],
)
def test_hostile_names_and_cells_are_shown_and_not_obeyed(arguments, folder):
    table, schema = hostile(folder), folder / "s.toml"
    schema.write_text(f'["{EVIL[:4]}"]\nkind = 3\n'.replace("\x00", ""), encoding="utf-8")
    words = [part.format(table=table, schema=schema) if "{" in part else part for part in arguments]
    clean(told(*words))


def test_the_console_keeps_lines_styles_and_joiners(capsys):
    clean_console(width=30).print(Text("a\x1b[0m\u202eb\n", style="bold"), "[red]c", end="")
    assert capsys.readouterr().out == "a[0mb\n [red]c"
    assert shown("a\u200db\tc\n\x1b") == "a\u200db c\n "


def test_everything_is_printed_by_the_two_ways_that_clean():
    plain = re.compile(
        r"typer\.echo\((?!__version__|json|line\))|click\.echo|(?<!Clean)Console\((?!Console)|print_exc"
    )
    found = {
        path.name: plain.findall(path.read_text(encoding="utf-8"))
        for room in ("cli", "report")
        for path in (SOURCES / room).glob("*.py")
        if path.name not in ("say.py", "console.py")
    }
    assert {name: uses for name, uses in found.items() if uses} == {}


# ---- secrets


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:{secret}@db.invalid/shop",
        "postgresql://ann:pa/ss@{secret}@db.invalid:5432/shop",
        "postgresql://ann:?{secret}@db.invalid/shop?application_name=x",
        "postgresql://db.invalid/shop?user=ann&password={secret}",
        "postgresql://db.invalid/shop?sslpassword={secret}&sslmode=require",
        "mysql://db.invalid/shop?ssl_ca=x&PassWd={secret}",
        "snowflake://ann@acct/db?token={secret}",
        "x+y://db.invalid/?api_key={secret}",
        "x://db.invalid/?access-token={secret};b=1",
        "mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BUID%3Dann%3BPWD%3D{secret}%3B",
        "bigquery://p/d?credentials_base64={secret}",
    ],
)
def test_a_secret_of_an_address_is_masked_wherever_it_stands(url, folder):
    url = url.format(secret="hunter22")
    for text in (url, f"cannot reach '{url}': no", f"({url})"):
        assert "hunter22" not in masked(text)
    secrets = secrets_of(url)
    assert any("hunter22" in secret for secret in secrets)
    assert all(secret not in masked(f"DSN has 'pwd={secret}'", secrets) for secret in secrets)
    for arguments in (
        ("detect", url, "--query", "select 1"),
        ("detect", url),
        ("detect", url, url),
        ("score", url, url),
    ):
        assert "hunter22" not in told(*arguments, *(["--debug"] if arguments[0] == "score" else []))


def test_what_is_no_secret_stays():
    plain = "sqlite:////data/x.db?mode=ro&uri=true and https://a.example/b?c=d at 12:30, ann@b.example"
    assert masked(plain) == plain


def test_a_planted_secret_is_in_no_output(folder):
    with sqlite3.connect("rows.db") as connection:
        connection.execute("create table t (a real, b real, y integer)")
        rows = [
            (*row, i == 3 or i == 9)
            for i, row in enumerate(np.random.default_rng(0).normal(size=(40, 2)).tolist())
        ]
        connection.executemany("insert into t values (?, ?, ?)", rows)
    connection.close()
    quoted = "Tr0ub4dor%263"
    url = f"sqlite:///file:rows.db?uri=true&password={quoted}&token={quoted}"
    asked = ("--query", "select * from t", "--label-column", "y", "--anomaly-value", "1")
    outputs = ("--out", "scored.csv", "--report", "report.html", "--alerts", "alerts.jsonl")
    words = [
        told("detect", url, *asked, "--detector", "knn", *outputs),
        told("fit", url, *asked, "--detector", "knn", "--out", "model"),
        told("score", "model", url, *asked[:2], "--out", "again.jsonl"),
        told("score", "model", url, "--query", "select nothing from t"),
        told("evaluate", url, *asked, "--detector", "knn", "--folds", "2"),
        told("hunt", url, "--query", "select a, b from t", "--cases", url),
    ]
    assert "flagged" in words[0] and "Model: model" in words[1]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 6
    for text in [*words, *(path.read_bytes().decode("utf-8", "replace") for path in files)]:
        assert SECRET not in text and quoted not in text and SECRET.replace("&", "&amp;") not in text
