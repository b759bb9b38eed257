"""Files below a root, and nothing else: no path, link or swap on the way leads out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from outlearn.errors import ReadError

__all__ = ["Present", "Tell", "listed", "opened"]

MOST_FILES = 100_000

#: Takes sentences on what was left out, and why.
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Present:
    """A file that is there. path : below the root. place : without links. modified : nanoseconds."""

    path: str
    place: Path
    identity: tuple[int, int]
    size: int
    modified: int


def listed(root: Path, pattern: str, tell: Tell) -> list[Present]:
    """Return the files that fit a pattern, oldest first; one with several names counts once.

    Raises
    ------
    ReadError
        When the root cannot be read, or there are more than `MOST_FILES`.
    """
    found: dict[tuple[int, int], Present] = {}
    try:
        if not root.is_dir():
            raise ReadError(f"the root {root} is not there; is its disk mounted?")
        parents: dict[Path, Path] = {}
        for path in sorted(root.glob(pattern)):
            present = _present(root, path, parents, tell)
            if present is not None:
                found.setdefault(present.identity, present)
            if len(found) > MOST_FILES:
                raise ReadError(f"{pattern} fits more than {MOST_FILES:,} files; wanted fewer, as by folder")
    except (OSError, ValueError, NotImplementedError) as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(f"{pattern} below {root} cannot be listed ({error})") from error
    return sorted(found.values(), key=lambda present: (present.modified, present.path))


def _present(root: Path, path: Path, parents: dict[Path, Path], tell: Tell) -> Present | None:
    """Return a file; parents : folders without links, by those with them."""
    name = path.relative_to(root).as_posix()
    try:
        state = path.lstat()
        if stat.S_ISLNK(state.st_mode):
            place = path.resolve()
            state = place.stat()
        else:
            if path.parent not in parents:
                parents[path.parent] = path.parent.resolve()
            place = parents[path.parent] / path.name
    except (OSError, RuntimeError):  # it went away, or links lead in a circle
        return None
    if stat.S_ISDIR(state.st_mode):
        return None
    if not place.is_relative_to(root):
        tell(f"{name} is a link that leads out of the root and was left out")
        return None
    if not stat.S_ISREG(state.st_mode):
        tell(f"{name} is no ordinary file and was left out")
        return None
    return Present(name, place, (state.st_dev, state.st_ino), state.st_size, state.st_mtime_ns)


@contextmanager
def opened(root: Path, present: Present) -> Iterator[BinaryIO]:
    """Open a file that was listed, and see that it still is that file, below the root.

    Raises
    ------
    ReadError
        When it is not, or cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(present.place, flags)
    except OSError as error:
        raise ReadError(f"{present.path}: {error.strerror or error}") from error
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        state = os.fstat(descriptor)
        try:
            place = present.place.resolve()
            same = place.is_relative_to(root) and os.path.samestat(place.stat(), state)
        except (OSError, RuntimeError):
            same = False
        if not same or not stat.S_ISREG(state.st_mode) or (state.st_dev, state.st_ino) != present.identity:
            raise ReadError(f"{present.path}: it was moved or replaced just now")
        yield stream
