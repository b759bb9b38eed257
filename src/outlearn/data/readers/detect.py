"""The kind of a file by its first bytes; the suffix is asked only where these leave it open."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from outlearn.data.readers.limits import LONGEST_LINE, MOST_BLANK, check_unpacked
from outlearn.errors import ReadError

__all__ = ["HEAD_BYTES", "FileBytes", "Format", "content_of", "examine", "examine_text", "utf16_order"]

HEAD_BYTES = 1 << 20
_BLOCK = 1 << 20  # bytes that are split into lines at a time
_PIECE = 4 << 20  # bytes that are unpacked at a time

Format = str  # "parquet", "arrow", "arrow stream", "json lines", "json document", "zeek",
# "capture", "workbook" or "delimited"

_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
_TABLES = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow stream",
    b"\xd0\xcf\x11\xe0": "workbook",  # of Excel before 2007, or any old Office document
}
_BOOKS = {"xl/workbook.xml", "xl/workbook.bin"}  # in an archive that is a workbook
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument.spreadsheet"
_REFUSED = {
    b"PK\x03\x04": "a zip archive without a workbook in it; unpack it",
    b"%PDF": "a PDF document",
    b"SQLite format 3\x00": "an SQLite database; read it by sqlite:///PATH and a query",
    b"\x89HDF": "an HDF5 file; write its table as Parquet or CSV",
    b"\x93NUMPY": "a NumPy array file; write it as Parquet or CSV",
    b"\x7fELF": "a program",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"PARE": "an encrypted Parquet file",
    b"FEA1": "a Feather file of version 1; write it again as Arrow or Parquet",
    b"\xfd7zXZ": "an xz archive; unpack it",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"\x80\x04": "a Python pickle, which is never opened; write its table as Parquet or CSV",
}
_CAPTURES = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"M<\xb2\xa1", b"\xa1\xb2<M", b"\n\r\r\n")
_JSON_START = rb'\[\s*[{[]\s*["}\]]|\{\s*"(?:[^"\\]|\\.)*"\s*:'  # of a value that can hold a table
_LINES = {".jsonl", ".ndjson"}
_JSON = {".json", *_LINES}
_SUFFIXES = {
    ".parquet": {"parquet"},
    ".pq": {"parquet"},
    ".arrow": {"arrow", "arrow stream"},
    ".feather": {"arrow"},
    ".ipc": {"arrow", "arrow stream"},
    **{suffix: {"workbook"} for suffix in (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")},
    **{suffix: {"json lines", "json document"} for suffix in _JSON},
    **{suffix: {"delimited", "zeek"} for suffix in (".csv", ".tsv", ".txt", ".dat", ".tab")},
}
_PACKED = {".gz", ".gzip", ".zst", ".zstd", ".bz2"}
_DAMAGED = 0.3  # share of control characters from which on a file is no log of lines
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file whose bytes can be read again and again, unpacked where it is compressed.

    head : the first bytes, unpacked, at most `HEAD_BYTES`; `whole` says whether these are all.
    size : bytes that it had when it was looked at; what is written behind them since is not read. identity :
    the file itself, whatever comes to bear its name.
    """

    path: Path
    compression: str | None
    head: bytes
    whole: bool
    size: int
    identity: tuple[int, int]

    def open(self) -> pa.NativeFile:
        """Open a stream of the unpacked bytes.

        Raises
        ------
        ReadError
            When the file is another one now, or shorter than it was, or unpacks to far more than it may.
        """
        self.check()
        return _unpacked(self.path, self.size, self.compression)

    def check(self) -> None:
        """Refuse a file that was changed since it was looked at, save at its end."""
        now = self.path.stat()
        if _identity(now) != self.identity or now.st_size < self.size:
            raise ReadError(
                f"{self.path}: it was replaced or cut short while it was read; give a copy that nobody "
                "writes to"
            )

    @contextmanager
    def lines(self, encoding: str) -> Iterator[Iterator[str]]:
        """Give the decoded lines, without their ends.

        Raises
        ------
        ReadError
            For a line longer than `LONGEST_LINE`, by its number, or more than `MOST_BLANK` blank ones on end.
        """
        with self.open() as stream:
            yield self._bounded(_decoded(stream, encoding))

    def _bounded(self, blocks: Iterable[str]) -> Iterator[str]:
        rest, done, blank = "", 0, 0
        for block in blocks:
            *lines, rest = (rest + block).split("\n")
            if len((lines or [rest])[0]) > LONGEST_LINE:
                raise ReadError(
                    f"{self.path}: line {done + 1:,} has more than {LONGEST_LINE:,} characters, which is the "
                    "most that is read; wanted one row a line"
                )
            done += len(lines)
            blank = blank + len(lines) if block.isspace() else 0
            if blank > MOST_BLANK:
                raise ReadError(
                    f"{self.path}: more than {MOST_BLANK:,} blank lines on end, up to line {done:,}; take "
                    "them out"
                )
            yield from lines
        if rest:
            yield rest


def _decoded(stream: pa.NativeFile, encoding: str) -> Iterator[str]:
    """Yield text in which every line ends with a line feed, however it does in the stream."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    while raw := stream.read(_BLOCK):
        yield decoder.decode(raw)
    yield decoder.decode(b"", final=True)


class _Counted(io.RawIOBase):
    """A stream of unpacked bytes that ends with an error when they become far more than tables have."""

    def __init__(self, path: Path, stream: pa.NativeFile, packed: int) -> None:
        self._path, self._stream, self._packed, self._done = path, stream, packed, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        pieces: list[bytes] = []
        wanted = size if size >= 0 else sys.maxsize
        while wanted and (piece := self._stream.read(min(wanted, _PIECE))):
            pieces.append(piece)
            wanted -= len(piece)
            self._done += len(piece)
            check_unpacked(self._path, self._done, self._packed)
        return b"".join(pieces)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _unpacked(path: Path, size: int, compression: str | None) -> pa.NativeFile:
    stream = pa.OSFile(str(path)).get_stream(0, size)
    if compression is None:
        return stream
    unpacked = pa.CompressedInputStream(stream, compression)
    return pa.PythonFile(_Counted(path, unpacked, size), mode="r")


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino


def examine(path: Path) -> tuple[FileBytes, Format, tuple[str, ...]]:
    """Return the bytes of the file, its format, and a note where the suffix says otherwise.

    Raises
    ------
    ReadError
        For a directory, an empty file, and a file that holds no table.
    """
    content = content_of(path)
    form = _format(content)
    suffix = (
        path.with_suffix("").suffix if content.compression and path.suffix.lower() in _PACKED else path.suffix
    )
    wanted = _SUFFIXES.get(suffix.lower())
    if wanted is None or form in wanted:
        return content, form, ()
    return content, form, (f"the file is named {suffix} but holds {form}, and was read as that",)


def examine_text(path: Path) -> FileBytes:
    """Return the bytes of a file of lines, in which some may be damaged.

    Raises
    ------
    ReadError
        For a directory, an empty file, and one that holds anything but text.
    """
    content = content_of(path)
    head = content.head
    known = (
        _match(head, _REFUSED) or _match(head, _TABLES) or ("a capture" if head.startswith(_CAPTURES) else "")
    )
    if known:
        raise ReadError(f"{path}: {known}; wanted a log of lines")
    if _control(head[:65_536]) > _DAMAGED:
        raise ReadError(f"{path}: binary data, no text; wanted a log of lines")
    return content


def content_of(path: Path) -> FileBytes:
    """Return the bytes of a file, whatever they are.

    Raises
    ------
    ReadError
        For a directory and an empty file.
    """
    if path.is_dir():
        raise ReadError(f"{path}: a directory; wanted a file")
    if path.exists() and not path.is_file():
        raise ReadError(f"{path}: not an ordinary file; write its content to one first")
    with path.open("rb") as stream:
        start, state = stream.read(16), os.fstat(stream.fileno())
    compression = _match(start, _COMPRESSED)
    with _unpacked(path, state.st_size, compression) as stream:
        head = stream.read(HEAD_BYTES + 1)
    whole = len(head) <= HEAD_BYTES
    content = FileBytes(path, compression, head[:HEAD_BYTES], whole, state.st_size, _identity(state))
    if not head.startswith(_CAPTURES) and not head.lstrip(b"\xef\xbb\xbf \t\r\n"):
        raise ReadError(f"{path}: the file is empty; wanted a header and rows")
    return content


def _match(start: bytes, table: dict[bytes, str]) -> str | None:
    return next((value for magic, value in table.items() if start.startswith(magic)), None)


def _format(content: FileBytes) -> Format:
    head, path = content.head, content.path
    table = "workbook" if _is_workbook(content) else _match(head, _TABLES)
    refused = None if table else _match(head, _REFUSED)
    if refused:
        raise ReadError(f"{path}: {refused}; wanted CSV, Parquet, JSON Lines or Arrow")
    if head.startswith(_CAPTURES):
        return "capture"
    if table and content.compression:
        raise ReadError(f"{path}: {table} inside {content.compression}; unpack it first")
    if table:
        return table
    if head.startswith(b"#separator "):
        return "zeek"
    if not head.startswith(_BYTE_ORDER_MARKS) and _binary(head):
        raise ReadError(f"{path}: binary data, no text; wanted CSV, Parquet, JSON Lines or Arrow")
    start = _as_utf8(head).removeprefix(b"\xef\xbb\xbf").lstrip()
    first, _, rest = start.partition(b"\n")
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if _json_object(first) and (rest.strip() or not content.whole or suffixes & _LINES or not _wraps(first)):
        return "json lines"
    named = suffixes & _JSON and start.startswith((b"[", b"{"))
    return "json document" if named or re.match(_JSON_START, start) else "delimited"


def _is_workbook(content: FileBytes) -> bool:
    """Tell whether a zip archive holds a workbook of Excel or OpenDocument."""
    if not content.head.startswith(b"PK\x03\x04"):
        return False
    if _OPEN_DOCUMENT in content.head[:200]:  # its first member, which is not packed
        return True
    if content.compression:
        return any(name.encode() in content.head for name in _BOOKS)
    try:
        with zipfile.ZipFile(content.path) as archive:
            return not _BOOKS.isdisjoint(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return False


def _as_utf8(head: bytes) -> bytes:
    """Return text in UTF-16, as some shells write it, in UTF-8; other text as it is."""
    codec = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else utf16_order(head[:65_536])
    return head if codec is None else head.decode(codec, "replace").encode("utf-8", "replace")


def _binary(head: bytes) -> bool:
    """Tell whether data are binary: control characters that no text holds (UTF-16 without a mark aside)."""
    sample = head[:65_536]
    if utf16_order(sample):
        return False
    return 0 in sample or _control(sample) > 0.01


def _control(sample: bytes) -> float:
    """Return the share of control characters that no text holds."""
    control = sum(sample.count(byte) for byte in (*range(9), *range(14, 27), *range(28, 32)))
    return control / len(sample)


def utf16_order(sample: bytes) -> str | None:
    """Return the codec of UTF-16 without a mark: every other byte of mostly Latin text is zero."""
    half = len(sample) // 2
    if half < 2:
        return None
    zeros = sample[: 2 * half : 2].count(0), sample[1 : 2 * half : 2].count(0)
    if zeros[0] == 0 and zeros[1] > 0.7 * half:
        return "utf-16-le"
    return "utf-16-be" if zeros[1] == 0 and zeros[0] > 0.7 * half else None


def _wraps(line: bytes) -> bool:
    """Tell whether the one object of a file holds a table, rather than being its only row."""
    inner = list(json.loads(line.decode("latin-1")).values())
    within = [value for entry in inner if isinstance(entry, dict) for value in entry.values()]
    lists = [value for value in (*inner, *within) if isinstance(value, list)]
    if any(value and all(isinstance(entry, dict) for entry in value) for value in lists):
        return True
    return len(inner) > 1 and any(all(isinstance(entry, kind) for entry in inner) for kind in (list, dict))


def _json_object(first: bytes) -> bool:
    if not first.startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(first.decode("latin-1")), dict)
    except (ValueError, RecursionError):
        return False
