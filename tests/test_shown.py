"""Foreign text stays within its line, and one function cleans it."""

import re
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import outlearn
from outlearn.cli.app import app
from outlearn.data.schema import Column, Kind, Schema, check_columns
from outlearn.errors import MissingExtraError, OutlearnError, SchemaError
from outlearn.shown import clean, unbroken

SOURCES = Path(outlearn.__file__).parent
BREAKS = ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029")
PLANTED = "error: planted"


def told(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 2, result.output
    return result.stderr


def workbook(path, sheet, header):
    """Write a workbook by hand: writers of them refuse such names."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append([header, "b"])
    for row in range(6):
        book.active.append([row, row * 2.5])
    book.active._WorkbookChild__title = sheet
    book.save(path)


@pytest.mark.parametrize("mark", BREAKS)
def test_no_break_is_left_in_a_line(mark):
    assert len(unbroken(f"a{mark}b").splitlines()) == 1
    assert clean(f"a{mark} b") == "a b"
    assert str(OutlearnError(f"a{mark}b")) in ("a b", "a  b")
    assert str(MissingExtraError(f"a{mark}b", "c")).splitlines()[1:] == ["c"]


def test_a_value_is_cut_where_it_is_too_long():
    assert clean("word " * 99, 8) == "word wo…"
    assert clean(" " * 1000 + "x", 10) == "…"  # what was not looked at is told of
    assert clean("a\u200db\xadc\x1b[0m\ue000\U00018d09d") == "a\u200db c [0m d"
    assert clean(10**9000) == "integer of 29,898 bits".replace(",", "")


@pytest.mark.parametrize("mark", BREAKS)
def test_an_error_of_several_lines_has_no_more_of_them_for_a_name(mark):
    name = f"amount{mark}{PLANTED}"
    schema = Schema((Column(name, Kind.NUMERIC), Column("day", Kind.DATETIME, unit=name)))
    with pytest.raises(SchemaError) as caught:
        check_columns(schema, [f"{name}s", "day"], where=f"a{mark}{PLANTED}.csv")
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert [line[:4] for line in lines] == ["1 of", "  - ", "  + ", "Give"]
    assert len(str(schema).splitlines()) == 3


@pytest.mark.parametrize("mark", ["\n", "\x0b", "\x85", "\u2028"])
def test_no_name_of_a_file_or_column_starts_a_line_of_a_terminal(mark, tmp_path):
    name = f"a{mark}{PLANTED}"
    path = tmp_path / f"{name}.parquet"
    pl.DataFrame({name: [1.0, 2.0], f"b{mark}{PLANTED}": ["x", "y"]}).write_parquet(path)
    for words in (
        (tmp_path / f"{name}.csv",),
        (path, "--label-column", name + "s"),
        (path, "--sheet", name, "--separator", name),
    ):
        lines = told("detect", *words).splitlines()
        assert lines and not any(line.startswith(PLANTED) for line in lines)


@pytest.mark.parametrize("mark", ["\n", "\u2028"])
def test_no_name_of_a_sheet_starts_a_line(mark, tmp_path):
    path = tmp_path / "a.xlsx"
    workbook(path, f"one{mark}{PLANTED}", f"a{mark}{PLANTED}")
    for words in (("--sheet", f"b{mark}{PLANTED}"), ("--label-column", "none")):
        lines = told("detect", path, *words).splitlines()
        assert lines and not any(line.startswith(PLANTED) for line in lines)


def test_one_function_cleans():
    defined = re.compile(r"^def clean\(", re.MULTILINE)
    files = [path.name for path in SOURCES.rglob("*.py") if defined.search(path.read_text("utf-8"))]
    assert files == ["shown.py"]
