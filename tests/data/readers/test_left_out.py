"""Lines of exports that are no rows: units below the names, and sums at the end."""

import polars as pl
import pytest

from outlearn.data.readers import open_source
from outlearn.errors import ReadError

ROWS = [(f"s{i % 4}", i % 5 + 1, round(7.3 * i + 1000.11, 2)) for i in range(30)]
COUNT, MONEY = sum(row[1] for row in ROWS), sum(row[2] for row in ROWS)
LEFT_OUT = "holds the sums of the columns and was left out"


def continental(value):
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def read(tmp_path, lines):
    path = tmp_path / "export.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    source = open_source(path)
    return source, source.read(), "\n".join(source.notes)


@pytest.mark.parametrize("word", ["Total", "Grand total", "TOTALE", "Summe:", "Gesamt", "Итого"])
def test_a_last_row_of_sums_is_left_out(tmp_path, word):
    lines = ["shop;count;eur", *(f"{shop};{n};{continental(eur)}" for shop, n, eur in ROWS)]
    source, frame, notes = read(tmp_path, [*lines, f"{word};{COUNT};{continental(MONEY)}"])
    assert source.rows == frame.height == 30 and frame["count"].to_list() == [row[1] for row in ROWS]
    assert f"the last row ('{word}') {LEFT_OUT}" in notes


def test_sums_are_found_with_units_and_where_the_word_stands_among_numbers(tmp_path):
    lines = ["id;eur;price", *(f"{i};{continental(eur)} €;{n}" for i, (_, n, eur) in enumerate(ROWS))]
    source, frame, notes = read(tmp_path, [*lines, f"Total;{continental(MONEY)} €;"])
    assert source.rows == 30 and frame["id"].dtype == pl.Int64 and LEFT_OUT in notes


@pytest.mark.parametrize("last", [f"Total,{COUNT + 1},{MONEY + 9:.2f}", f"s1,{COUNT},{MONEY:.2f}", "Total,,"])
def test_a_last_row_that_is_no_sum_or_no_total_stays(tmp_path, last):
    lines = ["shop,count,eur", *(f"{shop},{n},{eur}" for shop, n, eur in ROWS)]
    source, _, notes = read(tmp_path, [*lines, last])
    assert source.rows == 31 and LEFT_OUT not in notes


@pytest.mark.parametrize(
    ("header", "separator"),
    [(("shop,flow,power", ",[m3/h],(kW)"), ","), (("shop flow power", "name m3/h °C"), " ")],
)
def test_a_line_of_units_below_the_names_is_left_out(tmp_path, header, separator):
    rows = [separator.join((shop, f"{n}.5", f"{eur}")) for shop, n, eur in ROWS]
    source, frame, notes = read(tmp_path, [*header, *rows])
    assert source.columns == ("shop", "flow", "power") and source.rows == 30
    assert frame["flow"].to_list() == [row[1] + 0.5 for row in ROWS]
    assert "the line below the names holds units" in notes


@pytest.mark.parametrize("second", ["V,A,W", "s1,1,x", "kind,cold,warm", "[a],1.5,(kW)"])
def test_other_rows_below_the_names_stay(tmp_path, second):
    third = "VAW" if second == "V,A,W" else "123"  # letters among letters are no units
    rows = [f"s{i % 3},{third[i % 3]},{third[-i % 3]}" for i in range(30)]
    source, _, notes = read(tmp_path, ["shop,low,high", second, *rows])
    assert source.rows == 31 and "units" not in notes


def test_a_list_between_lines_of_dashes_is_read(tmp_path):
    rule, names = f"|{'-' * 30}|", "| Werk | Menge | Betrag     |"
    rows = [f"| {shop:4} | {n:5} | {continental(eur):>9}{'-' if n == 2 else ' '} |" for shop, n, eur in ROWS]
    pages = [[rule, names, rule, *rows[:20]], [rule, names, rule, *rows[20:], rule]]
    lines = ["05.01.2026   Liste der Belege", "", *pages[0], *pages[1]]
    source, frame, notes = read(tmp_path, lines)
    assert source.columns == ("Werk", "Menge", "Betrag") and source.rows == 30
    assert frame["Menge"].to_list() == [row[1] for row in ROWS]
    assert "lines of dashes: these were left out, and fields are split at '|'" in notes
    with pytest.raises(ReadError, match="line 6 has 4 fields"):
        read(tmp_path, [*lines[:5], "| a|b | 1 | 2 |", *lines[5:]])
