"""Rows of a text that grows, piece by piece, each with how far it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from outlearn.data.readers import ReadOptions, Source
from outlearn.errors import ReadError
from outlearn.serving.sources.content import HEAD, TAIL, Content, Mark
from outlearn.serving.sources.cuts import row_ends
from outlearn.serving.sources.forms import FileForm
from outlearn.serving.sources.look import Look

__all__ = ["FileSegment", "read_segment", "segments"]

BLOCK = 32 << 20  # bytes that are held at once, of which a row may have a part
MOST_BAD = 100  # rows of a piece that may be left out before the file itself is doubted


@dataclass(frozen=True, slots=True)
class FileSegment:
    """Rows of a text.

    mark : of the bytes up to their end. ended : whether the last one has an end of line. last : whether no
    byte comes after it. rest : what came later of a row that was read before its line had an end.
    """

    rows: list[bytes]
    mark: Mark
    ended: bool
    last: bool
    rest: bytes = b""


def segments(
    content: Content, start: int, form: FileForm, most: int, *, ended: bool, unended: bool
) -> Iterator[FileSegment]:
    """Yield the rows from a place on, at most so many at once.

    A last line without an end waits, unless nothing is written any more.

    Parameters
    ----------
    ended : whether nothing is written any more. unended : whether the row before `start` had no end of line.

    Raises
    ------
    ReadError
        When the file was changed meanwhile, or has a row that is longer than any.
    """
    head = content.read(0, HEAD)
    tail = content.read(max(0, start - TAIL), min(start, TAIL))
    buffer, at, more = b"", start, True
    while True:
        wanted = BLOCK - len(buffer)
        piece = content.read(at + len(buffer), wanted)
        buffer, more = buffer + piece, len(piece) == wanted
        content.check(head, at + len(buffer))
        for rows, whole in _groups(buffer, form, most, more=more, ended=ended):
            taken = b"".join(rows)
            tail, at, buffer = (tail + taken)[-TAIL:], at + len(taken), buffer[len(taken) :]
            rest = b""
            if unended:
                rest, rows, unended = rows[0].strip(), rows[1:], False
            yield FileSegment(rows, Mark.made(at, head, tail), whole, not more and not buffer, rest)
        if not more:
            return


def _groups(
    buffer: bytes, form: FileForm, most: int, *, more: bool, ended: bool
) -> Iterator[tuple[list[bytes], bool]]:
    """Yield rows of a buffer, and whether the last of them has an end."""
    ends = row_ends(buffer, form.separator)
    if not len(ends) and more:  # a quote that is never closed, or no text
        ends = row_ends(buffer, None)
        if not len(ends):
            raise ReadError(f"a line has more than {BLOCK:,} bytes; wanted a row a line")
    rows, before = [], 0
    for end in ends.tolist():
        rows.append(buffer[before:end])
        before = end
        if len(rows) == most:
            yield rows, True
            rows = []
    rest = buffer[before:]
    if rest.strip() and ended and not more:
        lines = rest.splitlines(keepends=True)  # several only where a quote was never closed
        yield [*rows, *lines], rest.endswith(b"\n")
    elif rows:
        yield rows, True


def read_segment(
    look: Look, form: FileForm, name: str, folder: Path, above: bytes, segment: FileSegment
) -> Source | None:
    """Return the rows of a segment as the model reads them; None where there are none.

    A row that cannot be read is left out and told of.

    Parameters
    ----------
    folder : for a file of the rows. above : what stands above the rows in their file.

    Raises
    ------
    ReadError
        When so many rows cannot be read that the file must be written in another way.
    SchemaError
        When they lack columns that the model reads.
    """
    piece = _Piece(look, form, name, folder / "rows", above)
    rows = piece.without_head(segment.rows)
    if not piece.filled(rows):
        return None
    try:
        return piece.read(rows)
    except ReadError as error:
        if form.leaves_out:  # what is no row is, and nothing else was there
            look.tell(str(error))
            return None
    sound = piece.sound(rows)
    try:
        return piece.read(sound) if sound else None
    except ReadError as error:  # none of them is of the kind that is asked for
        look.tell(str(error))
        return None


@dataclass(frozen=True, slots=True)
class _Piece:
    """How the rows of a piece are read, by way of a file of them."""

    look: Look
    form: FileForm
    name: str
    path: Path
    above: bytes

    def read(self, rows: list[bytes]) -> Source:
        self._write(rows)
        return self.look.opened(self.name, self._open, keys=self.form.keys)

    def sound(self, rows: list[bytes]) -> list[bytes]:
        """Return the rows that can be read, and tell of the others."""
        bad: list[tuple[bytes, str]] = []
        rows = _sound(rows, self._fault, bad)
        for row, words in bad[:3]:
            shown = row[:60].decode("utf-8", "replace").strip()
            self.look.tell(f"{self.name}: the row {shown!r} cannot be read and was left out ({words})")
        if len(bad) > 3:
            self.look.tell(f"{self.name}: {len(bad) - 3:,} more rows cannot be read and were left out")
        return rows

    def filled(self, rows: list[bytes]) -> bool:
        """Tell whether there is a row among lines."""
        return any(row.strip() and not (self.form.carries_head and row.startswith(b"#")) for row in rows)

    def without_head(self, rows: list[bytes]) -> list[bytes]:
        """Return rows without those that name the columns once more, as in files that were put together."""
        lines = self.above.rstrip(b"\r\n").splitlines()
        if self.form.dialect is None or not self.form.dialect.header or not lines:
            return rows
        head = {line for line in lines[-self.form.dialect.header :] if line.strip()}
        kept = [row for row in rows if row.rstrip(b"\r\n") not in head]
        if len(kept) < len(rows):
            count = len(rows) - len(kept)
            words = "1 row names" if count == 1 else f"{count:,} rows name"
            self.look.tell(f"{self.name}: {words} the columns once more and is no row of data")
        return kept

    def _open(self, options: ReadOptions) -> Source:
        return self.form.open(self.name, self.path, options)

    def _write(self, rows: list[bytes]) -> None:
        text = b"".join(rows)
        end = b"" if text.endswith(b"\n") else b"\n"
        self.path.write_bytes((self.above if self.form.carries_head else b"") + text + end)

    def _fault(self, rows: list[bytes]) -> str:
        self._write(rows)
        try:
            self._open(self.look.options)
        except ReadError as error:
            return str(error)
        return ""


def _sound(
    rows: list[bytes], fault: Callable[[list[bytes]], str], bad: list[tuple[bytes, str]]
) -> list[bytes]:
    """Return the rows that can be read, found by halves."""
    if not any(row.strip() for row in rows):
        return []
    words = fault(rows)
    if not words:
        return rows
    if len(rows) == 1:
        bad.append((rows[0], words))
        if len(bad) > MOST_BAD:
            raise ReadError(f"more than {MOST_BAD} rows cannot be read, so none was left out ({words})")
        return []
    middle = len(rows) // 2
    return [*_sound(rows[:middle], fault, bad), *_sound(rows[middle:], fault, bad)]
