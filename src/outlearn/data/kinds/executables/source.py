"""A folder of executables as a source of rows, each read in a process with limits of time and memory."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import polars as pl

from outlearn.data.kinds.executables.features import FEATURES
from outlearn.data.kinds.executables.folder import Folder, look_through
from outlearn.data.readers.paths import resolved
from outlearn.data.readers.source import Source
from outlearn.errors import ReadError
from outlearn.extras import require

__all__ = ["FILE", "SCHEMA", "executable_words", "open_executables"]

FILE = "file"
SECONDS = 20.0  # that a file may take
NAMED = 20  # files that a note names
REASONS = 5  # why files cannot be read or parsed, each with a note of its own
ENDED = "the process that reads it ended"
SCHEMA = {FILE: pl.String, **{n: pl.String if kind is str else pl.Float64 for n, kind in FEATURES.items()}}


def open_executables(name: str) -> Source:
    """Open a folder, or one file, of PE and ELF files; its rows are files, in order of their paths.

    Nothing is run and no archive is unpacked. A file whose head cannot be parsed within 20 seconds and 2 GB
    is a row of what its bytes tell, and its format says so; one that cannot be read is left out. Notes name
    both. Other files are left out and counted. Links are not followed.

    Raises
    ------
    ReadError
        When no file can be read as an executable.
    """
    require("lief", extra="executables")
    path = resolved(name)
    if not path.exists():
        raise ReadError(f"{name}: no such file or folder; check the path")
    folder = look_through(path)
    rows: list[dict[str, Any]] = []
    faults: dict[str, str] = {}
    with _Parser() as parser:
        for file in folder.executables:
            answer, shown = parser.read(file), folder.name_of(file)
            if "found" in answer:
                rows.append({FILE: shown, **answer["found"]})
                faults |= {shown: answer["fault"]} if answer.get("fault") else {}
            else:
                folder.closed[shown] = answer["error"]
    notes = _notes(folder, faults)
    if not rows:
        raise ReadError(f"{name}: no executable could be read ({'; '.join(notes) or 'the folder is empty'})")
    frame = pl.DataFrame(rows, schema=SCHEMA)
    said = f"read as executables: static features of {len(rows):,} files, none of which was run"
    return Source(
        name, tuple(frame.columns), frame.iter_slices, (said, *notes), frame.height, kind="executables"
    )


def _notes(folder: Folder, faults: Mapping[str, str]) -> list[str]:
    """Return sentences on what was left out, and on heads that could not be parsed."""
    return [
        *(f"{count:,} {what} left out" for what, count in folder.aside.items()),
        *_by_reason("executables could not be read and were left out", folder.closed),
        *_by_reason(
            "executables are unparsable, which is suspicious, and scored by their bytes alone",
            faults,
        ),
    ]


def _by_reason(what: str, faults: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each of the commonest reasons, with the names of files, and one for the rest."""
    names: dict[str, list[str]] = {}
    for file, reason in faults.items():
        names.setdefault(reason, []).append(file)
    ranked = sorted(names.items(), key=lambda entry: -len(entry[1]))
    rest = [file for _, files in ranked[REASONS:] for file in files]
    for reason, files in [*ranked[:REASONS], *([("of other reasons", rest)] if rest else [])]:
        more = f" and {len(files) - NAMED:,} more" if len(files) > NAMED else ""
        yield f"{len(files):,} {what}: {', '.join(files[:NAMED])}{more} ({reason})"


class _Parser:
    """The process that reads files; one that hangs or dies is ended, and another takes its place."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, path: Path) -> dict[str, Any]:
        """Return what is `found` of a file, with the `fault` of its head if it has one, or an `error`."""
        answer = self._ask(path, parse=True)
        if "unanswered" not in answer:
            return answer
        again = self._ask(path, parse=False)
        return {"error": answer["unanswered"], **again, "fault": answer["unanswered"]}

    def _ask(self, path: Path, *, parse: bool) -> dict[str, Any]:
        """Return what the process answers, or why it does not as `unanswered`; then it is ended."""
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps({"path": str(path), "parse": parse}).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            return self._unanswered(ENDED)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            ready = selector.select(SECONDS)
        if not ready:
            return self._unanswered(f"it took more than {SECONDS:g} seconds")
        line = process.stdout.readline()
        if not line:
            return self._unanswered(ENDED)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _unanswered(self, why: str) -> dict[str, Any]:
        self._end()
        return {"unanswered": why}

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
