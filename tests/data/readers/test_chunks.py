"""Large sources come in bounded chunks whose size changes neither types nor content."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from outlearn.data.readers import open_source
from outlearn.errors import ParameterError, ReadError

ROWS = 300_000


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "count": rng.integers(0, 1_000, ROWS),
            "amount": rng.normal(size=ROWS),
            "kind": rng.choice(["web", "shop", 'a "b", c'], ROWS),
        }
    ).with_columns(pl.when(pl.col("count") > 10).then("amount"))


@pytest.mark.parametrize("form", ["csv", "parquet", "ipc"])
def test_three_hundred_thousand_rows(tmp_path, frame, form):
    path = tmp_path / f"x.{form}"
    getattr(frame, f"write_{form}")(path)
    source = open_source(path)
    chunks = list(source.chunks(70_000))
    assert [chunk.height for chunk in chunks] == [70_000] * 4 + [20_000]
    assert_frame_equal(pl.concat(chunks), frame)
    assert source.rows == ROWS


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_no_batch_holds_the_whole_file(tmp_path, frame, form):
    wide = pl.concat([frame.with_columns(pl.lit("x" * 60).alias("pad"))] * 2)
    path = tmp_path / f"x.{form}"
    getattr(wide, f"write_{form}")(path)
    assert max(batch.height for batch in open_source(path).batches(50_000)) <= 120_000


@pytest.mark.parametrize("rows", [1, 7, 19, 20, 1_000])
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "frame"])
def test_chunk_size_changes_nothing(tmp_path, rows, form):
    frame = pl.DataFrame(
        {"a": [*range(18), None, 5], "b": [None] * 19 + [0.5], "c": ["x"] * 10 + ["1"] * 10, "d": [None] * 20}
    )
    source = open_source(frame)
    if form != "frame":
        path = tmp_path / f"x.{form}"
        {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}[form](path)
        source = open_source(path)
    chunks = list(source.chunks(rows))
    assert [chunk.height for chunk in chunks[:-1]] == [rows] * (len(chunks) - 1)
    assert {tuple(chunk.schema.items()) for chunk in chunks} == {tuple(source.read().schema.items())}
    assert_frame_equal(pl.concat(chunks), frame, check_dtypes=False)
    assert_frame_equal(pl.concat(source.chunks(rows)), pl.concat(chunks))


def test_chunks_of_nothing_are_refused():
    with pytest.raises(ParameterError, match="at least 1"):
        next(open_source(pl.DataFrame({"a": [1]})).chunks(0))


def test_a_file_that_vanishes_is_a_read_error(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    source = open_source(path)
    path.unlink()
    with pytest.raises(ReadError, match=r"x\.csv"):
        source.read()


def test_lines_that_blanks_part_come_in_pieces_too(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("time  load name\n" + "".join(f"{i}  {i / 4} a{i % 3} \n" for i in range(40_000)))
    source = open_source(path)
    chunks = list(source.chunks(15_000))
    assert [chunk.height for chunk in chunks] == [15_000, 15_000, 10_000]
    assert pl.concat(chunks).row(39_999) == (39_999, 9999.75, "a0")
    assert_frame_equal(pl.concat(source.chunks(7_777)), pl.concat(chunks))
