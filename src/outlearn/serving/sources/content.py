"""The bytes of a file that may grow, unpacked where it is packed, and marks by which they are known again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Self

import pyarrow as pa

from outlearn.data.readers.limits import check_unpacked
from outlearn.errors import ReadError

__all__ = ["HEAD", "TAIL", "Content", "Mark"]

_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
_BLOCK = 4 << 20
HEAD, TAIL = 1 << 10, 64 << 10  # bytes by which what was read is known again


class Content:
    """The bytes of an open file up to the size that it had when it was opened.

    packed : how, or None. size : of the file itself, packed or not.
    """

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name, self._file = name, file
        state = os.fstat(file.fileno())
        self.size, self.modified = state.st_size, state.st_mtime_ns
        start = os.pread(file.fileno(), 4, 0)
        self.packed = next((kind for magic, kind in _PACKED.items() if start.startswith(magic)), None)
        self._stream: pa.NativeFile | None = None
        self._at = 0

    def read(self, start: int, length: int) -> bytes:
        """Return bytes of the unpacked content; fewer at its end.

        Raises
        ------
        ReadError
            When it is packed and damaged, or unpacks to far more than it may.
        """
        if self.packed is None:
            return self._plain(start, min(length, self.size - start))
        try:
            return self._unpacked(start, length)
        except (OSError, pa.ArrowException, EOFError) as error:
            raise ReadError(f"{self.name}: it cannot be unpacked, or not yet ({error})") from error

    def _plain(self, start: int, length: int) -> bytes:
        pieces: list[bytes] = []
        while length > 0 and (piece := os.pread(self._file.fileno(), length, start)):
            pieces.append(piece)
            start, length = start + len(piece), length - len(piece)
        return b"".join(pieces)

    def _unpacked(self, start: int, length: int) -> bytes:
        if self._stream is None or start < self._at:
            self._file.seek(0)
            inner = pa.PythonFile(_Borrowed(self._file), mode="r")
            self._stream, self._at = pa.CompressedInputStream(inner, self.packed), 0
        while self._at < start:
            if not self._next(min(_BLOCK, start - self._at)):
                return b""
        pieces: list[bytes] = []
        while length > 0 and (piece := self._next(min(_BLOCK, length))):
            pieces.append(piece)
            length -= len(piece)
        return b"".join(pieces)

    def _next(self, length: int) -> bytes:
        assert self._stream is not None
        piece: bytes = self._stream.read(length)
        self._at += len(piece)
        check_unpacked(self.name, self._at, self.size)
        return piece

    def check(self, head: bytes, end: int) -> None:
        """Refuse a plain file that was truncated or written anew while it was read.

        head : its first bytes when that began. end : up to where it was read.

        Raises
        ------
        ReadError
            When it was.
        """
        cut = self.packed is None and os.fstat(self._file.fileno()).st_size < end
        if cut or (self.packed is None and self._plain(0, len(head)) != head):
            raise ReadError(f"{self.name}: it was truncated or written anew while it was read")

    def copy(self, path: Path) -> None:
        """Write the file as it is, packed or not, to another one."""
        with path.open("wb") as out:
            for start in range(0, self.size, _BLOCK):
                out.write(self._plain(start, min(_BLOCK, self.size - start)))

    def alike(self, other: Content) -> bool:
        """Tell whether one of two plain files begins with the whole of the other, by what is looked at."""
        if self.packed or other.packed:
            return False
        size = min(self.size, other.size)
        places = ((0, min(HEAD, size)), (max(0, size - TAIL), min(TAIL, size)))
        return size > 0 and all(self.read(*place) == other.read(*place) for place in places)


class _Borrowed:
    """A file that stays open when whoever reads it is done."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def close(self) -> None:
        """Leave it open."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Digests of the head and of the end of the bytes before an offset."""

    offset: int
    head: str
    tail: str

    @classmethod
    def of(cls, content: Content, offset: int) -> Self | None:
        """Return the mark of a content; None where that ends before."""
        head = content.read(0, HEAD)
        start = max(0, offset - TAIL)
        tail = content.read(start, offset - start)
        return cls.made(offset, head, tail) if start + len(tail) == offset else None

    @classmethod
    def made(cls, offset: int, head: bytes, tail: bytes) -> Self:
        """Return the mark of bytes. head, tail : the first `HEAD` and the last `TAIL` of them, or all."""
        digests = (sha256(part).hexdigest()[:32] for part in (head[: min(HEAD, offset)], tail))
        return cls(offset, *digests)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        return cls(int(state["offset"]), str(state["head"]), str(state["tail"]))

    def to_state(self) -> dict[str, Any]:
        return {"offset": self.offset, "head": self.head, "tail": self.tail}

    def fits(self, content: Content) -> bool:
        """Tell whether a content begins with the bytes that were marked."""
        return Mark.of(content, self.offset) == self
