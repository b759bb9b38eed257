"""A table whose columns have odd names reads as one with plain names, whatever it is written in."""

import csv
import json
import sqlite3

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outlearn.data.infer import infer_schema
from outlearn.data.named import is_pattern, written
from outlearn.data.readers import ReadOptions, open_source
from tests.data.test_named import HOSTILE

COLUMNS = ([1.5, 2.5, -3.0, 4.25], ["x", "y", "x", "z"], [7, 8, 9, 10])
PLAIN = ("p", "r", "s")
#: Names that are no text, or are something else in a header: a comment, a missing value.
NO_TEXT = {"\0row", "\0key"}
NO_HEADER = {"\x01", "#a", "nan"}


def _delimited(separator):
    def write(path, names):
        with path.open("w", newline="") as stream:
            csv.writer(stream, delimiter=separator).writerows([names, *zip(*COLUMNS, strict=True)])
        return path, ReadOptions(separator=separator, header=True)

    return write


def _by_polars(method):
    def write(path, names):
        getattr(_frame(names), method)(path)
        return path, None

    return write


def _json_document(path, names):
    rows = [dict(zip(names, row, strict=True)) for row in zip(*COLUMNS, strict=True)]
    path.write_text(json.dumps(rows))
    return path, None


def _database(path, names):
    path.unlink(missing_ok=True)
    called = ('"' + name.replace('"', '""') + '"' for name in names)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a, b, c)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?)", zip(*COLUMNS, strict=True))
    connection.commit()
    connection.close()
    query = f"SELECT {', '.join(f'{a} AS {b}' for a, b in zip('abc', called, strict=True))} FROM t"
    return f"sqlite:///{path}", ReadOptions(query=query)


def _frame(names):
    return pl.DataFrame([pl.Series(name, cells) for name, cells in zip(names, COLUMNS, strict=True)])


WRITERS = {
    "csv": _delimited(","),
    "tsv": _delimited("\t"),
    "parquet": _by_polars("write_parquet"),
    "arrow": _by_polars("write_ipc"),
    "stream": _by_polars("write_ipc_stream"),
    "jsonl": _by_polars("write_ndjson"),
    "json": _json_document,
    "db": _database,
    "polars": lambda _, names: (_frame(names), None),
    "pandas": lambda _, names: (_frame(names).to_pandas(), None),
    "pyarrow": lambda _, names: (_frame(names).to_arrow(), None),
}
THREE = st.lists(st.sampled_from(HOSTILE), min_size=3, max_size=3, unique=True)


def _check(folder, form, names):
    if (form in ("csv", "tsv") and NO_HEADER & set(names)) or (
        form not in ("json", "polars") and NO_TEXT & set(names)
    ):
        return
    spec, options = WRITERS[form](folder / f"plain.{form}", PLAIN)
    plain = open_source(spec, options=options).read()
    spec, options = WRITERS[form](folder / f"odd.{form}", names)
    source = open_source(spec, options=options)
    read = pl.concat(list(source.chunks(3)))
    assert [written(name) for name in source.columns] == [n.strip().replace("\0", "\ufffd") for n in names]
    assert tuple(read.columns) == source.columns
    assert not any(map(is_pattern, source.columns))
    assert read.rows() == plain.rows()
    assert read.dtypes == plain.dtypes
    assert [column.name for column in infer_schema(read).columns] == read.columns


@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(THREE)
@example(["^q$", "q", "*"])
@example(["^.*$", "^$", "a.b"])
def test_odd_names_read_as_plain_ones(tmp_path, form, names):
    _check(tmp_path, form, names)


@pytest.mark.long
@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(THREE)
def test_any_odd_names_read_as_plain_ones(tmp_path, form, names):
    _check(tmp_path, form, names)


@pytest.mark.parametrize("field", ["^q$", "*", "b$", "^.*$"])
def test_fields_within_fields(tmp_path, field):
    rows = [{"^a": {field: value}, "^q$": {"*": value + 1}} for value in (1, 2)]
    (tmp_path / "x.json").write_text(json.dumps(rows))
    for source in (open_source(tmp_path / "x.json"), open_source(pl.DataFrame(rows))):
        read = source.read()
        assert [written(name) for name in read.columns] == [f"^a.{field}", "^q$.*"]
        assert read.rows() == [(1, 2), (2, 3)]


def test_the_head_of_a_zeek_log_may_come_again(tmp_path):
    head = "#separator \\x09\n#fields\tts\t^q$\t*\n"
    (tmp_path / "x.log").write_text(f"{head}1.0\ta\t5\n{head}2.0\tb\t6\n")
    source = open_source(tmp_path / "x.log")
    assert [written(name) for name in source.columns] == ["ts", "^q$", "*"]
    assert source.read().rows() == [(1.0, "a", 5), (2.0, "b", 6)]
