"""Lists as programs print them: fields between upright strokes, with lines of dashes between the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

import polars as pl

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.numbers import MISSING
from outlearn.data.readers.source import BATCH_ROWS, unique_names
from outlearn.data.readers.spaced import line_codec
from outlearn.errors import ReadError

__all__ = ["RULED", "is_ruled", "names_of_list", "ruled_frames"]

RULED = "a list between lines of dashes: these were left out, and fields are split at '|'"
_RULE = re.compile(r"[\s|+:=-]*[=-]{3,}[\s|+:=-]*")
_FEWEST = 2  # lines between strokes
_EVEN = 0.9  # share of them with as many fields as the names, from which on the others are damaged


def is_ruled(lines: Sequence[str]) -> bool:
    """Tell whether lines are such a list: strokes on both sides, as many within, and a rule.

    >>> is_ruled(["|----|---|", "| a  | b |", "|----|---|", "| 1  | 2 |"]), is_ruled(["a|b", "1|2"])
    (True, False)
    """
    rows = [fields for fields in map(_fields, lines) if fields]
    if len(rows) < _FEWEST or len(rows[0]) < 2:
        return False
    even = sum(len(fields) == len(rows[0]) for fields in rows) >= _EVEN * len(rows)
    return even and any(_RULE.fullmatch(line.strip()) for line in lines)


def names_of_list(lines: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the columns, in the first row of a list, and notes on them."""
    return unique_names(next(fields for fields in map(_fields, lines) if fields))


def ruled_frames(
    name: str, content: FileBytes, encoding: str, columns: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """Split a list block by block; all columns are text, and names that each page repeats are left out.

    Raises
    ------
    ReadError
        For a line with more or fewer fields than the names, by its number.
    """
    with content.lines(line_codec(encoding)) as stream:
        rows = _rows(name, stream, len(columns))
        header = next(rows)
        body = (row for row in rows if row != header)
        while block := list(islice(body, BATCH_ROWS)):
            cells = zip(columns, zip(*block, strict=True), strict=True)
            frame = pl.DataFrame({column: pl.Series(values, dtype=pl.String) for column, values in cells})
            yield frame.select(pl.when(~pl.all().is_in(MISSING)).then(pl.all()))


def _rows(name: str, lines: Iterator[str], width: int) -> Iterator[list[str]]:
    for number, line in enumerate(lines, 1):
        fields = _fields(line)
        if fields and len(fields) != width:
            raise ReadError(
                f"{name}: line {number:,} has {len(fields)} fields between its strokes where the names have "
                f"{width} ({line.strip()[:40]!r}); a stroke within a field is not told from one between "
                "fields: take it out"
            )
        if fields:
            yield fields


def _fields(line: str) -> list[str]:
    """Return the fields between the strokes of a line; none of a rule, or without strokes around it."""
    line = line.strip()
    if len(line) < 3 or not (line[0] == line[-1] == "|") or _RULE.fullmatch(line):
        return []
    return [field.strip() for field in line[1:-1].split("|")]
