"""Text whose fields stand apart by blanks: by any run of them, or at the same places of every line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.numbers import MISSING
from outlearn.data.readers.source import BATCH_ROWS
from outlearn.errors import ReadError

__all__ = [
    "Field",
    "Spaced",
    "fields_at",
    "fixed_fields",
    "line_codec",
    "merged",
    "names_over",
    "spaced_frames",
    "tokens",
]

_TOKEN = r'"[^"]*"|[^ \t]+'
_BLANKS = " \t\r\n\x1a"  # around a line; the last is how old programs end a file

_BLOCK_LINES, _LONGEST = 1_024, 8_192  # lines that are looked at together, and characters of one

Field = tuple[int, int]  # where a field begins, and where it ends


def tokens(line: str) -> list[str]:
    """Return the fields of a line that stand apart by blanks; quotes keep blanks together.

    >>> tokens('18.0   8  "ford pinto" ')
    ['18.0', '8', 'ford pinto']
    """
    return [token.strip('"') for token in re.findall(_TOKEN, line.strip(_BLANKS))]


def fixed_fields(lines: Iterable[str]) -> tuple[Field, ...]:
    """Return where the fields of lines stand: between places that are blank in all of them.

    >>> fixed_fields(["Ann Lee    3", "Bo        12"])
    ((0, 3), (4, 7), (10, 12))
    """
    filled = np.zeros(0, dtype=np.bool_)
    rest = iter(lines)
    while block := list(islice(rest, _BLOCK_LINES)):
        there = _filled(block)
        filled = np.pad(filled, (0, max(0, len(there) - len(filled))))
        filled[: len(there)] |= there
    return _between_blanks(filled)


def merged(some: Sequence[Field], others: Sequence[Field]) -> tuple[Field, ...]:
    """Return the fields of lines of which some have these fields and the rest those.

    >>> merged([(0, 4), (6, 9)], [(0, 3), (4, 5)])
    ((0, 5), (6, 9))
    """
    filled = np.zeros(max((end for _, end in (*some, *others)), default=0), dtype=np.bool_)
    for start, end in (*some, *others):
        filled[start:end] = True
    return _between_blanks(filled)


def fields_at(line: str, fields: Sequence[Field]) -> list[str]:
    """Return the text of a line at these places."""
    return [line[start:end].strip() for start, end in fields]


def names_over(line: str, fields: Sequence[Field]) -> list[str]:
    """Return the words of a header above each field: those nearest to it.

    >>> names_over("NAME OF GUEST  AGE", [(0, 7), (14, 16)])
    ['NAME OF GUEST', 'AGE']
    """
    words: list[list[str]] = [[] for _ in fields]
    for match in re.finditer(_TOKEN, line):
        away = [max(start - match.end(), match.start() - end) for start, end in fields]
        words[away.index(min(away))].append(match.group())
    return [" ".join(few) for few in words]


def line_codec(encoding: str) -> str:
    """Return the codec of lines, which takes a mark at the beginning of the file away."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


@dataclass(frozen=True, slots=True)
class Spaced:
    """How lines are split. skip : lines before the first row. width : fields of a row. fields : their places;
    None where they stand apart by any blanks."""

    skip: int
    width: int
    fields: tuple[Field, ...] | None


def spaced_frames(
    name: str, content: FileBytes, encoding: str, layout: Spaced, columns: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """Split the file block by block; all columns are text, blank lines are passed over.

    Raises
    ------
    ReadError
        For a line with more or fewer fields than the first, by its number.
    """
    number = layout.skip + 1
    with content.lines(line_codec(encoding)) as stream:
        rest = islice(stream, layout.skip, None)
        while block := list(islice(rest, BATCH_ROWS)):
            lines = pl.Series([line.rstrip(_BLANKS) for line in block], dtype=pl.String)
            numbers = np.arange(number, number + len(block))[(lines != "").to_numpy()]
            lines = lines.filter(lines != "")
            number += len(block)
            if lines.len():
                split = _split(name, lines, numbers, layout)
                named = zip(split, columns, strict=True)
                yield pl.DataFrame([_present(cells).alias(column) for cells, column in named])


def _split(name: str, lines: pl.Series, numbers: NDArray[np.int64], layout: Spaced) -> list[pl.Series]:
    if layout.fields is not None:
        return [lines.str.slice(start, end - start).str.strip_chars() for start, end in layout.fields]
    lists = lines.str.extract_all(_TOKEN)
    ragged = np.flatnonzero((lists.list.len() != layout.width).to_numpy())
    if len(ragged):
        first = int(ragged[0])
        raise ReadError(
            f"{name}: line {numbers[first]} has {len(lists[first])} fields where the first row has "
            f"{layout.width} ({lines[first][:40]!r}); quote fields that hold blanks, or name the separator"
        )
    return [lists.list.get(place).str.strip_chars('"') for place in range(layout.width)]


def _present(cells: pl.Series) -> pl.Series:
    return cells.set(cells.is_in(MISSING), None)


def _between_blanks(filled: NDArray[np.bool_]) -> tuple[Field, ...]:
    edges = np.flatnonzero(np.diff(np.r_[False, filled, False]))
    return tuple((int(start), int(end)) for start, end in edges.reshape(-1, 2))


def _filled(lines: Sequence[str]) -> NDArray[np.bool_]:
    """Return which places are not blank in some of the lines, (length of the longest,)."""
    bare = [line.rstrip(_BLANKS)[:_LONGEST] for line in lines]
    letters = np.array(bare, dtype=np.str_)
    codes = letters.view(np.uint32).reshape(len(letters), -1) if any(bare) else np.zeros((1, 0), np.uint32)
    return np.asarray((~np.isin(codes, (0, 9, 32))).any(axis=0))
