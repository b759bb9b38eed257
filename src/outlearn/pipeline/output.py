"""Scored rows on disk: all of them, or no file at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import polars as pl
import pyarrow as pa
from pyarrow import ipc, parquet

from outlearn.data.named import written
from outlearn.errors import OutputError
from outlearn.files import whole, writing

__all__ = ["FORMATS", "Write", "check_output", "scored_file"]

Write = Callable[[pl.DataFrame], None]


def check_output(path: Path, *, suffixes: Collection[str] | None = None) -> None:
    """Refuse, before any work, a file that could not be written.

    suffixes : what the name may end in; None: anything.

    Raises
    ------
    OutputError
        Also when the folder is absent or closed to us, or `path` is a folder.
    """
    folder = path.parent
    if suffixes is not None and path.suffix.lower() not in suffixes:
        raise OutputError(f"cannot write {path}: wanted a name that ends in {', '.join(suffixes)}")
    if path.is_dir():
        raise OutputError(f"cannot write to {path}: it is a folder; give the name of a file")
    if not folder.is_dir():
        raise OutputError(f"cannot write to {path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write to {path}: no permission to write in {folder}")


@contextmanager
def scored_file(path: Path) -> Iterator[Write]:
    """Give a function that appends frames; the file appears under its name when the block ends without error.

    Frames must share one schema. The suffix decides the format (see `FORMATS`). Until the end the rows stand
    in a hidden file in the same folder, which is deleted on any error, Ctrl-C included.

    Raises
    ------
    OutputError
        For an unknown suffix, or when the file cannot be written.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "rows.csv"
    >>> with scored_file(path) as write:
    ...     write(pl.DataFrame({"a": [1]}))
    ...     write(pl.DataFrame({"a": [2]}))
    >>> path.read_text().split()
    ['a', '1', '2']
    >>> folder.cleanup()
    """
    check_output(path, suffixes=FORMATS)
    failing = partial(writing, path, errors=(OSError, pa.ArrowException, pl.exceptions.PolarsError))
    with whole(path, errors=()) as temporary:  # errors of the block are not ours to rename
        with failing():
            stream = temporary.open("wb")
        sink = FORMATS[path.suffix.lower()](stream)

        def write(frame: pl.DataFrame) -> None:
            with failing():
                sink.write(frame.rename({name: written(name) for name in frame.columns}))

        try:
            yield write
            with failing():
                sink.close()
                stream.close()
        except BaseException:
            for given_up in (sink, stream):  # closing them fails again when the disk is full
                with suppress(Exception):
                    given_up.close()
            raise


class _Csv:
    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.header = stream, True

    def write(self, frame: pl.DataFrame) -> None:
        plain = pl.DataFrame([_as_csv(cells.alias("")).alias(cells.name) for cells in frame.iter_columns()])
        plain.write_csv(self.stream, include_header=self.header)
        self.header = False

    def close(self) -> None:
        self.stream.flush()


def _as_csv(column: pl.Series) -> pl.Series:
    """Return lists of numbers and lengths of time, which CSV does not have, as text that readers know."""
    if isinstance(column.dtype, pl.Duration):
        return column.dt.to_string("iso")
    if isinstance(column.dtype, pl.List):
        numbers = column.list.eval(pl.element().cast(pl.String).fill_null("null")).list.join(", ")
        return "[" + numbers + "]"
    return column


class _JsonLines:
    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def write(self, frame: pl.DataFrame) -> None:
        frame.write_ndjson(self.stream)

    def close(self) -> None:
        self.stream.flush()


class _Columnar:
    """Parquet and Arrow: both writers of pyarrow want the schema of the first rows."""

    def __init__(self, stream: IO[bytes], make: Callable[[IO[bytes], pa.Schema], Any]) -> None:
        self.stream, self.make = stream, make
        self.writer: Any = None

    def write(self, frame: pl.DataFrame) -> None:
        rows = frame.to_arrow()
        if self.writer is None:
            self.writer = self.make(self.stream, rows.schema)
        self.writer.write_table(rows)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def _parquet(stream: IO[bytes]) -> _Columnar:
    return _Columnar(stream, lambda sink, schema: parquet.ParquetWriter(sink, schema, compression="zstd"))


def _arrow(stream: IO[bytes]) -> _Columnar:
    return _Columnar(stream, ipc.new_file)


#: Suffix → how the rows are written.
FORMATS: dict[str, Callable[[IO[bytes]], Any]] = {
    ".parquet": _parquet,
    ".csv": _Csv,
    ".jsonl": _JsonLines,
    ".arrow": _arrow,
}
