"""What parts the fields of a text: the separator under which its first rows look most like a table."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.header import is_number
from outlearn.data.readers.numbers import NOTHING
from outlearn.data.readers.source import FIXED, WHITESPACE
from outlearn.data.readers.spaced import (
    Field,
    fields_at,
    fixed_fields,
    line_codec,
    merged,
    names_over,
    tokens,
)
from outlearn.errors import ReadError

__all__ = ["SIGNS", "Head", "SplitRows", "split_head"]

SIGNS = ",;\t|"
_ROWS = 100
_FEWEST = 10  # lines, of fewer of which places that are blank in all say nothing
_EVEN = 0.9  # share of rows of the same fields, from which on the others are damaged
_NUMBERS = 0.9  # share of numbers among the cells of a column of numbers
_GROUPED = re.compile(r"[+-]?\d{1,3}( \d{3})+([.,]\d+)?")  # one number, with blanks between its thousands
_RULE = re.compile(r"\s*[-=]{2,}([ \t]+[-=]{2,})*\s*")  # below a header


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of a text without what stands above its rows. skip : how many lines that is."""

    content: FileBytes
    encoding: str
    lines: Sequence[str]
    skip: int

    @property
    def filled(self) -> list[str]:
        """The first lines that are not blank and are whole, without a rule of dashes below the header."""
        whole = self.lines if self.content.whole or len(self.lines) < 2 else self.lines[:-1]
        first = list(islice((line for line in whole if line.strip()), _ROWS))
        return first[:1] + first[2:] if _RULE.fullmatch("".join(first[1:2])) else first

    @property
    def header_lines(self) -> int:
        """How many lines there are to the end of a header, with a rule of dashes below it."""
        filled = (i for i, line in enumerate(self.lines) if line.strip())
        header, below = next(filled), next(filled, 0)
        return 1 + (below if below and _RULE.fullmatch(self.lines[below]) else header)

    def lines_of(self, rows: int) -> int:
        """Return how many lines there are from the end of a header to the end of so many rows below it."""
        if not rows:
            return 0
        start = self.header_lines
        filled = [i for i, line in enumerate(self.lines[start:], 1) if line.strip()]
        return filled[rows - 1]


@dataclass(frozen=True, slots=True)
class SplitRows:
    """The first rows as a separator splits them. fields : where they stand in a line of fixed width."""

    separator: str
    rows: list[list[str]]
    fields: tuple[Field, ...] | None = None

    @property
    def spaced(self) -> bool:
        return self.separator in (WHITESPACE, FIXED)

    @property
    def width(self) -> int:
        """How many fields a row has: as the first, or where blanks part them as most of those below it."""
        counted = self.rows[1:] if self.spaced and len(self.rows) > 1 else self.rows[:1]
        return Counter(map(len, counted)).most_common(1)[0][0]

    @property
    def fit(self) -> tuple[float, int]:
        """How well the separator splits rows: the share as wide as the first row, then the width."""
        if not self.rows or len(self.rows[0]) < 2:
            return (0.0, len(self.rows))
        return (sum(len(row) == len(self.rows[0]) for row in self.rows) / len(self.rows), len(self.rows[0]))

    @property
    def numbers(self) -> float:
        """The share of columns that hold numbers below the first row."""
        rows = [row for row in self.rows[1:] or self.rows if len(row) == self.width]
        columns = list(zip(*rows, strict=True))
        return sum(map(_holds_numbers, columns)) / max(len(columns), 1)

    @property
    def even(self) -> float:
        """The share of rows below the first that have the usual fields, where it and they have several."""
        if not self.rows or min(self.width, len(self.rows[0])) < 2:
            return 0.0
        if len(self.rows) == 1:
            return float(all(map(is_number, self.rows[0])))
        return sum(len(row) == self.width for row in self.rows[1:]) / (len(self.rows) - 1)


def split_head(head: Head, wanted: str | None) -> SplitRows:
    """Split the first rows by the separator that is wanted, else by the one under which they fit best.

    Raises
    ------
    ReadError
        When fields of fixed width are wanted and no place is blank in all lines.
    """
    if wanted == WHITESPACE:
        return _at_blanks(head)
    if wanted == FIXED:
        return _at_places(head)
    body = "".join(head.lines)
    best = max((_at_sign(body, sign, head.content.whole) for sign in wanted or SIGNS), key=lambda s: s.fit)
    if wanted is not None or not best.rows:
        return best
    blanks = _at_blanks(head)
    if best.fit[0] == 1:
        return blanks if _cuts_numbers(best) or _holds_blanks(best, blanks) else best
    if blanks.even == 1 and blanks.numbers and not _is_grouped(head):
        return blanks
    if best.fit[0] > 0 or len(head.filled) < _FEWEST:
        return best
    fixed = _fixed(head)
    if fixed.even == 1 and fixed.numbers:
        return fixed
    # Rows of numbers, of which a few are damaged: reading says which, rather than taking lines for words.
    return blanks if blanks.even >= _EVEN and blanks.numbers > 0.5 else best


def _at_sign(body: str, separator: str, whole: bool) -> SplitRows:
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator)
    try:
        rows = [row for row in islice(reader, _ROWS) if row]
    except csv.Error:
        return SplitRows(separator, [])
    return SplitRows(separator, rows if whole or len(rows) < 2 else rows[:-1])


def _at_blanks(head: Head) -> SplitRows:
    return SplitRows(WHITESPACE, [tokens(line) for line in head.filled])


def _fixed(head: Head) -> SplitRows:
    """Split the first rows where all lines are blank; a header that runs over such places has no say."""
    lines = head.filled
    with head.content.lines(line_codec(head.encoding)) as stream:
        rest = (line for line in islice(stream, head.skip, None) if line.strip())
        fields, below = fixed_fields(islice(rest, 1)), fixed_fields(rest)
    fields = merged(fields, below)
    if len(below) > len(fields):
        return SplitRows(
            FIXED, [names_over(lines[0], below), *(fields_at(line, below) for line in lines[1:])], below
        )
    return SplitRows(FIXED, [fields_at(line, fields) for line in lines], fields)


def _at_places(head: Head) -> SplitRows:
    split = _fixed(head)
    if split.width < 2:
        raise ReadError(
            f"{head.content.path}: no place is blank in all of its lines, so there are no fields of fixed "
            "width; name another separator"
        )
    return split


def _cuts_numbers(split: SplitRows) -> bool:
    """Tell whether a comma stands within numbers that blanks part, as in ``1,5 2,25``."""
    lines = [split.separator.join(row) for row in split.rows]
    numbers = [all(map(is_number, tokens(line))) for line in lines]
    return (
        split.separator == ","
        and all(numbers[1:])
        and (numbers[0] or "," not in lines[0])
        and all(len(tokens(line)) > 1 for line in lines)
    )


def _holds_blanks(split: SplitRows, blanks: SplitRows) -> bool:
    """Tell whether tabs part what blanks part further, into numbers and the same fields in all rows."""
    if split.separator != "\t" or blanks.even < 1 or len(blanks.rows[0]) != blanks.width:
        return False
    return any(map(_are_parted, zip(*split.rows, strict=True)))


def _are_parted(cells: Sequence[str]) -> bool:
    parts = [tokens(cell) for cell in cells]
    flat = [part for few in parts for part in few]
    several = min(map(len, parts)) > 1 and not all(map(_GROUPED.fullmatch, cells))
    return several and sum(map(is_number, flat)) > len(flat) / 2


def _holds_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell not in NOTHING]
    return bool(filled) and sum(map(is_number, filled)) >= _NUMBERS * len(filled)


def _is_grouped(head: Head) -> bool:
    """Tell whether each line is one number with blanks between its thousands."""
    return all(_GROUPED.fullmatch(line.strip()) for line in head.filled[1:] or head.filled)
