"""Workbooks: cells as their format says, titles passed over, hostile files refused."""

import datetime as dt
import zipfile

import openpyxl
import polars as pl
import pytest

from outlearn.data.readers import ReadOptions, open_source
from outlearn.errors import ReadError

START = dt.datetime(2024, 1, 1, 12)


def book(path, rows, *, formats=(), title=None, above=()):
    """Write rows to a sheet; `formats` by the number of the column, from 1."""
    whole = openpyxl.Workbook()
    sheet = whole.active
    sheet.title = title or "Data"
    for row in [*above, *rows]:
        sheet.append(row)
        for column, form in dict(formats).items():
            sheet.cell(sheet.max_row, column).number_format = form
    whole.save(path)
    return whole, path


def test_dates_that_were_typed_as_text_are_read_among_real_ones(tmp_path):
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(40)]
    rows = [[f"{day:%d.%m.%Y}" if i % 9 == 4 else day, i / 2] for i, day in enumerate(days)]
    _, path = book(tmp_path / "t.xlsx", [["day", "v"], *rows])
    source = open_source(path)
    assert source.read()["day"].to_list() == days
    assert "column 'day': 4 of its dates are text, read as day.month.year" in source.notes


def test_cells_of_errors_are_missing_and_counted(tmp_path):
    rows = [
        [f"r{i}", "#DIV/0!" if i in (3, 4) else i / 2, "#REF!" if i == 9 else i % 3 + 0.5] for i in range(20)
    ]
    whole, path = book(tmp_path / "t.xlsx", [["name", "share", "rate"], *rows])
    whole.create_sheet("clean").append(["a"])
    whole["clean"].append([1])
    whole.save(path)
    source = open_source(path)
    assert source.read().null_count().row(0) == (0, 2, 1)
    assert (
        "3 cells of the sheet hold errors and are missing: #DIV/0! in B (2); #REF! in C (1)" in source.notes
    )
    assert not any("error" in note for note in open_source(path, options=ReadOptions(sheet="clean")).notes)


def test_a_line_of_units_and_a_row_of_sums_are_left_out(tmp_path):
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(12)]
    rows = [[day, i + 0.5, 2 * i] for i, day in enumerate(days)]
    table = [["day", "flow", "power"], ["", "[m3/h]", "(kW)"], *rows, ["Total", sum(r[1] for r in rows), 132]]
    source = open_source(book(tmp_path / "t.xlsx", table)[1])
    assert source.rows == 12 and source.read()["day"].to_list() == days
    assert source.read()["power"].to_list() == [2 * i for i in range(12)]
    assert "the last row ('Total') holds the sums of the columns and was left out" in source.notes
    assert "the line below the names holds units ([m3/h], (kW)) and was left out" in source.notes


def test_cells_are_what_their_format_says(tmp_path):
    head = ["id", "serial", "day", "clock", "ran", "share", "ok", "amount", "word"]
    rows = [
        [
            i,
            45292.5 + i,  # a number, which the format alone makes a date
            dt.date(2024, 1, 1) + dt.timedelta(days=i),
            dt.time(9, i, 5),
            dt.timedelta(hours=26, minutes=i),
            0.05 * i,
            i % 2 == 0,
            "n/a" if i == 7 else f"{i}.5",
            f"a{i % 3}",
        ]
        for i in range(30)
    ]
    _, path = book(
        tmp_path / "t.xlsx",
        [head, *rows],
        formats={2: "dd/mm/yyyy hh:mm", 5: "[h]:mm:ss", 6: "0.0%"},
        above=[["Report of January"], []],
    )
    source = open_source(path)
    frame = source.read()
    assert frame.columns == head and frame.height == source.rows == 30
    assert frame["id"].dtype == pl.Int64 and frame["share"].dtype == pl.Float64
    assert frame["serial"].to_list() == [START + dt.timedelta(days=i) for i in range(30)]
    assert frame["day"].dtype == pl.Date and frame["day"][3] == dt.date(2024, 1, 4)
    assert frame["clock"].to_list() == [dt.time(9, i, 5) for i in range(30)]
    assert frame["ran"][2] == dt.timedelta(hours=26, minutes=2)
    assert frame["ok"].dtype == pl.Boolean
    assert frame["amount"].to_list() == [None if i == 7 else i + 0.5 for i in range(30)]
    assert frame["word"].to_list() == [f"a{i % 3}" for i in range(30)]
    assert source.notes == ("the sheet 'Data' was read", "2 lines above the table were passed over")


def test_sheets_have_names_and_the_first_that_is_seen_is_read(tmp_path):
    whole, path = book(tmp_path / "t.xlsx", [], title="Empty")
    hidden, wanted = whole.create_sheet("Lists"), whole.create_sheet("Orders")
    hidden.sheet_state = "hidden"
    for sheet, offset in ((hidden, 100), (wanted, 0)):
        for row in [["a", "b"], *([i + offset, i / 2] for i in range(5))]:
            sheet.append(row)
    whole.save(path)
    source = open_source(path)
    assert source.read()["a"].to_list() == list(range(5))
    assert source.notes == ("the sheet 'Orders' was read, not 'Empty', 'Lists' (--sheet)",)
    other = open_source(path, options=ReadOptions(sheet="Lists"))
    assert other.read()["a"].to_list() == [100, 101, 102, 103, 104]
    with pytest.raises(
        ReadError, match=r"there is no sheet 'Order'; wanted one of 'Empty', 'Lists', 'Orders'"
    ):
        open_source(path, options=ReadOptions(sheet="Order"))
    with pytest.raises(ReadError, match="'Empty' has no rows of data"):
        open_source(path, options=ReadOptions(sheet="Empty"))


def test_headers_and_margins(tmp_path):
    rows = [[i, None, i * 1.5, None] for i in range(8)]
    _, path = book(tmp_path / "t.xlsx", [["a", None, "b", " "], *rows, [], [" "]])
    source = open_source(path)
    assert source.read().to_dict(as_series=False) == {"a": list(range(8)), "b": [i * 1.5 for i in range(8)]}
    notes = " ".join(source.notes)
    assert "2 empty columns without a name were passed over" in notes
    assert "2 empty rows below the table were passed over" in notes
    _, bare = book(tmp_path / "u.xlsx", [[i, i * 1.5] for i in range(8)])
    assert open_source(bare).rows == 8 and "no header" in " ".join(open_source(bare).notes)
    assert open_source(bare, options=ReadOptions(header=True)).columns == ("0", "0_2")


def test_a_cell_in_the_last_corner_and_damaged_files_end_in_a_clear_error(tmp_path):
    whole, path = book(tmp_path / "far.xlsx", [["a"], [1]])
    whole.active["XFD1048576"] = 1
    whole.save(path)
    with pytest.raises(ReadError, match="the process that reads the workbook ended"):
        open_source(path)
    _, good = book(tmp_path / "good.xlsx", [["a"], *([i] for i in range(50))])
    with zipfile.ZipFile(good) as archive, zipfile.ZipFile(tmp_path / "cut.xlsx", "w") as cut:
        for name in archive.namelist():
            content = archive.read(name)
            cut.writestr(name, content[: len(content) // 2] if "sheet1" in name else content)
    with pytest.raises(ReadError, match=r"cannot be read|ended|no rows"):
        open_source(tmp_path / "cut.xlsx")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    with pytest.raises(ReadError, match="a zip archive without a workbook in it; unpack it"):
        open_source(tmp_path / "other.zip")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    with pytest.raises(ReadError, match="cannot be read"):
        open_source(tmp_path / "old.xls")


def test_a_sheet_asked_of_another_file_is_noted(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{i},{i % 3}\n" for i in range(20)))
    source = open_source(path, options=ReadOptions(sheet="Orders"))
    assert "a sheet 'Orders' was asked for, and the file is no workbook" in source.notes


def test_a_cover_sheet_with_a_title_alone_is_no_table(tmp_path):
    whole, path = book(tmp_path / "t.xlsx", [["Monthly report"]], title="Cover")
    data = whole.create_sheet("Data")
    for row in (["a", "b"], *([i, i * 1.5] for i in range(5))):
        data.append(row)
    whole.save(path)
    source = open_source(path)
    assert source.rows == 5 and "the sheet 'Data' was read, not 'Cover' (--sheet)" in source.notes
