"""What a file may ask for has limits, and the error that meets one says which; large tables stay below."""

import bz2
import gzip
import json
import os
import pickle
import zipfile

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from outlearn.data.arrays import ArrayFile, read_arrays
from outlearn.data.overrides import read_overrides
from outlearn.data.readers import ReadOptions, columnar, detect, nested, open_source
from outlearn.data.readers.detect import content_of
from outlearn.data.readers.source import reading, unique_names
from outlearn.errors import OutputError, ReadError
from outlearn.explain.words import number_range
from outlearn.feedback.store import VerdictFile
from outlearn.ledger import appending
from outlearn.panics import without_panics
from outlearn.pipeline.job_file import read_job


def save(tmp_path, content, name="x"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch, pack):
    monkeypatch.setattr("outlearn.data.readers.limits.FREE_UNPACKED", 1 << 20)
    monkeypatch.setattr(detect, "_PIECE", 1 << 16)
    head = b'{"a": 1}\n{"a": "'
    path = save(tmp_path, pack(head + b"x" * (2 << 20) + b'"}\n'), "a.jsonl.gz")
    with pytest.raises(ReadError, match="unpack to more than"):
        open_source(path)
    with (
        pytest.raises(ReadError, match="at most 250 times as many, or 1 MB"),
        content_of(path).open() as stream,
    ):
        stream.read(1 << 30)


def test_a_log_that_packs_a_hundredfold_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("outlearn.data.readers.limits.FREE_UNPACKED", 1 << 10)
    text = b"".join(
        b"Jan  1 00:00:%02d host sshd[%d]: session opened\n" % (i % 60, i % 7) for i in range(9_000)
    )
    packed = gzip.compress(text)
    assert 50 < len(text) / len(packed) < 250
    assert open_source(save(tmp_path, packed), options=ReadOptions(kind="logs")).rows == 9_000


def test_keys_that_are_values_are_refused_soon(tmp_path):
    rows = (json.dumps({f"k{100 * row + i}": i for i in range(100)}) for row in range(200))
    with pytest.raises(
        ReadError, match=r"10,100 different keys in the first 101 rows, of which a row has 100"
    ):
        open_source(save(tmp_path, "\n".join(rows), "a.jsonl"))


def test_rows_of_other_keys_are_columns_whatever_block_they_are_in(tmp_path, monkeypatch):
    monkeypatch.setattr(nested, "BLOCK_CELLS", 6)
    rows = [{"a": 1, "b": "x"}, {"c": [1, 2]}, {}, {"b": "y", "a": 2}, {"d": {"e": 3}}]
    path = save(tmp_path, "\n".join(map(json.dumps, rows)), "a.jsonl")
    frame = open_source(path).read()
    assert frame.columns == ["a", "b", "c", "d.e"] and frame["a"].to_list() == [1, None, None, 2, None]
    assert frame["d.e"].to_list() == [None] * 4 + [3]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.jsonl", '{"a": 1}\n{"b": "' + "x" * 2_000 + '"}\n', r"line 2 has more than 1,000 characters"),
        ("a.jsonl", '{"a": 1}\n' + "\n" * 2_000 + '{"a": 2}\n', r"more than 1,000 blank lines on end"),
        ("a.txt", "1 2\n3 4\n" + "\n" * 2_000 + "5 6\n", r"more than 1,000 blank lines on end"),
    ],
)
def test_lines_have_a_limit(tmp_path, monkeypatch, name, text, words):
    for limit in ("LONGEST_LINE", "MOST_BLANK"):
        monkeypatch.setattr(detect, limit, 1_000)
    monkeypatch.setattr(detect, "_BLOCK", 500)
    with pytest.raises(ReadError, match=words):
        open_source(save(tmp_path, text, name)).read()


def test_tables_have_a_limit_of_columns_cells_and_lengths(tmp_path, monkeypatch):
    monkeypatch.setattr("outlearn.data.readers.limits.MOST_COLUMNS", 1_000)
    with pytest.raises(ReadError, match=r"1,200 columns; at most 1,000"):
        open_source(save(tmp_path, "a," * 1_199 + "b\n" + "1," * 1_199 + "2\n"))
    pl.DataFrame({"a": ["x" * 99, "y"]}).write_parquet(tmp_path / "p")
    monkeypatch.setattr(columnar, "LONGEST_CELL", 50)
    with pytest.raises(ReadError, match=r"a cell of column 'a' has 99 bytes; at most 50"):
        open_source(tmp_path / "p").read()
    monkeypatch.setattr("outlearn.data.readers.limits.FREE_CELLS", 1_000)
    monkeypatch.setattr("outlearn.data.readers.limits.MOST_CELLS", 10)
    pl.DataFrame({"a": pl.repeat(1, 100_000, eager=True)}).write_parquet(tmp_path / "p")
    with pytest.raises(ReadError, match=r"100,000 cells in"):
        open_source(tmp_path / "p")


def test_a_wide_table_is_read(tmp_path):
    names = [f"gene_{i:06d}" for i in range(1_000)]
    path = save(tmp_path, ",".join(names) + "\n" + (",".join(["0.123456789"] * 1_000) + "\n") * 3)
    assert open_source(path).read().shape == (3, 1_000)
    assert unique_names(["a"] * 50_000)[0][-1] == "a_50000"


def test_nesting_has_a_limit(tmp_path):
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n"
    with pytest.raises(ReadError, match=r"recursion|JSON|deep"):
        open_source(save(tmp_path, '{"a": 1}\n' + deep, "a.jsonl"))
    for error in (RecursionError(), MemoryError(), OverflowError("too large")):
        with pytest.raises(ReadError, match=r"nested|memory|too large"), reading("x"):
            raise error


@pytest.mark.parametrize("form", ["csv", "ipc", "parquet"])
@pytest.mark.parametrize("change", ["cut", "replaced", "gone"])
def test_a_file_that_changes_while_it_is_read_is_told(tmp_path, form, change):
    path = tmp_path / "x"
    table = pl.DataFrame({"a": range(50_000), "b": [f"t{i}" for i in range(50_000)]})
    getattr(table, f"write_{form}")(path)
    source = open_source(path)
    if change == "cut":
        os.truncate(path, path.stat().st_size // 2)
    elif change == "gone":
        path.unlink()
    else:
        save(tmp_path, b"a,b\n1,2\n", "y").replace(path)
    with pytest.raises(ReadError, match=r"replaced or cut short|no such file"):
        source.read()


def test_what_is_written_behind_the_end_meanwhile_is_not_read(tmp_path):
    path = save(tmp_path, "a,b\n" + "1,2\n" * 99)
    source = open_source(path)
    with path.open("a") as stream:
        stream.write("3,4\n" * 50)
    assert source.rows == source.read().height == 99


def test_arrow_is_not_mapped(tmp_path, monkeypatch):
    pl.DataFrame({"a": [1, 2]}).write_ipc(tmp_path / "x")
    monkeypatch.delattr(pa, "memory_map")
    assert open_source(tmp_path / "x").read()["a"].to_list() == [1, 2]


def test_arrays_are_read_by_pieces_and_damaged_ones_are_told(tmp_path, monkeypatch):
    values = np.random.default_rng(0).normal(size=(20, 3))
    for place, order in enumerate("CF"):
        path = tmp_path / f"{place}.npy"
        np.save(path, np.asarray(values, order=order))
        np.testing.assert_array_equal(ArrayFile.of(path).read(15, 9), values[15:])
    file = ArrayFile.of(path)
    os.truncate(path, 200)
    with pytest.raises(ReadError, match="cut short"):
        file.read(0, 20)
    head = b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2"
    for content in (head + b'"""' + b" " * 40, b"\x93NUMPY\x01\x00", pickle.dumps([1])):
        with pytest.raises(ReadError, match="holds no array"):
            ArrayFile.of(save(tmp_path, content, "d.npy"))
    np.savez(tmp_path / "a.npz", X=values)
    for place, value in ((6, 1), (8, 12)):  # encrypted; packed in a way of its own
        data = bytearray((tmp_path / "a.npz").read_bytes())
        data[data.index(b"PK\x01\x02") + place + 2] = value
        data[place] = value
        with pytest.raises(ReadError, match="holds no array"):
            read_arrays(save(tmp_path, bytes(data), "b.npz"), ["X"], "npz")
    with zipfile.ZipFile(tmp_path / "c.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", b"\0" * (1 << 20))
    monkeypatch.setattr("outlearn.data.readers.limits.FREE_UNPACKED", 1 << 10)
    with pytest.raises(ReadError, match="unpack to more"):
        read_arrays(tmp_path / "c.npz", ["X"], "npz")


def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for read in (open_source, read_job, read_overrides, lambda path: VerdictFile(path).read()):
        with pytest.raises(ReadError, match="not an ordinary file"):
            read(pipe)
    with pytest.raises((ReadError, OutputError)), appending(pipe):
        pass
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ReadError, match="symbolic links"):
        open_source(tmp_path / "loop")
    with pytest.raises(ReadError, match="home folder"):
        open_source("~nobody-of-that-name/a.csv")
    with pytest.raises(ReadError, match="bytes; wanted the job"):
        read_job(save(tmp_path, "#" * (2 << 20)))


def test_a_panic_is_an_error_of_ours(tmp_path):
    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(ReadError, match="a library gave up on these values"), without_panics("x"):
        raise panic("out of bounds")
    with pytest.raises(KeyboardInterrupt), without_panics("x"):
        raise KeyboardInterrupt
    days = pl.DataFrame({"d": pl.Series([1, 2**31 - 1], dtype=pl.Int32).cast(pl.Date)})
    days.write_parquet(tmp_path / "x")
    with pytest.raises(ReadError, match="outside the years 1 to 9999"):
        open_source(tmp_path / "x").read()


def test_numbers_at_the_ends_of_floats_have_words():
    low, high, words = number_range(np.array([-1.7e308, 1.7e308] * 20))
    assert (low, high) == (-1.7e308, 1.7e308) and words == "-1.7e+308 to 1.7e+308"
    assert number_range(np.array([0.0, 5e-324] * 20))[2] == "0 to 4.941e-324"
