"""Files of lines that are only ever added to, by several processes at once: ledgers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from outlearn.errors import ReadError
from outlearn.files import writing
from outlearn.small_files import check_ordinary

__all__ = ["Appending", "Lines", "appending", "read_lines"]

LARGEST = 512 << 20  # bytes of a ledger: a million verdicts have 400 MB
_TORN = " #torn"  # ends a line that was cut off; no JSON ends so


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a ledger, each with its number from 1, and the numbers of those that were cut off.

    A line is cut off when its writer ends on the way: power fails, a disk is full.
    """

    whole: tuple[tuple[int, str], ...]
    torn: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Appending:
    """A ledger that nobody else may write to meanwhile."""

    path: Path
    _stream: IO[bytes]

    def read(self) -> Lines:
        """Return the lines that are there.

        Raises
        ------
        ReadError
            When the file holds no text.
        """
        self._stream.seek(0)
        return _parsed(self._stream.read(), self.path)

    def append(self, line: str) -> None:
        """Add a line, without its end; a last line that was cut off is marked as such, and stays."""
        if "\n" in line:
            raise ValueError("a line of a ledger holds no line end")
        size = self._stream.seek(0, os.SEEK_END)
        torn = b""
        if size:
            self._stream.seek(size - 1)
            torn = b"" if self._stream.read(1) == b"\n" else f"{_TORN}\n".encode()
        self._stream.write(torn + line.encode() + b"\n")


@contextmanager
def appending(path: Path) -> Iterator[Appending]:
    """Open a ledger to read and append; it is made where there is none.

    Where the system can, nobody else appends meanwhile. When the block ends the lines are on the disk.

    Raises
    ------
    OutputError
        When the file cannot be written.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "a.jsonl"
    >>> with appending(path) as ledger:
    ...     ledger.append("{}")
    >>> read_lines(path, "the notes").whole
    ((1, '{}'),)
    >>> folder.cleanup()
    """
    with writing(path, errors=(OSError, ValueError)):  # ValueError: a path with a null character
        _check(path)
        stream = path.open("a+b")
    with writing(path), stream:
        _lock(stream, exclusive=True)
        yield Appending(path, stream)
        stream.flush()
        os.fsync(stream.fileno())


def read_lines(path: Path, what: str, hint: str = "") -> Lines:
    """Return the lines of a ledger.

    Parameters
    ----------
    what : the lines are, for the message, such as "the patterns". hint : what to do without them.

    Raises
    ------
    ReadError
        When there is no such file, or it holds no text.
    """
    try:
        _check(path)
        with path.open("rb") as stream:
            _lock(stream, exclusive=False)  # a line that is just being written is not cut off
            content = stream.read()
    except ReadError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no path"
        raise ReadError(f"{path}: {what} cannot be read ({why}){hint and f'; {hint}'}") from error
    return _parsed(content, path)


def _check(path: Path) -> None:
    check_ordinary(path, "lines that are only ever added to", LARGEST)


def _parsed(content: bytes, path: Path) -> Lines:
    *ended, last = content.split(b"\n")
    texts = []
    for number, line in enumerate(ended, start=1):
        try:
            texts.append((number, line.decode()))
        except UnicodeDecodeError as error:
            if line.endswith(_TORN.encode()):  # cut off within a letter
                texts.append((number, _TORN))
                continue
            raise ReadError(f"{path}, line {number}: it is no text; mend or restore the file") from error
    cut = [number for number, text in texts if text.endswith(_TORN)]
    if last:
        cut.append(len(texts) + 1)
    return Lines(tuple(entry for entry in texts if entry[0] not in set(cut)), tuple(cut))


def _lock(stream: IO[bytes], *, exclusive: bool) -> None:
    """Wait until no other process writes; where the system has no such locks, go on."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    fcntl.flock(stream, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
