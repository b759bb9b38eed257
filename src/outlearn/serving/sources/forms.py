"""How a file that grows is written, settled by its beginning: what stands above its rows, and how they are.

What is no text of rows, such as Parquet or a JSON document, and text in which a row cannot be told from its
bytes, is read as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from outlearn.data.kinds.registry import kind_named
from outlearn.data.readers import ReadOptions, Source
from outlearn.data.readers.candump import open_candump
from outlearn.data.readers.delimited import open_below
from outlearn.data.readers.detect import HEAD_BYTES, FileBytes, examine
from outlearn.data.readers.dialect import Dialect, encodings, head_lines, sniff
from outlearn.data.readers.header import is_number
from outlearn.data.readers.jsonlines import open_json_lines
from outlearn.data.readers.lines import LINE, open_lines
from outlearn.data.readers.ruled import is_ruled
from outlearn.data.readers.source import FIXED, WHITESPACE
from outlearn.data.readers.zeek import open_zeek
from outlearn.errors import ReadError
from outlearn.serving.sources.content import Content
from outlearn.serving.sources.cuts import row_ends

__all__ = ["WHOLE", "FileForm", "form_of", "plain_bytes"]

WHOLE = "whole"
_DELIMITED, _JSON, _ZEEK, _LINES, _FRAMES = "delimited", "json lines", "zeek", "lines", "candump"


@dataclass(frozen=True, slots=True)
class FileForm:
    """How the rows of a file are written.

    name : a way above. above : bytes before the first row. dialect : of delimited text.
    """

    name: str
    above: int = 0
    dialect: Dialect | None = None
    encodings: tuple[str, ...] = ()

    @property
    def separator(self) -> str | None:
        """The sign by which fields in quotes are told; None where an end of line always ends a row."""
        known = None if self.dialect is None else self.dialect.separator
        return None if known in (WHITESPACE, FIXED) else known

    @property
    def keys(self) -> bool:
        """Whether rows name their columns themselves, and may leave some out."""
        return self.name == _JSON

    def open(self, name: str, path: Path, options: ReadOptions) -> Source:
        """Open a file of what stands above the rows of a log of Zeek, and of rows alone otherwise."""
        content = plain_bytes(path)
        if self.dialect is not None:
            return open_below(name, content, options, self.dialect, self.encodings)
        if self.name == _JSON:
            return open_json_lines(name, content, options, ())
        if self.name == _ZEEK:
            return open_zeek(name, content, options, ())
        opened = open_lines if self.name == _LINES else None
        encoding = options.encoding or "utf-8"
        return (
            open_candump(name, content, encoding) if opened is None else opened(name, content, encoding, ())
        )

    @property
    def carries_head(self) -> bool:
        """Whether rows are read with what stands above them."""
        return self.name == _ZEEK

    @property
    def leaves_out(self) -> bool:
        """Whether lines that are no rows are left out where they are read."""
        return self.name in (_ZEEK, _LINES, _FRAMES)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        dialect = state.get("dialect")
        if dialect is not None:
            fields = dialect["fields"]
            places = None if fields is None else tuple((int(start), int(end)) for start, end in fields)
            listed = {"columns": tuple(dialect["columns"]), "notes": (), "fields": places}
            dialect = Dialect(**{**dialect, **listed})
        return cls(str(state["name"]), int(state["above"]), dialect, tuple(state["encodings"]))

    def to_state(self) -> dict[str, Any]:
        dialect = None if self.dialect is None else {**asdict(self.dialect), "notes": ()}
        return {"name": self.name, "above": self.above, "dialect": dialect, "encodings": self.encodings}


def plain_bytes(path: Path) -> FileBytes:
    """Return the bytes of a file that is not packed, whatever its first ones look like."""
    state = path.stat()
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    return FileBytes(
        path, None, head, state.st_size <= HEAD_BYTES, state.st_size, (state.st_dev, state.st_ino)
    )


def form_of(
    content: Content, folder: Path, options: ReadOptions, *, known: tuple[str, ...] = (), ended: bool = False
) -> FileForm | None:
    """Return how a file is written; None while it is too short to tell.

    folder : for a file that is read in its place. known : columns that the model reads. ended : whether
    nothing is written to it any more, so that its last line is one without an end.

    Raises
    ------
    ReadError
        When it holds no rows of a table.
    """
    head = content.read(0, HEAD_BYTES)
    if b"\0" in head:  # none of the texts below; what else it is tells the whole of it
        return FileForm(WHOLE)
    if ended and len(head) < HEAD_BYTES and b"\r" not in head and not head.endswith(b"\n"):
        head += b"\n"
    lines = head.rfind(b"\n") + 1
    if not head[:lines].strip():
        return FileForm(WHOLE) if head.strip() and (ended or len(head) == HEAD_BYTES) else None
    path = folder / f"head{''.join(_suffixes(content.name))}"
    path.write_bytes(head[:lines])
    kind = None if options.kind is None else kind_named(options.kind).open(str(path), options)
    if kind is not None:
        return FileForm(_LINES if kind.columns == (LINE,) else _FRAMES)
    seen, form, _ = examine(path)
    if form == _JSON:
        return FileForm(_JSON)
    if form == _ZEEK:
        return FileForm(_ZEEK, _zeek_head(head))
    codecs = encodings(seen, options.encoding)
    if form != _DELIMITED or codecs[0].startswith("utf-16"):
        return FileForm(WHOLE)
    return _delimited(seen, options, codecs, known)


def _suffixes(name: str) -> tuple[str, ...]:
    """Return the endings of a name that say how a text is written, such as of a.jsonl.1.gz."""
    return tuple(
        s for s in Path(name).suffixes if s.lower() in (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
    )


def _zeek_head(head: bytes) -> int:
    place = 0
    while head[place : place + 1] == b"#" and (end := head.find(b"\n", place)) >= 0:
        place = end + 1
    return place


def _delimited(
    seen: FileBytes, options: ReadOptions, codecs: tuple[str, ...], known: tuple[str, ...]
) -> FileForm | None:
    for codec in codecs:
        try:
            if options.separator in (None, "|") and is_ruled(head_lines(seen, codec)):
                return FileForm(WHOLE)
            dialect = _sniffed(seen, codec, options)
        except UnicodeError:
            continue
        if known and options.header is None and not set(known) <= set(dialect.columns):
            # A few rows of words may look like names, or names like a row; a model knows them.
            named = sniff(seen, codec, replace(options, header=True))
            dialect = named if set(known) <= set(named.columns) else dialect
        break
    else:
        raise ReadError(f"{seen.path}: not {' or '.join(codecs)} text; name its encoding")
    above = _above(seen.head, dialect)
    rest = codecs[codecs.index(codec) :]
    return None if not seen.head[above:].strip() else FileForm(_DELIMITED, above, dialect, rest)


def _sniffed(seen: FileBytes, codec: str, options: ReadOptions) -> Dialect:
    """Return the dialect of a text in which the names of columns may come again, as in files put together."""
    first, _, rest = seen.head.partition(b"\n")
    if options.header is None and b"\n" + first + b"\n" in b"\n" + rest:
        lines = [line for line in rest.splitlines(keepends=True) if line.rstrip(b"\n") != first]
        once = sniff(replace(seen, head=first + b"\n" + b"".join(lines)), codec, options)
        if once.header and _over_numbers(first, lines[:100], once.separator):
            return once
    return sniff(seen, codec, options)


def _over_numbers(first: bytes, lines: list[bytes], separator: str) -> bool:
    """Tell whether a word of a line stands over numbers, so that the line is no row."""
    sign = None if separator in (WHITESPACE, FIXED) else separator
    cells, *below = (line.decode("latin-1").strip().split(sign) for line in (first, *lines))
    columns = zip(cells, *(row for row in below if len(row) == len(cells)), strict=True)
    return any(other and not is_number(cell) and all(map(is_number, other)) for cell, *other in columns)


def _above(head: bytes, dialect: Dialect) -> int:
    """Return how many bytes stand before the first row."""
    place = 0
    for _ in range(dialect.skip):
        place = head.find(b"\n", place) + 1
    separator = None if dialect.separator in (WHITESPACE, FIXED) else dialect.separator
    ends, first = row_ends(head[place:], separator).tolist(), 0
    filled = [
        end for start, end in zip([0, *ends], ends, strict=False) if head[place + start : place + end].strip()
    ]
    for end in filled[: dialect.header]:
        first = end
    return place + first
