"""The files of a folder that begin as executables do, and what else lies there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from outlearn.data.kinds.executables.features import FORMATS
from outlearn.errors import ReadError

__all__ = ["Folder", "look_through"]

MOST = 200_000  # files
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"\xfd7zXZ", b"BZh")
ARCHIVE = "archives were not unpacked and"
OTHER = "files are neither PE nor ELF and were"
LINK = "links were not followed and"
SPECIAL = "entries are no ordinary files but pipes, sockets or devices and were"


@dataclass(slots=True)
class Folder:
    """What lies in a folder, or that the path of one file names.

    executables : files that begin as such. aside : counts of what is left out, by words. closed : why what
    cannot be read or listed cannot, by its name.
    """

    path: Path
    executables: list[Path] = field(default_factory=list)
    aside: Counter[str] = field(default_factory=Counter)
    closed: dict[str, str] = field(default_factory=dict)

    def name_of(self, file: Path) -> str:
        """Return the path of a file from the folder on as text, what is no UTF-8 in it spelt out."""
        part = file.relative_to(self.path) if file != self.path else Path(file.name)
        return os.fsencode(part).decode("utf-8", "backslashreplace")

    def close(self, file: Path, error: OSError) -> None:
        """Keep why a file cannot be read: without its path, which differs from file to file."""
        self.closed[self.name_of(file)] = error.strerror or type(error).__name__


def look_through(path: Path) -> Folder:
    """Return what lies in a folder and in those within it, in order of the paths; links are not followed.

    Raises
    ------
    ReadError
        When there are more than `MOST` executables.
    """
    folder = Folder(path)
    for file in _entries(folder):
        try:
            aside = _kind(file)
        except OSError as error:
            folder.close(file, error)
            continue
        if aside:
            folder.aside[aside] += 1
        else:
            folder.executables.append(file)
        if len(folder.executables) > MOST:
            raise ReadError(f"{path}: more than {MOST:,} executables; give a smaller folder")
    return folder


def _entries(folder: Folder) -> Iterator[Path]:
    """Yield all that lies there, save folders that are no links."""
    if not folder.path.is_dir():
        yield folder.path
        return
    closed = partial(_close, folder)
    for place, folders, names in os.walk(folder.path, onerror=closed):
        folders.sort()
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in sorted([*names, *links]):
            yield Path(place) / name


def _close(folder: Folder, error: OSError) -> None:
    folder.close(Path(str(error.filename)), error)


def _kind(file: Path) -> str:
    """Return in words what a file is beside an executable, "" for one."""
    if file.is_symlink():
        return LINK
    if not file.is_file():
        return SPECIAL
    with file.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(tuple(FORMATS)):
        return ""
    return ARCHIVE if start.startswith(ARCHIVES) else OTHER
