"""What the batches of an Arrow file or stream become once unpacked, told before one of them is.

The metadata of a message is a flatbuffer that lists the buffers of its body; a packed one begins with its
unpacked length. See "Encapsulated message format" and "IPC File Format" of the Arrow columnar format.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.limits import check_batch, check_cells, check_unpacked
from outlearn.errors import ReadError

__all__ = ["check_file", "check_stream"]

_DICTIONARY, _BATCH = 2, 3  # kinds of messages that have buffers
_CONTINUED = 0xFFFFFFFF  # before the length of metadata, since version 0.15 of the format
_BEFORE = b"experimental_compression"  # in metadata of version 0.17, where packing was told of
_FOOTER_END = b"ARROW1"


@dataclass(frozen=True, slots=True)
class _Batch:
    """A message with values. rows : none of a dictionary. cells : of all columns, nested ones too. unpacked :
    bytes in memory."""

    rows: int
    cells: int
    packed: bool
    unpacked: int


class _Table:
    """A table of a flatbuffer, whose fields are found by their numbers."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._place = data, place
        self._fields = place - self._read("<i", place)

    def number(self, field: int, form: str) -> int:
        """Return a number in a form of `struct`; 0 where the field is left out."""
        place = self._find(field)
        return 0 if place is None else self._read(form, place)

    def table(self, field: int) -> _Table | None:
        """Return a table within this one."""
        place = self._find(field)
        return None if place is None else _Table(self._data, place + self._read("<I", place))

    def rows(self, field: int, form: str) -> list[tuple[int, ...]]:
        """Return a vector of structs in a form of `struct`."""
        place = self._find(field)
        if place is None:
            return []
        start = place + self._read("<I", place)
        end = start + 4 + self._read("<I", start) * struct.calcsize(form)
        if start < 0 or end > len(self._data):
            raise struct.error("a vector ends outside of the metadata")
        return list(struct.iter_unpack(form, self._data[start + 4 : end]))

    def _find(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry >= self._read("<H", self._fields):
            return None
        offset = self._read("<H", self._fields + entry)
        return self._place + offset if offset else None

    def _read(self, form: str, place: int) -> int:
        if place < 0:
            raise struct.error("a place before the metadata")
        return int(struct.unpack_from(form, self._data, place)[0])


def check_file(name: str, content: FileBytes) -> int:
    """Return how many rows an Arrow file has, if what it unpacks to is within the limits.

    Raises
    ------
    ReadError
        For a file that unpacks to too much, and one whose metadata are damaged.
    """
    content.check()
    with content.path.open("rb") as stream:
        return _checked(name, content.size, _of_file(stream, content.size))


def check_stream(name: str, content: FileBytes) -> int:
    """Return how many rows an Arrow stream has; as `check_file`."""
    content.check()
    with content.path.open("rb") as stream:
        return _checked(name, content.size, _of_stream(stream, content.size))


def _checked(name: str, size: int, batches: Iterable[_Batch | None]) -> int:
    rows = cells = unpacked = 0
    try:
        for batch in filter(None, batches):
            rows, cells, unpacked = rows + batch.rows, cells + batch.cells, unpacked + batch.unpacked
            check_cells(name, cells, size)
            check_unpacked(name, unpacked, size)
            if batch.packed:
                check_batch(name, batch.unpacked)
    except (struct.error, EOFError) as error:
        raise ReadError(f"{name}: damaged, truncated or unreadable ({error})") from error
    return rows


def _of_file(stream: IO[bytes], size: int) -> Iterator[_Batch | None]:
    """Yield the batches that the footer lists: those are what is read, wherever they stand."""
    tail = _bytes(stream, size - 10, 10)
    (length,) = struct.unpack("<i", tail[:4])
    if tail[4:] != _FOOTER_END or not 0 < length <= size - 10:
        raise EOFError("its end is not that of an Arrow file")
    data = _bytes(stream, size - 10 - length, length)
    footer = _root(data)
    for field in (2, 3):  # dictionaries, batches
        for start, metadata, _ in footer.rows(field, "<qi4xq"):
            yield _message(stream, start, metadata)[0]


def _of_stream(stream: IO[bytes], size: int) -> Iterator[_Batch | None]:
    place = 0
    while place + 4 <= size:
        prefix = _bytes(stream, place, 4)
        wide = struct.unpack("<I", prefix)[0] == _CONTINUED
        (length,) = struct.unpack("<i", _bytes(stream, place + 4, 4) if wide else prefix)
        if not length:
            return  # the end of the stream
        metadata = length + (8 if wide else 4)
        batch, body = _message(stream, place, metadata)
        yield batch
        place += metadata + body


def _message(stream: IO[bytes], start: int, metadata: int) -> tuple[_Batch | None, int]:
    """Return what rows a message has, if any, and the length of its body.

    metadata : bytes before the body, the prefix included.
    """
    data = _bytes(stream, start, metadata)
    data = data[8:] if data[:4] == b"\xff" * 4 else data[4:]
    message = _root(data)
    kind, header, body = message.number(1, "<B"), message.table(2), message.number(3, "<q")
    if body < 0:
        raise EOFError("a message has a body of less than nothing")
    batch = header.table(1) if header and kind == _DICTIONARY else header if kind == _BATCH else None
    if batch is None:
        return None, body
    buffers = batch.rows(2, "<qq")
    packed = batch.table(3) is not None or _BEFORE in data
    lengths = (_unpacked(stream, start + metadata, *buffer) if packed else buffer[1] for buffer in buffers)
    cells = sum(length for length, _ in batch.rows(1, "<qq"))
    rows = batch.number(0, "<q") if kind == _BATCH else 0
    return _Batch(rows, cells, packed, sum(lengths)), body


def _unpacked(stream: IO[bytes], body: int, offset: int, length: int) -> int:
    if length < 8:
        return length
    (unpacked,) = struct.unpack("<q", _bytes(stream, body + offset, 8))
    return length if unpacked == -1 else int(unpacked)  # -1: it is left as it was


def _root(data: bytes) -> _Table:
    return _Table(data, struct.unpack_from("<I", data)[0])


def _bytes(stream: IO[bytes], start: int, count: int) -> bytes:
    """Return bytes of a file, or raise where they are not all there."""
    if start < 0 or count < 0:
        raise EOFError("a part of it stands before its beginning")
    if start + count > os.fstat(stream.fileno()).st_size:
        raise EOFError("a part of it stands behind its end")
    stream.seek(start)
    return stream.read(count)
