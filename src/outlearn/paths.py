"""What is read and what is written: no output takes the place of an input, or of another output."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from itertools import combinations, product
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from outlearn.errors import OutputError

__all__ = [
    "CHECKPOINT",
    "READ",
    "RENEWAL",
    "RENEWED",
    "WRITTEN",
    "WRITTEN_FOLDER",
    "Named",
    "PathUse",
    "check_apart",
    "check_saved",
    "named_paths",
    "use",
]

_KEY = "path"  # of the metadata of a field
_LOGS = ("-wal", "-shm", "-journal")  # that SQLite keeps beside a database
_BUNDLED = "dataset:"


@dataclass(frozen=True, slots=True)
class PathUse:
    """What a request or a command does with a path.

    written : whether it is an output. folder : whether that is a folder, which several outputs may share.
    beside : suffixes in place of its own, of other files that are written with it.
    renewed : of an input, and of the output that may take its place, as a model may that has learnt more.
    """

    written: bool = False
    folder: bool = False
    beside: tuple[str, ...] = ()
    renewed: bool = False


READ, WRITTEN, WRITTEN_FOLDER = PathUse(), PathUse(written=True), PathUse(written=True, folder=True)
RENEWED, RENEWAL = PathUse(renewed=True), PathUse(written=True, renewed=True)
CHECKPOINT = PathUse(written=True, beside=(".md",))  # with its card


def use(of: PathUse) -> dict[str, PathUse]:
    """Return the metadata of a field that holds a path.

    >>> from dataclasses import field
    >>> @dataclass
    ... class Request:
    ...     source: str = field(metadata=use(READ))
    ...     out: str | None = field(default=None, metadata=use(WRITTEN))
    >>> [(path.name, path.use.written) for path in named_paths(Request("a.csv", "b.csv"))]
    [('source', False), ('out', True)]
    """
    return {_KEY: of}


@dataclass(frozen=True)
class Named:
    """A path, what the user calls it (such as ``--out``), and what is done with it.

    An input may also be ``dataset:NAME``, which is no file, or the URL of a database.
    """

    name: str
    path: str | os.PathLike[str]
    use: PathUse

    @property
    def shown(self) -> str:
        """The path, for a message; of a database its file, for a URL may hold a password."""
        text = os.fspath(self.path)
        text = next(iter(self._texts), text) if "://" in text else text
        return text if text.isprintable() else repr(text)

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        """The paths that may be meant: readers take ~ for the home folder, writers take it as it is."""
        text = os.fspath(self.path)
        if not text.strip() or "\0" in text:
            return ()  # which is refused where it is read or written
        if not self.use.written:
            if text.startswith(_BUNDLED):
                return ()
            if "://" in text:
                return tuple(_database_files(text))
        return tuple(dict.fromkeys((text, _in_home(text))))

    @cached_property
    def places(self) -> frozenset[str]:
        """The same without links and dots; on a disk that takes A for a, in small letters."""
        reals = [Path(os.path.realpath(text)) for text in self._texts]
        return frozenset(str(real).casefold() if _ignores_case(real.parent) else str(real) for real in reals)

    @cached_property
    def files(self) -> frozenset[tuple[int, int]]:
        """Device and number of what is there, by which hard links are known."""
        return frozenset(known for text in self._texts if (known := _file(Path(text))) is not None)

    @property
    def folders_around(self) -> Iterator[tuple[int, int]]:
        """Device and number of the folders that it lies in, or will."""
        for text in self._texts:
            for folder in Path(os.path.realpath(text)).parents:
                known = _file(folder)
                if known is not None:
                    yield known


def named_paths(request: Any) -> list[Named]:
    """Return the paths of a request: of the fields, and those of its parts, that have a `PathUse`.

    What is in memory has none; an open file or source has that of its name.
    """
    paths: list[Named] = []
    for field in fields(request):
        value = getattr(request, field.name)
        if is_dataclass(value) and _KEY not in field.metadata:
            paths += named_paths(value)
        elif _KEY in field.metadata:
            path = _path_of(value)
            paths += [] if path is None else [Named(field.name, path, field.metadata[_KEY])]
    return paths


def check_apart(paths: Iterable[Named]) -> None:
    """Refuse an output that would take the place of an input or of another output, or lies among inputs.

    Call it before anything is read. The same file is recognised by any path, hard link or symbolic link.

    Raises
    ------
    OutputError
        With both names, and what to do.

    >>> check_apart([Named("source", "a.csv", READ), Named("--out", "./a.csv", WRITTEN)])
    Traceback (most recent call last):
    outlearn.errors.OutputError: cannot write --out to ./a.csv: it is what is read as source (a.csv); give \
another name
    """
    given = list(paths)
    inputs = [path for path in given if not path.use.written]
    outputs = [made for path in given if path.use.written for made in (path, *_beside(path))]
    for output, source in product(outputs, inputs):
        if not (source.use.renewed and output.use.renewed) and not _apart(output, source):
            raise OutputError(
                f"cannot write {output.name} to {output.shown}: it is what is read as {source.name} "
                f"({source.shown}); give another name"
            )
        if any(Path(text).is_dir() for text in source._texts) and source.files & set(output.folders_around):
            raise OutputError(
                f"cannot write {output.name} to {output.shown}: it lies in {source.shown}, a folder that is "
                f"read as {source.name}; name a place outside it"
            )
    for one, other in combinations(outputs, 2):
        if not (one.use.folder and other.use.folder) and not _apart(one, other):
            raise OutputError(
                f"cannot write {one.name} and {other.name} to one file, {other.shown}; give each a "
                "file of its own"
            )


def check_saved(learnt_from: str, path: str | os.PathLike[str]) -> None:
    """Refuse a model that would take the place of the table, called `learnt_from`, that it learnt from."""
    check_apart([Named("the table learnt from", learnt_from, READ), Named("the model", path, WRITTEN)])


def _apart(one: Named, other: Named) -> bool:
    """Return whether two paths are of two files."""
    return not (one.places & other.places or one.files & other.files)


def _beside(output: Named) -> Iterator[Named]:
    for suffix in output.use.beside:
        path = Path(output.path)
        if path.name:
            yield Named(f"the {suffix} file of {output.name}", path.with_suffix(suffix), WRITTEN)


def _path_of(value: Any) -> str | os.PathLike[str] | None:
    if isinstance(value, str | os.PathLike):
        return value
    name = getattr(value, "name", None)
    return name if isinstance(name, str) and _file(Path(name)) is not None else None


def _database_files(url: str) -> Iterator[str]:
    """Yield the files of a database without a host, which is one file, as those of SQLite and DuckDB are."""
    _, _, rest = url.partition("://")
    if not rest.startswith("/"):
        return
    path = rest[1:].partition("?")[0].removeprefix("file:")
    for text in dict.fromkeys((path, unquote(path))):
        if text:
            yield text
            yield from (text + end for end in _LOGS)


def _in_home(text: str) -> str:
    try:
        return str(Path(text).expanduser())
    except RuntimeError:  # it names no user
        return text


def _file(path: Path) -> tuple[int, int] | None:
    try:
        known = path.stat()
    except (OSError, ValueError):
        return None
    return known.st_dev, known.st_ino


def _ignores_case(folder: Path) -> bool:
    """Return whether a folder takes A.csv for a.csv, as far as a name in it or its own tells."""
    try:
        with os.scandir(folder) as entries:
            known = next((Path(entry.path) for entry in entries if _has_case(entry.name)), folder)
    except OSError:
        return False
    same = _file(known) if _has_case(known.name) else None
    return same is not None and same == _file(known.with_name(known.name.swapcase()))


def _has_case(name: str) -> bool:
    return name.swapcase() != name
