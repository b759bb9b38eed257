"""How a delimited text is written: encoding, separator, header."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from outlearn.data.readers.detect import FileBytes, utf16_order
from outlearn.data.readers.source import unique_names
from outlearn.errors import ParameterError, ReadError

__all__ = ["Dialect", "encodings", "sniff"]

_SEPARATORS = ",;\t|"
_WORDS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
_ROWS = 100


@dataclass(frozen=True, slots=True)
class Dialect:
    """The dialect of a text, as its head shows.

    skip : blank lines before the first row. header : whether the first row is one.
    """

    separator: str
    columns: tuple[str, ...]
    skip: int
    header: bool
    notes: tuple[str, ...]


def encodings(content: FileBytes, wanted: str | None) -> tuple[str, ...]:
    """Return the codecs to try in turn: the one wanted or marked, else UTF-8 and two that always fit.

    Raises
    ------
    ParameterError
        When the wanted codec is unknown.
    """
    if wanted is not None:
        try:
            name = codecs.lookup(wanted).name
            "".encode(name)
        except (LookupError, ValueError) as error:
            raise ParameterError(
                f"encoding {wanted!r} is unknown; wanted one such as utf-8 or cp1252"
            ) from error
        return ("utf-8" if name in ("utf-8-sig", "ascii") else name,)
    if content.head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    unmarked = utf16_order(content.head[:65_536])
    return (unmarked,) if unmarked else ("utf-8", "cp1252", "latin-1")


def sniff(content: FileBytes, encoding: str, separator: str | None) -> Dialect:
    """Find separator and header in the head of the text.

    Raises
    ------
    ReadError
        When the head does not decode or has no row.
    """
    text = codecs.getincrementaldecoder(encoding)().decode(content.head, final=content.whole)
    text = text.removeprefix("\ufeff")
    lines = io.StringIO(text, newline="").readlines()
    skip = next((i for i, line in enumerate(lines) if line.strip("\r\n")), len(lines))
    body = "".join(lines[skip:])
    tables = {sign: _rows(body, sign, content.whole) for sign in separator or _SEPARATORS}
    best = max(tables, key=lambda sign: _fit(tables[sign]))
    if not tables[best]:
        raise ReadError(f"{content.path}: no row could be made out in the first {len(content.head):,} bytes")
    first = tables[best][0]
    header = not _looks_like_data(first)
    names, notes = unique_names(first if header else [f"column_{i + 1}" for i in range(len(first))])
    detected = separator is None and len(first) > 1 and best != ","
    said = [f"separator {_WORDS.get(best, repr(best))} detected"] if detected else []
    if not header:
        said.append("the first row holds numbers, so it was read as data and the columns were numbered")
    return Dialect(best, names, skip, header, (*said, *notes))


def _rows(text: str, separator: str, whole: bool) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [row for row in islice(reader, _ROWS) if row]
    except csv.Error:
        return []
    return rows if whole or len(rows) < 2 else rows[:-1]


def _fit(rows: list[list[str]]) -> tuple[float, int]:
    """Return how well a separator splits rows: the share as wide as the first row, then the width."""
    if not rows or len(rows[0]) < 2:
        return (0.0, len(rows))
    widths = Counter(len(row) for row in rows)
    return (widths[len(rows[0])] / len(rows), len(rows[0]))


def _looks_like_data(first: list[str]) -> bool:
    """Tell whether a first row is no header: all numbers, and not plain distinct counts such as years."""
    try:
        numbers = [float(value) for value in first]
    except ValueError:
        return False
    counts = all(value.strip().isdigit() for value in first)
    return not counts or len(set(numbers)) < len(numbers)
