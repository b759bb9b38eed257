"""Formats are told by content, and what is no table is refused in one line."""

import datetime as dt
import gzip
import os
import sqlite3

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from outlearn.data.named import literal, written
from outlearn.data.readers import ReadOptions, open_source
from outlearn.errors import ParameterError, ReadError

FRAME = pl.DataFrame({"a": [1, 2, None], "b": [1.5, float("inf"), -2.0], "c": ["x", None, "ü, z"]})


def _write(path, form):
    if form == "arrow stream":
        FRAME.write_ipc_stream(path)
    elif form == "gzip":
        path.write_bytes(gzip.compress(FRAME.write_csv().encode()))
    elif form == "zstd":
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(FRAME.write_csv().encode())
    else:
        getattr(FRAME, f"write_{form}")(path)
    return path


@pytest.mark.parametrize("form", ["csv", "parquet", "ipc", "arrow stream", "gzip", "zstd"])
def test_a_format_is_read_whatever_the_name(tmp_path, form):
    source = open_source(_write(tmp_path / "table.dat", form))
    assert_frame_equal(source.read(), FRAME)
    assert source.columns == ("a", "b", "c")
    assert source.rows == 3


def test_json_lines(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"a": 1, "flag": true, "deep": {"k": [1, 2]}}\n\n{"a": 2.5, "flag": null, "late": "é"}\n'
        '{"a": Infinity, "id": "007", "": 1, "\\ud800": 2}\n'
    )
    source = open_source(path)
    frame = source.read()
    assert frame["a"].to_list() == [1.0, 2.5, float("inf")]
    assert frame["flag"].to_list() == [True, None, None]
    assert frame["deep.k"].to_list() == ["[1, 2]", None, None]
    assert frame["late"].to_list() == [None, "é", None]
    assert frame["id"].dtype == pl.String
    assert frame.columns[-2:] == ["(no name)", "?"]
    assert any("deep" in note for note in source.notes)


@pytest.mark.parametrize("line", ["[1, 2]", "{", "3", '"x"', "[" * 100_000, "1" * 5_000])
def test_a_line_that_is_no_object_is_named(tmp_path, line):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n' + line + "\n")
    with pytest.raises(ReadError, match="line 2"):
        open_source(path)


def test_wrong_suffix_is_told(tmp_path):
    source = open_source(_write(tmp_path / "table.csv", "parquet"))
    assert source.notes == ("the file is named .csv but holds parquet, and was read as that",)
    assert open_source(_write(tmp_path / "table.csv.gz", "gzip")).notes == ()


def test_a_json_object_that_holds_no_rows(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{\n"a": 1\n}')
    with pytest.raises(ReadError, match="one object a line"):
        open_source(path)


def test_the_encoding_of_json_lines(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": "\xc3\xa9"}\n')
    assert open_source(path).read().rows() == [("é",)]
    path.write_bytes(b'{"a": "\xe9"}\n')
    assert open_source(path, options=ReadOptions(encoding="latin-1")).read().rows() == [("é",)]
    with pytest.raises(ReadError, match="utf-8"):
        open_source(path)
    with pytest.raises(ParameterError, match="unknown"):
        open_source(path, options=ReadOptions(encoding="no-such"))


def _truncated(form):
    def write(path):
        data = _write(path, form).read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])

    return write


def _bytes(content):
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (_bytes(b""), "empty"),
        (_bytes(b"\n \r\n"), "empty"),
        (_bytes(gzip.compress(b"")), "empty"),
        (_bytes(b"a,b\n"), "no rows"),
        (_bytes(b"a"), "no rows"),
        (_bytes(bytes(range(256)) * 40), "binary"),
        (_bytes(b"PK\x03\x04" + b"x" * 50), "zip"),
        (_bytes(b"SQLite format 3\x00" + b"x" * 50), "SQLite"),
        (_bytes(b"a,b\n1,2\n1,2,3\n"), "row 3 has 3 fields where the first has 2"),
        (_bytes(b"a,b\n1,2\n1\n"), "row 3 has 1 fields"),
        (_truncated("parquet"), "truncated"),
        (_truncated("ipc"), "truncated"),
        (_truncated("gzip"), "truncated"),
        (FRAME.head(0).write_parquet, "no rows"),
        (FRAME.head(0).write_ipc, "no rows"),
        (os.mkdir, "directory"),
        (os.mkfifo, "ordinary file"),
        (lambda path: None, "no such file"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, write, told):
    path = tmp_path / "table.csv"
    write(path)
    with pytest.raises(ReadError, match=told) as caught:
        open_source(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_an_empty_arrow_stream_is_refused_when_read(tmp_path):
    FRAME.head(0).write_ipc_stream(tmp_path / "x")
    with pytest.raises(ReadError, match="no rows"):
        open_source(tmp_path / "x").read()


def test_damage_inside_a_parquet_file_is_a_read_error(tmp_path):
    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": np.arange(50_000)}).write_parquet(path, compression="zstd")
    data = bytearray(path.read_bytes())
    data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
    path.write_bytes(data)
    with pytest.raises(ReadError, match="damaged"):
        open_source(path).read()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path):
    path = _write(tmp_path / "x.csv", "csv")
    path.chmod(0)
    with pytest.raises(ReadError, match="permission"):
        open_source(path)


@pytest.mark.parametrize("spec", ["", "a\0b", 3, [1, 2], {"a": [1]}, None, np.zeros((2, 2))])
def test_a_spec_that_names_nothing(spec):
    with pytest.raises(ReadError, match="wanted"):
        open_source(spec)


@pytest.mark.parametrize(
    "options",
    [{"separator": ";;"}, {"separator": '"'}, {"decimal": "1"}, {"decimal": ",", "thousands": ","}],
)
def test_options_are_checked(options):
    with pytest.raises(ParameterError):
        ReadOptions(**options)


def test_dataset_source():
    source = open_source("dataset:iris")
    assert source.rows == 110
    assert "Iris virginica" in source.notes[0]
    with pytest.raises(ReadError, match="breast_cancer"):
        open_source("dataset:no_such")


@pytest.mark.parametrize(
    "convert",
    [
        lambda f: f,
        lambda f: f.lazy(),
        lambda f: f.to_pandas(),
        lambda f: f.to_arrow(),
        nw.from_native,
    ],
)
def test_dataframes_of_several_libraries(convert):
    source = open_source(convert(FRAME))
    assert_frame_equal(source.read(), FRAME, check_dtypes=False)
    assert source.rows == 3


def test_odd_pandas_frames():
    frame = pd.DataFrame([[1, "a", None], ["x", 2.5, None]], columns=["k", "k", "all missing"])
    frame[7] = pd.Categorical(["u", None])
    frame["^a$"] = pd.to_datetime(["2024-01-01", None])
    source = open_source(frame)
    read = source.read()
    assert [written(name) for name in read.columns] == ["k", "k_2", "all missing", "7", "^a$"]
    assert read["k"].to_list() == ["1", "x"]
    assert read["7"].to_list() == ["u", None]
    assert read[literal("^a$")].dtype.is_temporal()
    assert any("renamed" in note for note in source.notes)


@pytest.mark.parametrize("frame", [pl.DataFrame(), FRAME.head(0), pd.DataFrame(index=[1, 2])])
def test_empty_frames(frame):
    with pytest.raises(ReadError, match=r"no (rows|columns)"):
        open_source(frame)


def test_types_that_no_stage_wants_become_plain(tmp_path):
    frame = pl.DataFrame(
        {
            "list": [[1, None], None],
            "struct": [{"a": 1}, {"a": None}],
            "category": pl.Series(["u", "v"], dtype=pl.Categorical),
            "decimal": pl.Series(["1.5", None]).cast(pl.Decimal(10, 2)),
            "bytes": [b"\xff\x00", b"ok"],
            "nan": [float("nan"), 1.0],
            "null": [None, None],
        }
    )
    frame.write_parquet(tmp_path / "x.parquet")
    source = open_source(tmp_path / "x.parquet")
    read = source.read()
    assert read["list"].to_list() == [[1.0, None], None]
    assert read["struct.a"].to_list() == [1, None]
    assert read["decimal"].to_list() == [1.5, None]
    assert read["nan"].to_list() == [None, 1.0]
    assert {str(d) for d in read.dtypes} == {"String", "Int64", "Float64", "List(Float64)"}
    assert source.notes == ("objects within objects became columns: 'struct.a'",)
    assert source.columns == tuple(read.columns)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "x.db"
    connection = sqlite3.connect(path)
    connection.execute("create table t (a, b, c)")
    connection.executemany(
        "insert into t values (?, ?, ?)", [(1, "x", 1), (2.5, None, "oops"), (None, b"y", 3)]
    )
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def test_query(database):
    source = open_source(database, options=ReadOptions(query="select *, a from t"))
    assert source.read().to_dict(as_series=False) == {
        "a": [1.0, 2.5, None],
        "b": ["x", None, "y"],
        "c": ["1", "oops", "3"],
        "a_2": [1.0, 2.5, None],
    }


@pytest.mark.parametrize(
    ("url", "query", "told"),
    [
        ("{database}", None, "no query"),
        ("{database}", "select * from nowhere", "no such table: nowhere"),
        ("{database}", "select * from t where a = 99", "no rows"),
        ("{database}", "create table u (a)", "not return rows"),
        ("sqlite:////no/such.db", "select 1", "no such database file"),
        ("nonsense://u:secret@h/d", "select 1", "nonsense"),
        ("s3://bucket/x.parquet", "select 1", "s3"),
        ("://", "select 1", "URL"),
    ],
)
def test_queries_that_fail(database, url, query, told):
    with pytest.raises(ReadError, match=told) as caught:
        open_source(url.format(database=database), options=ReadOptions(query=query))
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


SECONDS = pd.to_timedelta([1, 2, None], unit="s")
NESTED = [{"a": 1, "b": {"c": 2.5, "d": {"e": 1}}}, {"a": 2, "b": None}, None]


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (
            pd.period_range("2024-01", periods=3, freq="M"),
            {"c": [dt.datetime(2024, m, 1) for m in (1, 2, 3)]},
        ),
        ([pd.Period("2024-01"), None, pd.NaT], {"c": [dt.datetime(2024, 1, 1), None, None]}),
        (pd.interval_range(0, 3), {"c.left": [0, 1, 2], "c.right": [1, 2, 3]}),
        (pd.cut([1, 2, 3], [0, 2, 4]), {"c": ["(0, 2]", "(0, 2]", "(2, 4]"]}),
        (np.array([1 + 2j, 2, 3]), {"c.real": [1, 2, 3], "c.imag": [2, 0, 0]}),
        (pd.arrays.SparseArray([np.nan, 0, 1]), {"c": [None, 0, 1]}),
        (pd.Categorical([1, 2, 1]), {"c": ["1", "2", "1"]}),
        (pd.Categorical(["a", 2, None]), {"c": ["a", "2", None]}),
        (pd.Categorical([True, None, False]), {"c": [True, None, False]}),
        (SECONDS, {"c": [dt.timedelta(seconds=1), dt.timedelta(seconds=2), None]}),
        (np.array([1, 2, 3], dtype=np.longdouble), {"c": [1, 2, 3]}),
        ([{"a": 1}, {"a": 2}, None], {"c.a": [1, 2, None]}),
        ([np.arange(2000), np.arange(2), None], {"c": [str(list(range(2000))), "[0, 1]", None]}),
        ([{"y", "x"}, {"x"}, None], {"c": ['["x", "y"]', '["x"]', None]}),
    ],
)
def test_cells_that_pandas_alone_knows(cells, wanted):
    source = open_source(pd.DataFrame({"v": [1.5, 2, 3], "c": cells}))
    assert source.columns == ("v", *wanted)
    assert source.read().drop("v").to_dict(as_series=False) == wanted


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (
            pl.Series(NESTED),
            {"c.a": [1, 2, None], "c.b.c": [2.5, None, None], "c.b.d": ['{"e": 1}', None, None]},
        ),
        (pl.Series([[{"a": 1}], [], None]), {"c.count": [1, 0, None]}),
        (pl.Series([["x", "y"], ["z"], None]), {"c": ['["x", "y"]', '["z"]', None]}),
        (pl.Series([object, object, None], dtype=pl.Object), {"c": [str(object)] * 2 + [None]}),
        (pa.array([{"a": 1}, {"a": None}, None]), {"c.a": [1, None, None]}),
        (
            pa.array([[("k", 1)], [], None], type=pa.map_(pa.string(), pa.int64())),
            {"c": ['{"k": 1}', "{}", None]},
        ),
        (pa.array(["u", None, "u"]).dictionary_encode(), {"c": ["u", None, "u"]}),
        (pa.array([1, 2, None], type=pa.decimal256(40, 2)), {"c": [1, 2, None]}),
        (pa.array(np.array([1, 2, 3], dtype=np.float16)), {"c": [1, 2, 3]}),
    ],
)
def test_cells_that_polars_and_pyarrow_know(cells, wanted, tmp_path):
    table = pl.DataFrame({"v": [1.5, 2, 3], "c": cells}) if isinstance(cells, pl.Series) else None
    table = pa.table({"v": [1.5, 2, 3], "c": cells}) if table is None else table
    source = open_source(table)
    assert source.columns == ("v", *wanted)
    assert source.read().drop("v").to_dict(as_series=False) == wanted


def test_an_index_that_is_not_read_is_said():
    frame = pd.DataFrame({"v": [1, 2]}, index=pd.date_range("2024", periods=2, name="when"))
    assert open_source(frame).notes == ("the index 'when' is not read; reset_index() makes it a column",)
    assert open_source(frame.rename_axis(None)).notes[0].startswith("the index of times is not read")
    assert open_source(frame.reset_index()[1:]).notes == ()
