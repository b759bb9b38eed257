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
