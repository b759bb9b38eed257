"""Text files as people write them."""

import polars as pl
import pytest

from outlearn.data.readers import ReadOptions, open_source
from outlearn.errors import ParameterError, ReadError


def read(tmp_path, content, written="utf-8", **options):
    path = tmp_path / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(written))
    return open_source(path, options=ReadOptions(**options))


def values(source):
    return source.read().to_dict(as_series=False)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path, separator, end):
    rows = ["a b,c;d" if separator not in ",;" else "a b", "x", "y"], ["1", "2", "u v"], ["3", "4.5", "w"]
    source = read(tmp_path, end.join(separator.join(row) for row in rows) + end)
    assert list(values(source).values()) == [[1, 3], [2.0, 4.5], ["u v", "w"]]


def test_quotes_blank_lines_and_blanks(tmp_path):
    source = read(tmp_path, '\n\n a ,b\n"x, ""y""\nz", 1\n\n\nw,2 \n')
    assert values(source) == {"a": ['x, "y"\nz', "w"], "b": [1, 2]}


def test_a_blank_line_in_a_file_of_one_column_is_a_missing_value(tmp_path):
    assert values(read(tmp_path, "\na\n1\n\n3\n")) == {"a": [1, None, 3]}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
def test_encodings_are_found(tmp_path, encoding):
    source = read(tmp_path, "näme,b\nMüller,1\nÅström,2\n", encoding)
    assert values(source) == {"näme": ["Müller", "Åström"], "b": [1, 2]}


def test_an_encoding_that_shows_late(tmp_path):
    content = b"a,b\n" + b"plain,1\n" * 300_000 + "Müller,2\n".encode("cp1252")
    source = read(tmp_path, content)
    assert source.read()["a"][-1] == "Müller"
    assert "encoding cp1252 detected" in source.notes


def test_encoding_option(tmp_path):
    assert values(read(tmp_path, "a\nЖ\n", "koi8-r", encoding="koi8-r")) == {"a": ["Ж"]}
    with pytest.raises(ReadError, match="not utf-8 text"):
        read(tmp_path, b"a\n\xff\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="unknown"):
        read(tmp_path, "a\n1\n", encoding="no-such")


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("a;b\n1.234,56;1,5\n-7;12\n", {"a": [1234.56, -7.0], "b": [1.5, 12.0]}),
        ("a;b\n1.234;1,5\n999;12\n", {"a": [1234.0, 999.0], "b": [1.5, 12.0]}),
        ("a;b\n0.123;1,5\n4.567;12\n", {"a": [0.123, 4.567], "b": [1.5, 12.0]}),
        ('a,b\n"1,234.56",1.5\n7,"2,000"\n', {"a": [1234.56, 7.0], "b": [1.5, 2000.0]}),
        ("a;b\n1,234;1\n5;2\n", {"a": [1.234, 5.0], "b": [1, 2]}),
        ('a,b\n"1,234",1\n5,2\n', {"a": [1234.0, 5.0], "b": [1, 2]}),
        ("a;b\n1 234,5;1'234\n5;2\n", {"a": [1234.5, 5.0], "b": [1234.0, 2.0]}),
        ("a,b\n192.168.100.101,1\n", {"a": ["192.168.100.101"], "b": [1]}),
        ("a,b\n1e3,inf\n-2.5E-1,-Infinity\n", {"a": [1000.0, -0.25], "b": [float("inf"), float("-inf")]}),
        ("a,b\n007,12345678901234567890\n1,2\n", {"a": ["007", "1"], "b": ["12345678901234567890", "2"]}),
        ("a,b\ntrue,FALSE\n,true\n", {"a": [True, None], "b": [False, True]}),
    ],
)
def test_numbers_as_people_write_them(tmp_path, content, wanted):
    assert values(read(tmp_path, content)) == wanted


def test_number_options_win(tmp_path):
    assert values(read(tmp_path, "a;b\n1.234;x\n", decimal=",")) == {"a": [1234.0], "b": ["x"]}
    assert values(read(tmp_path, "a;b\n1,234;x\n", thousands=",")) == {"a": [1234.0], "b": ["x"]}
    assert values(read(tmp_path, "a;b\n1_234*5;x\n", decimal="*", thousands="_")) == {
        "a": [1234.5],
        "b": ["x"],
    }


def test_errors_of_spreadsheets_are_missing_and_counted(tmp_path):
    path = tmp_path / "t.csv"
    cells = [
        ("#DIV/0!" if i % 10 == 0 else f"{i}.5", "#N/A" if i % 3 == 0 else "xy"[i % 2]) for i in range(60)
    ]
    path.write_text("rate,shop\n" + "".join(f"{rate}, {shop} \n" for rate, shop in cells))
    source = open_source(path)
    frame = source.read()
    assert frame["rate"].dtype == pl.Float64 and frame.null_count().row(0) == (6, 20)
    assert (
        "cells that hold an error of a spreadsheet (#N/A, #DIV/0!) are missing: 6 in 'rate', 20 in 'shop'"
        in source.notes
    )


@pytest.mark.parametrize("word", ["", "NA", "N/A", "null", "NaN", "None", "?", "-", '"NA"', " NA "])
def test_missing_words(tmp_path, word):
    assert values(read(tmp_path, f"a,b\n1,x\n{word},y\n3,{word.strip()}\n")) == {
        "a": [1, None, 3],
        "b": ["x", "y", None],
    }


def test_few_bad_values_are_missing_and_said(tmp_path):
    content = "a,b\n" + "1,2.5\n" * 98 + "oops,2\n3,bad\n"
    source = read(tmp_path, content)
    frame = source.read()
    assert frame["a"].dtype == pl.Int64
    assert frame["b"].dtype == pl.Float64
    assert frame.null_count().row(0) == (1, 1)
    assert source.notes[0] == "1 value of column 'a' is not a number and was read as missing (such as 'oops')"
    kept = read(tmp_path, content, as_text=("a",)).read()
    assert kept["a"][98] == "oops"


def test_many_bad_values_make_text_and_are_said(tmp_path):
    source = read(tmp_path, "a\n" + "1\n" * 90 + "x\n" * 10)
    assert source.read()["a"].dtype == pl.String
    assert source.notes == ("column 'a' stays text: 10 of its 100 values are not numbers",)


def test_a_column_that_turns_to_text_late(tmp_path):
    source = read(tmp_path, "a,b\n" + "1,2\n" * 200_000 + "x,2.5\n" * 20_000)
    assert [chunk.dtypes for chunk in source.chunks(50_000)] == [[pl.String, pl.Float64]] * 5


def test_names(tmp_path):
    source = read(tmp_path, "a,a,,a_2,NA\n1,2,3,4,5\n")
    assert source.columns == ("a", "a_3", "column_3", "a_2", "NA")
    assert source.notes[0].startswith("duplicate column names renamed: 'a' → 'a_3'")
    assert "'column_3'" in source.notes[1]


def test_a_file_without_header_is_read_as_data(tmp_path):
    source = read(tmp_path, "1.5,2\n3,4\n")
    assert values(source) == {"column_1": [1.5, 3.0], "column_2": [2, 4]}
    assert "numbered" in source.notes[0]
    assert values(read(tmp_path, "2019,2020\n3,4\n")) == {"2019": [3], "2020": [4]}


def test_separator_is_named(tmp_path):
    assert read(tmp_path, "a\tb\n1\t2\n").notes == ("separator tab detected",)
    assert read(tmp_path, "a:b\n1:2\n", separator=":").columns == ("a", "b")


def test_many_columns(tmp_path):
    header = ",".join(f"feature_number_{i}" for i in range(10_000))
    source = read(tmp_path, header + "\n" + (",".join(["1"] * 10_000) + "\n") * 3)
    assert len(source.columns) == 10_000
    assert source.read().height == 3


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        (["12.5"] * 98 + ["12 K", "2.4M"], True),  # as they stand large values would be lost
        (["12.5"] * 98 + ["(3.1)", "2-"], True),
        (["12.5"] * 60 + ["(3.1)"] * 40, True),
        (["$5"] * 100, True),
        (["12.5"] * 98 + ["oops", "bad"], False),
    ],
)
def test_numbers_with_text_beside_them_wait_for_their_notation(tmp_path, cells, kept):
    source = read(tmp_path, "a,b\n" + "\n".join(f"{cell},1" for cell in cells))
    assert (source.read()["a"].dtype == pl.String) == kept
    assert bool(source.notes) != kept


def test_what_is_known_of_decimals_goes_before_what_a_file_suggests(tmp_path):
    content = "a;b\n1.234;1.234\n"
    assert values(read(tmp_path, content, decimals=(("a", ","),))) == {"a": [1234.0], "b": [1.234]}


@pytest.mark.parametrize(
    "line",
    [
        "{i} {v:.2f} 518.67 A{i}  \n",  # as of turbofan engines: blanks at the end
        "   {i}    {v:8.3f}  518.67 A{i}\n",  # numbers to the right
        '{i}\t\t{v:.2f} 518.67   "A{i}"\r\n',  # tabs and blanks mixed, words in quotes
    ],
)
def test_fields_that_any_blanks_part(tmp_path, line):
    source = read(tmp_path, "".join(line.format(i=i, v=1.5 * i) for i in range(1, 13)))
    assert source.columns == ("column_1", "column_2", "column_3", "column_4")
    assert source.read().row(11) == (12, 18.0, 518.67, "A12")
    assert [note.split(" (")[0].split(":")[0] for note in source.notes] == [
        "fields are split at blanks",
        "no header",
    ]


def test_blanks_with_a_header_missing_words_and_another_encoding(tmp_path):
    content = '\n  time  wert\tname \n1,5 ?  Müller\n\n2,5  7,25 "de Ång"\n'
    source = read(tmp_path, content, "cp1252")
    assert values(source) == {"time": [1.5, 2.5], "wert": [None, 7.25], "name": ["Müller", "de Ång"]}
    assert read(tmp_path, "a  b\nx  y\n", separator="whitespace").columns == ("a", "b")


@pytest.mark.parametrize(
    ("content", "columns", "note"),
    [
        ('"x" "y"\n"1" 2.5 3\n"2" 3.5 4\n', ("row", "x", "y"), "called row"),
        ("# t  load x\n1.5 2 3\n2.5 3 4\n", ("t", "load", "x"), "begin with #: 1; the last one names"),
        ("# made by hand\n#\nt,v\n1,2\n", ("t", "v"), "begin with #: 2; passed over"),
        ("t    load  x\n---- ----- --\n1     2.5 3\n2     3.5 4\n", ("t", "load", "x"), "split at blanks"),
        ("t wind speed x\n1 2.5 3\n2 3.5 4\n", ("column_1", "column_2", "column_3"), "was passed over"),
    ],
)
def test_what_stands_above_the_rows(tmp_path, content, columns, note):
    source = read(tmp_path, content)
    assert source.columns == columns
    assert any(note in said for said in source.notes)
    assert source.read().row(0)[-1] == (2 if "hand" in content else 3)


@pytest.mark.parametrize(
    "header", ["NAME          CITY         TEMP\n", "NAME OF GUEST CITY    TEMPERATURE\n", ""]
)
def test_fields_of_fixed_width(tmp_path, header):
    guests = [("Ann Lee", "San Jose", 12.5), ("Bo", "", ""), ("Cy Young", "Rome", -7.25)]
    content = header + "".join(f"{a:<14}{b:<12}{c:>6}\n" for a, b, c in guests * 4)
    source = read(tmp_path, content)
    wanted = [tuple(value or None for value in guest) for guest in guests]
    assert source.read().rows()[:3] == wanted
    assert "fixed width" in source.notes[0]
    assert len(source.columns) == 3
    assert source.columns[2] == (header.split() or ["column_3"])[-1]
    assert read(tmp_path, content, separator="fixed-width").read().equals(source.read())


def test_rows_that_blanks_part_unevenly_are_refused_by_line(tmp_path):
    content = "".join(f"{i} 2.5 7\n" for i in range(20)) + "20 2.5\n"
    with pytest.raises(ReadError, match="line 21 has 2 fields where the first row has 3"):
        read(tmp_path, content)
    with pytest.raises(ReadError, match="no place is blank in all of its lines"):
        read(tmp_path, "ab c\na bc\nab c\n", separator="fixed-width")


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("name\nAda Lovelace\nAlan Turing\n", 1),  # words
        ("amount\n1 234\n15 678\n", 1),  # blanks between thousands
        ("weight\n10 kg\n12 kg\n", 1),
        ("t;v\n2024-01-01 10:00;1,5\n2024-01-01 11:00;2,5\n", 2),
        ("1,5 2,5 3\n2,5 1,5 4\n", 3),  # decimal commas
        ("a,b,c\n1,1 234,5\n2,1 345,6\n", 3),
        ("when\tlist\n2024-01-01 10:00\t1 2 3\n", 2),
    ],
)
def test_blanks_part_fields_only_where_rows_are_numbers_then(tmp_path, content, columns):
    assert len(read(tmp_path, content).columns) == columns


@pytest.mark.parametrize(
    "rows",
    [
        ["5.1,3.5,Iris-setosa", "4.9,3.0,Iris-setosa", "6.3,3.3,Iris-virginica"],
        ["39, State-gov, 77516, 13, <=50K", "50, Private, 83311, 13, >50K", "38, Private, 1, 9, <=50K"],
        ["0,tcp,http,SF,181,0.00,normal.", "0,udp,dns,SF,105,0.10,normal.", "2,tcp,http,S0,3,0.00,smurf."],
        ["p,x,s,n", "e,x,s,y", "p,b,s,n"],  # letters that come again
        ["10/03/2004;18.00.00;ok", "10/03/2004;19.00.00;ok", "11/03/2004;18.00.00;off"],
        ["7,x", "5,y", "9,z"],
        ["0,0,0,0,0,1", "0,1,0,1,0,0", "1,0,0,0,1,0"],
    ],
)
def test_a_first_row_like_the_others_is_data(tmp_path, rows):
    source = read(tmp_path, "\n".join(rows))
    assert source.rows == 3
    assert source.columns[0] == "column_1"
    assert any(note.startswith("no header: ") for note in source.notes)
    named = read(tmp_path, "\n".join(rows), header=True)
    assert named.rows == 2
    assert named.columns[0] == rows[0].replace(";", ",").split(",")[0]


@pytest.mark.parametrize(
    "header",
    ["id,name,5", ",0,1", "land,2019,2020", "date,kind,n", "5,10,20,30,40,50", "q1,x,?", "NA,b,c"],
)
def test_a_first_row_unlike_the_others_names_the_columns(tmp_path, header):
    width = header.count(",") + 1
    rows = [["0", "7.5", "1"], ["1", "8.25", "3"]] if width == 3 else [["3", "2"] * 3, ["4", "9"] * 3]
    if header.startswith(("land", "date")):
        rows = (
            [["2024-01-01", "ok", "1"], ["2024-01-02", "bad", "3"]]
            if "kind" in header
            else [
                ["FR", "1.5", "2"],
                ["DE", "2.5", "1"],
            ]
        )
    content = "\n".join([header, *(",".join(row) for row in rows)])
    source = read(tmp_path, content)
    assert source.rows == 2
    assert read(tmp_path, content, header=False).rows == 3
    assert not any("no header" in note for note in source.notes)


def test_a_row_alone_is_data_where_it_holds_a_number(tmp_path):
    assert read(tmp_path, "5.1,3.5,Iris-setosa\n").read().rows() == [(5.1, 3.5, "Iris-setosa")]
    assert read(tmp_path, " 5.1  3.5 \n").read().rows() == [(5.1, 3.5)]


def test_numbers_that_name_columns_are_said(tmp_path):
    assert "(--no-header takes it for data)" in read(tmp_path, "2019,2020\n3,4\n5,6\n").notes[0]


@pytest.mark.parametrize(
    "titles",
    [
        "Kontoauszug;;;\nKonto: DE89;;;\n\n",  # as wide as the table, as spreadsheets write them
        "Kontonummer:;DE89\n\nZeitraum:;01.01.2024 - 31.01.2024\n",  # as banks do
        "Report of January\n",
    ],
)
def test_titles_above_the_table_are_passed_over_and_told(tmp_path, titles):
    rows = "".join(f"0{i + 1}.01.2024;Shop {i % 3};{i},50;EUR\n" for i in range(8))
    source = read(tmp_path, f"{titles}Tag;Empfänger;Betrag;Währung\n{rows}")
    assert source.columns == ("Tag", "Empfänger", "Betrag", "Währung") and source.rows == 8
    assert source.read()["Betrag"].to_list() == [i + 0.5 for i in range(8)]
    assert any("above the table" in note for note in source.notes)


@pytest.mark.parametrize(
    "content",
    [
        "a;b;c\n1;;\n1;2;3\n4;5;6\n",  # a row that is mostly empty
        "x;;;\n1;2;3;4\n5;6;7;8\n",  # names that are mostly missing
        "title\n1;2;3\n4;5;6\n7;8;9\n",  # nothing below names the columns
    ],
)
def test_what_is_not_surely_a_title_is_not_passed_over(tmp_path, content):
    try:
        notes = read(tmp_path, content).notes
    except ReadError:
        return
    assert not any("above the table" in note for note in notes)
