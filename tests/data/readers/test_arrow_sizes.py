"""What Arrow files unpack to is known, and refused where it is too much, before a batch is unpacked."""

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import ipc

from outlearn.data.readers import arrow_sizes, open_source
from outlearn.data.readers.detect import content_of
from outlearn.errors import ReadError

WRITERS = {"file": ipc.new_file, "stream": ipc.new_stream}
PACKED = [None, "lz4", "zstd"]


def write(path, table, form, compression=None, rows=None):
    options = ipc.IpcWriteOptions(compression=compression, emit_dictionary_deltas=form == "stream")
    with pa.OSFile(str(path), "wb") as file, WRITERS[form](file, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rows)
    return path


def some_table():
    words = [f"a word of more than twelve letters, {i}" for i in range(100)]
    return pa.table(
        {
            "a": np.arange(100.0),
            "list": pa.array([[1, 2], None] * 50),
            "struct": pa.array([{"b": 1, "c": None}] * 100),
            "word": pa.array(words).dictionary_encode(),
            "view": pa.array(words, pa.string_view()),
        }
    )


@pytest.mark.parametrize("compression", PACKED)
@pytest.mark.parametrize("form", WRITERS)
def test_rows_and_bytes_are_those_that_the_batches_have(form, compression, tmp_path):
    table = some_table()
    content = content_of(write(tmp_path / "x", table, form, compression, rows=30))
    with content.path.open("rb") as stream:
        walk = arrow_sizes._of_file if form == "file" else arrow_sizes._of_stream
        batches = list(filter(None, walk(stream, content.size)))
    assert sum(batch.rows for batch in batches) == 100
    assert all(batch.packed == (compression is not None) for batch in batches)
    held = sum(column.get_total_buffer_size() for column in table.combine_chunks().columns)
    assert (
        held * 0.9 < sum(batch.unpacked for batch in batches) < held * 5
    )  # each batch pads, and some repeat words
    assert open_source(content.path).rows == open_source(content.path).read().height == 100


@pytest.mark.parametrize("form", ["write_ipc", "write_ipc_stream"])
@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_what_polars_writes_is_read(form, compression, tmp_path):
    frame = pl.DataFrame({"a": np.arange(50.0), "b": ["x", "yy"] * 25, "c": [[1.0]] * 50})
    getattr(frame, form)(tmp_path / "x", compression=compression)
    source = open_source(tmp_path / "x")
    assert source.rows == 50 and source.read().equals(frame)


@pytest.mark.parametrize("form", WRITERS)
def test_a_small_file_that_unpacks_to_much_is_refused_before_it_is(form, tmp_path, monkeypatch):
    path = write(tmp_path / "x", pa.table({"a": np.zeros(20_000_000)}), form, "zstd")
    assert path.stat().st_size < 10_000
    for way in ("open_file", "open_stream"):
        monkeypatch.delattr(ipc, way)  # what could unpack a batch
    before = pa.total_allocated_bytes()
    with pytest.raises(ReadError, match="bytes unpack to more than 160,000,000; at most 250 times"):
        open_source(path)
    assert pa.total_allocated_bytes() - before < 1 << 20


def test_packed_dictionaries_count_and_their_rows_do_not(tmp_path):
    words = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), ["x" * 70_000_000, "y"])
    for form in WRITERS:
        with pytest.raises(ReadError, match="unpack to more"):
            open_source(write(tmp_path / "x", pa.table({"a": words}), form, "zstd"))
        few = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), ["x", "y"])
        assert open_source(write(tmp_path / "x", pa.table({"a": few}), form)).rows == 3


@pytest.mark.parametrize("form", WRITERS)
def test_cells_that_take_no_bytes_count(form, tmp_path):
    for column in (pa.nulls(200_000_000), pa.StructArray.from_arrays([pa.nulls(200_000_000)], ["b"])):
        with pytest.raises(ReadError, match=r"00,000,000 cells in [0-9,]+ bytes"):
            open_source(write(tmp_path / "x", pa.table({"a": column}), form))


def test_a_batch_that_is_unpacked_as_a_whole_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("outlearn.data.readers.limits.MOST_BATCH", 1 << 16)
    table = pa.table({"a": np.arange(20_000.0)})
    assert open_source(write(tmp_path / "x", table, "file", "lz4", rows=5_000)).rows == 20_000
    assert open_source(write(tmp_path / "x", table, "file")).rows == 20_000  # no larger than the file is
    with pytest.raises(ReadError, match="fewer rows"):
        open_source(write(tmp_path / "x", table, "file", "lz4"))


@pytest.mark.parametrize("form", WRITERS)
def test_metadata_that_point_outside_are_an_error(form, tmp_path):
    whole = write(tmp_path / "x", some_table(), form, "lz4").read_bytes()
    for end in range(len(whole) - 1, 8, -97):
        (tmp_path / "y").write_bytes(whole[:end])
        try:
            arrow_sizes.check_stream("y", content_of(tmp_path / "y"))
            arrow_sizes.check_file("y", content_of(tmp_path / "y"))
        except ReadError as error:
            assert "damaged" in str(error)
        else:
            pytest.fail("a file without its end has no footer")
