"""Rows as they came: text stays text until a model says how it is read; an Arrow stream keeps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa
from pyarrow import ipc

from outlearn.data.kinds.names import TABLE
from outlearn.data.readers import ReadOptions, Source
from outlearn.data.readers.text import from_text
from outlearn.errors import ReadError

__all__ = ["Rows", "packed", "put_together", "unpacked"]

_TEXT, _KEYS, _KIND = b"outlearn.text", b"outlearn.keys", b"outlearn.kind"  # metadata of a stream


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as they came.

    is_text : whether all cells are text, of which numbers are to be told. keys : whether rows name their
    columns themselves, and may leave some out. kind : as of a `Source`.
    """

    frame: pl.DataFrame
    is_text: bool = False
    keys: bool = False
    kind: str = TABLE
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: Source, frame: pl.DataFrame, *, keys: bool = False) -> Rows:
        """Return rows of a source that was opened with its cells as written."""
        is_text = source.kind == TABLE and all(dtype == pl.String for dtype in frame.dtypes)
        return cls(frame, is_text, keys, source.kind, source.notes)

    def opener(self, name: str) -> Callable[[ReadOptions], Source]:
        """Return what opens the rows as options say."""

        def opened(options: ReadOptions) -> Source:
            if self.is_text:
                return from_text(name, lambda: [self.frame], options=options, notes=self.notes)
            frame = self.frame
            return Source(
                name, tuple(frame.columns), frame.iter_slices, self.notes, frame.height, kind=self.kind
            )

        return opened


def put_together(few: Sequence[Rows]) -> Rows:
    """Return rows as one table; columns that some lack are empty there.

    Raises
    ------
    ReadError
        When columns of one name have types that do not go together.
    """
    first = few[0]
    try:
        frame = pl.concat([rows.frame for rows in few], how="diagonal_relaxed", rechunk=True)
    except pl.exceptions.PolarsError as error:
        raise ReadError(f"rows do not go together: {error}; wanted the same types of columns") from error
    notes = tuple(dict.fromkeys(note for rows in few for note in rows.notes))
    is_text = all(rows.is_text for rows in few)
    return replace(first, frame=frame, is_text=is_text, keys=any(rows.keys for rows in few), notes=notes)


def packed(rows: Rows) -> bytes:
    """Return rows as an Arrow stream; see `unpacked`."""
    about = {_KIND: rows.kind.encode()}
    about |= {name: b"1" for name, is_so in ((_TEXT, rows.is_text), (_KEYS, rows.keys)) if is_so}
    table = rows.frame.to_arrow().replace_schema_metadata(about)
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def unpacked(content: bytes) -> Rows:
    """Return the rows of an Arrow stream that `packed` made."""
    with ipc.open_stream(pa.py_buffer(content)) as reader:
        table = reader.read_all()
    about = table.schema.metadata or {}
    frame = pl.DataFrame(pl.from_arrow(table))
    return Rows(frame, _TEXT in about, _KEYS in about, about.get(_KIND, TABLE.encode()).decode())
