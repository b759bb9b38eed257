"""A folder of executables as a source of rows, each read in a process with limits of time and memory."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import polars as pl

from outlearn.data.kinds.executables.features import FEATURES
from outlearn.data.readers.source import Source
from outlearn.errors import ReadError
from outlearn.extras import require

__all__ = ["FILE", "SCHEMA", "executable_words", "open_executables"]

FILE = "file"
SECONDS = 20.0  # that a file may take
MOST = 200_000  # files
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"\xfd7zXZ", b"BZh")
STARTS = (b"MZ", b"\x7fELF")
SCHEMA = {FILE: pl.String, **{n: pl.String if kind is str else pl.Float64 for n, kind in FEATURES.items()}}


def open_executables(name: str) -> Source:
    """Open a folder, or one file, of PE and ELF files; its rows are files, in order of their paths.

    Nothing is run and no archive is unpacked. Other files, and those that cannot be read within 20 seconds
    and 2 GB, are left out and counted. Links are not followed.

    Raises
    ------
    ReadError
        When no file can be read as an executable.
    """
    require("lief", extra="executables")
    path = Path(name).expanduser().resolve()
    if not path.exists():
        raise ReadError(f"{name}: no such file or folder; check the path")
    files, others = _files(path)
    rows: list[dict[str, Any]] = []
    faults: dict[str, int] = {}
    with _Parser() as parser:
        for file in files:
            answer = parser.read(file)
            if "found" in answer:
                rows.append(
                    {
                        FILE: _shown(file.relative_to(path) if path.is_dir() else Path(file.name)),
                        **answer["found"],
                    }
                )
            else:
                faults[answer["error"]] = faults.get(answer["error"], 0) + 1
    notes = [f"{count:,} {what} left out" for what, count in others.items() if count]
    notes += [
        f"{count:,} executables could not be read and were left out: {why}" for why, count in faults.items()
    ]
    if not rows:
        raise ReadError(f"{name}: no executable could be read ({'; '.join(notes) or 'the folder is empty'})")
    frame = pl.DataFrame(rows, schema=SCHEMA)
    said = f"read as executables: static features of {len(rows):,} files, none of which was run"
    return Source(
        name, tuple(frame.columns), frame.iter_slices, (said, *notes), frame.height, kind="executables"
    )


def _shown(path: Path) -> str:
    """Return a path as text, what is no UTF-8 in it spelt out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _files(path: Path) -> tuple[list[Path], dict[str, int]]:
    """Return the files that begin as executables do, and how many others there are."""
    executables: list[Path] = []
    others = {"archives were not unpacked and": 0, "files are neither PE nor ELF and were": 0}
    archives, rest = others
    walk = [(str(path.parent), [], [path.name])] if path.is_file() else os.walk(path)
    for folder, folders, names in walk:
        folders.sort()
        for name in sorted(names):
            file = Path(folder) / name
            if file.is_symlink() or not file.is_file():
                continue
            try:
                with file.open("rb") as stream:
                    start = stream.read(8)
            except OSError:
                start = b""
            if start.startswith(STARTS):
                executables.append(file)
            else:
                others[archives if start.startswith(ARCHIVES) else rest] += 1
            if len(executables) > MOST:
                raise ReadError(f"{path}: more than {MOST:,} executables; give a smaller folder")
    return executables, others


class _Parser:
    """The process that reads files; one that hangs or dies is ended, and another takes its place."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, path: Path) -> dict[str, Any]:
        """Return `found` or `error` of a file."""
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(str(path)).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            self._end()
            return {"error": "the process that reads it ended"}
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            ready = selector.select(SECONDS)
        if not ready:
            self._end()
            return {"error": f"it took more than {SECONDS:g} seconds"}
        line = process.stdout.readline()
        if not line:
            self._end()
            return {"error": "the process that reads it ended"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        # No module may come from the folder that is read, or from another that is named relatively.
        command = [sys.executable, "-P", "-m", "outlearn.data.kinds.executables.features"]
        paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(path for path in paths if Path(path).is_absolute()),
        }
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=os.sep,
        )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):  # what was not written yet
                        stream.close()


def executable_words(cells: Mapping[str, Any]) -> str:
    """Return the name of a file."""
    return str(cells[FILE])
