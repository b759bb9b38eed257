"""Text files as rows of one column, a line each, with what could harm a terminal or a memory taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.source import Source
from outlearn.errors import ReadError

__all__ = ["LINE", "open_lines"]

LINE = "line"
LONGEST = 16_384  # bytes of a line that are kept
BLOCK = 1 << 20
HEAVIEST = 32 << 20  # characters of lines that are handed out at once
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?")  # of terminals
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Stream(Protocol):
    def read(self, size: int) -> bytes: ...


@dataclass(slots=True)
class _Repairs:
    """Counts of lines that were cut, were no UTF-8, or held control characters; blank ones are left out."""

    cut: int = 0
    undecodable: int = 0
    cleaned: int = 0
    blank: int = 0

    def words(self) -> tuple[str, ...]:
        counts = {
            f"{self.cut:,} lines are longer than {LONGEST:,} bytes and were cut": self.cut,
            f"{self.undecodable:,} lines are in another encoding, read with gaps: \ufffd": self.undecodable,
            f"control characters were taken out of {self.cleaned:,} lines": self.cleaned,
            f"{self.blank:,} blank lines were left out": self.blank,
        }
        return tuple(words for words, count in counts.items() if count)


def open_lines(name: str, content: FileBytes, encoding: str, notes: tuple[str, ...]) -> Source:
    """Open a text file as lines; it is read once to count them and what was repaired.

    Raises
    ------
    ReadError
        When all lines are blank.
    """
    try:
        if "\n".encode(encoding) != b"\n":
            raise LookupError
    except LookupError as error:
        raise ReadError(
            f"{name}: {encoding} is no encoding of lines that is read; wanted utf-8, cp1252 or alike"
        ) from error
    repairs = _Repairs()
    rows = sum(frame.height for frame in _frames(content, encoding, repairs, 100_000))
    if not rows:
        raise ReadError(f"{name}: all lines are blank; wanted at least one with text")
    return Source(
        name,
        (LINE,),
        lambda size: _frames(content, encoding, _Repairs(), size),
        (*notes, *repairs.words()),
        rows,
        kind="logs",
    )


def _frames(content: FileBytes, encoding: str, repairs: _Repairs, size: int) -> Iterator[pl.DataFrame]:
    held: list[str] = []
    weight = 0
    with content.open() as stream:
        for raw in _split(stream, repairs):
            line = _read(raw, encoding, repairs)
            if line:
                held.append(line)
                weight += len(line)
                if len(held) == size or weight > HEAVIEST:
                    yield pl.DataFrame({LINE: held})
                    held, weight = [], 0
    if held:
        yield pl.DataFrame({LINE: held})


def _split(stream: _Stream, repairs: _Repairs) -> Iterator[bytes]:
    """Yield lines; of one that is too long no more than its beginning is ever held."""
    rest, over = b"", False
    while block := stream.read(BLOCK):
        if not rest and not over and not block.strip(b"\n"):  # gigabytes of nothing are soon counted
            repairs.blank += len(block)
            continue
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            if not over:
                repairs.cut += len(line) > LONGEST
                yield line[:LONGEST]
            over = False
        if len(rest) > LONGEST:
            if not over:
                repairs.cut += 1
                yield rest[:LONGEST]
            rest, over = b"", True
    if rest and not over:
        yield rest


def _read(raw: bytes, encoding: str, repairs: _Repairs) -> str:
    raw = raw.rstrip(b"\r").removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        repairs.undecodable += 1
        text = raw.decode(encoding, "replace")
    if not text.isprintable():
        clean = CONTROL.sub("", ESCAPES.sub("", text))
        repairs.cleaned += clean != text
        text = clean
    text = text.strip()
    repairs.blank += not text
    return text
