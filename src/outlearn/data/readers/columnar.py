"""Parquet and Arrow files, read piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import polars as pl
import pyarrow as pa
from pyarrow import ipc, parquet

from outlearn.data.readers.arrow_sizes import check_file, check_stream
from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.limits import LONGEST_CELL, check_cells, check_columns_of_rows, check_unpacked
from outlearn.data.readers.source import Source, reading, unique_names
from outlearn.data.readers.typed import plain_types, plain_types_notes
from outlearn.errors import ReadError

__all__ = ["open_arrow", "open_arrow_stream", "open_parquet"]

Batches = Callable[[int], Iterator[pa.RecordBatch]]


def open_parquet(name: str, content: FileBytes, notes: tuple[str, ...]) -> Source:
    """Open a Parquet file; pages are decoded as they are wanted, never a whole row group."""
    with reading(name), parquet.ParquetFile(content.path) as file:
        schema, about = file.schema_arrow, file.metadata
        rows, groups = about.num_rows, map(about.row_group, range(about.num_row_groups))
        check_unpacked(name, sum(group.total_byte_size for group in groups), content.size)
        check_cells(name, rows * about.num_columns, content.size)
    return _typed_source(name, schema, partial(_parquet_batches, content), notes, rows)


def open_arrow(name: str, content: FileBytes, notes: tuple[str, ...]) -> Source:
    """Open an Arrow file (Feather version 2); not mapped, for one that is cut short would end the process."""
    with reading(name), pa.OSFile(str(content.path)) as stream:
        rows, schema = check_file(name, content), ipc.open_file(stream, content.size).schema
    return _typed_source(name, schema, partial(_arrow_batches, content), notes, rows)


def open_arrow_stream(name: str, content: FileBytes, notes: tuple[str, ...]) -> Source:
    """Open an Arrow stream."""
    with reading(name), content.open() as stream:
        rows, schema = check_stream(name, content), ipc.open_stream(stream).schema
    return _typed_source(name, schema, partial(_stream_batches, content), notes, rows)


def _parquet_batches(content: FileBytes, rows: int) -> Iterator[pa.RecordBatch]:
    content.check()
    with parquet.ParquetFile(content.path, buffer_size=1 << 20, pre_buffer=False) as file:
        yield from file.iter_batches(min(rows, 1 << 17))


def _arrow_batches(content: FileBytes, rows: int) -> Iterator[pa.RecordBatch]:
    content.check()
    with pa.OSFile(str(content.path)) as stream:
        file = ipc.open_file(stream, content.size)  # what is written behind it meanwhile is not read
        for index in range(file.num_record_batches):
            batch = file.get_batch(index)
            batch.validate(full=True)  # damaged offsets would otherwise be followed
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)


def _stream_batches(content: FileBytes, rows: int) -> Iterator[pa.RecordBatch]:
    with content.open() as stream:
        for batch in ipc.open_stream(stream):
            batch.validate(full=True)
            yield batch


def _typed_source(
    name: str, schema: pa.Schema, batches: Batches, notes: tuple[str, ...], rows: int | None
) -> Source:
    with reading(name):  # even the names may be damaged
        if not schema.names or rows == 0:
            raise ReadError(
                f"{name}: no {'rows' if schema.names else 'columns'} of data; wanted at least one"
            )
        check_columns_of_rows(name, len(schema.names))
        columns, renamed = unique_names(schema.names)
        empty = pl.DataFrame(pl.from_arrow(schema.empty_table().rename_columns(list(columns))))
        wanted = plain_types(empty).schema
        notes = (*notes, *renamed, *plain_types_notes(empty.schema))

    def frames(rows: int) -> Iterator[pl.DataFrame]:
        for batch in batches(rows):
            frame = pl.DataFrame(pl.from_arrow(batch.rename_columns(list(columns))))
            _check_lengths(name, frame)
            yield plain_types(frame).cast(wanted)

    return Source(name, tuple(wanted.names()), frames, notes, rows)


def _check_lengths(name: str, frame: pl.DataFrame) -> None:
    """Refuse text or bytes in a cell longer than `LONGEST_CELL`."""
    for column in frame.iter_columns():
        if column.dtype == pl.String:
            longest = column.str.len_bytes().max()
        elif column.dtype == pl.Binary:
            longest = column.bin.size().max()
        else:
            continue
        if isinstance(longest, int) and longest > LONGEST_CELL:
            raise ReadError(
                f"{name}: a cell of column {column.name!r} has {longest:,} bytes; at most {LONGEST_CELL:,} "
                "are read: cut it, or leave the column out"
            )
