"""Drafts: hidden files that are to take the place of another, and what becomes of those left behind.

A draft is named after the file, the machine and at random, and its writer holds a lock on it. One that nobody
holds was left by a process that was killed: the next writer of the same file removes it. Where locks tell
nothing, as of another machine in a shared folder, only a draft that nobody wrote to for a day is removed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import stat
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

__all__ = ["Draft", "sweep"]

DAY = 86_400.0  # seconds
_NAME = 255  # bytes that a name may have
_ADDED = 40  # that the name of a draft has more than that of its file
_HERE = hashlib.sha256(platform.node().encode()).hexdigest()[:8]


class Draft:
    """A new file beside `target`, with its suffix: from `create` on, until it is renamed or discarded."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = self._named()
        self._descriptor: int | None = None

    def create(self) -> None:
        """Make the file, empty, with the mode of any new file, and lock it.

        Raises
        ------
        OSError
            When the folder does not take it.
        """
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            self._hold(os.open(self.path, flags, 0o666))
            if self.path.exists():
                return
            self.release()  # swept between these two steps
            self.path = self._named()

    def keep(self) -> bool:
        """Keep the target in the file as it is now; tell whether that was possible."""
        for way in (partial(os.link, follow_symlinks=False), shutil.copy2):  # not every disk has links
            with suppress(OSError, NotImplementedError):
                way(self.target, self.path)
                with suppress(OSError):  # a link to a file that is not ours to read
                    self._hold(os.open(self.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)))
                return True
        return False

    def release(self) -> None:
        """Give up the lock."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def discard(self) -> None:
        """Remove the file, if it is there."""
        with suppress(OSError, ValueError):  # ValueError: a path with a null character
            self.path.unlink(missing_ok=True)
        self.release()

    def _named(self) -> Path:
        name = f".{_stem(self.target)}-part-{_HERE}-{secrets.token_hex(8)}{self.target.suffix}"
        return self.target.parent / name

    def _hold(self, descriptor: int) -> None:
        if _lock(descriptor, wait=True) is None:
            os.close(descriptor)  # it would be of no use, and elsewhere than on POSIX in the way of renaming
        else:
            self._descriptor = descriptor


def sweep(target: Path) -> None:
    """Remove drafts of a file that were left behind; one in use, or that is not ours to remove, stays."""
    stem, suffix = re.escape(_stem(target)), re.escape(target.suffix)
    name = re.compile(rf"\.{stem}-part-(?:([0-9a-f]{{8}})-)?[0-9a-f]{{16}}{suffix}")
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            draft = name.fullmatch(entry.name)
            if draft is not None:
                with suppress(OSError):
                    _remove_if_left(Path(entry.path), here=draft[1] == _HERE)


def _remove_if_left(path: Path, *, here: bool) -> None:
    """Remove a draft that nobody holds. here : whether it was made on this machine, whose locks are known."""
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, os.O_RDONLY | flags)
    try:
        known = os.fstat(descriptor)
        free = _lock(descriptor, wait=False)
        old = time.time() - known.st_mtime > DAY
        left = stat.S_ISREG(known.st_mode) and free is not False and (old or (here and free is True))
        if left and free is True:
            path.unlink()  # while it is locked, so that nobody begins to write to it
    finally:
        os.close(descriptor)
    if left and free is None:
        path.unlink()


def _lock(descriptor: int, *, wait: bool) -> bool | None:
    """Lock a file; False where another process holds it, None where the system has no such locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _stem(target: Path) -> str:
    """Return the stem of a file, shortened where that of a draft would be longer than a name may be."""
    name = os.fsencode(target.name)
    if len(name) + _ADDED <= _NAME:
        return target.stem
    return f"{target.stem[:20]}-{hashlib.sha256(name).hexdigest()[:16]}"
