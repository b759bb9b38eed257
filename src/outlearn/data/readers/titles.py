"""Lines that stand above the table in a text: titles, account numbers, periods of time."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from outlearn.data.readers.header import holds_names

__all__ = ["lines_above"]

_ROWS = 100
_MOST = 30  # lines that may stand above a table
_NARROWEST = 3  # fields; what two fields hold may as well be a table of names and values
_EVEN = 0.9  # share of the rows that must have as many fields as the header


def lines_above(lines: Sequence[str], separators: str) -> int:
    """Return how many lines stand above the line that names the columns; 0 where none surely does.

    Such lines fill less than half of the fields of the table, or have fewer, and below them is a line of
    names, all filled and different, with rows as wide.

    Parameters
    ----------
    lines : of the head, with their ends. separators : the signs, of which one may part the fields.

    >>> lines_above(["Account;DE89\\n", "\\n", "Day;Payee;Amount\\n", "1.2.2024;Shop;5,00\\n"], ",;")
    2
    >>> lines_above(["a;b;c\\n", "1;;\\n", "1;2;3\\n"], ",;")
    0
    """
    return max((_above(lines, separator) for separator in separators), default=0)


def _above(lines: Sequence[str], separator: str) -> int:
    # A quoted field may hold the end of a line; then lines are no rows, and none is passed over.
    if any(line.count('"') % 2 for line in lines[:_MOST]):
        return 0
    try:
        rows = [next(csv.reader([line], delimiter=separator), []) for line in islice(lines, _ROWS)]
    except csv.Error:  # a field of more than 131,072 characters, or a line with a NUL
        return 0
    filled = [sum(map(bool, map(str.strip, row))) for row in rows]
    usual, width = _commonest(filled), _commonest(list(map(len, rows)))
    if usual < _NARROWEST:
        return 0
    whole = (2 * count >= usual and len(row) >= width for row, count in zip(rows, filled, strict=True))
    first = next((i for i, is_whole in enumerate(whole) if is_whole), 0)
    if not 0 < first <= _MOST or not any(filled[:first]):
        return 0
    below = [row for row in rows[first + 1 :] if row]
    return first if _names_columns(rows[first], below) else 0


def _commonest(counts: Sequence[int]) -> int:
    """Return the count that comes most often, 0 aside; 0 where there is no other."""
    return next((count for count, _ in Counter(filter(None, counts)).most_common(1)), 0)


def _names_columns(names: list[str], below: list[list[str]]) -> bool:
    """Tell whether a row names the columns of those below it: only at the end may some be empty."""
    even = [row for row in below if len(row) == len(names)]
    said = [name.strip() for name in names]
    while said and not said[-1]:
        said.pop()
    distinct = len(said) >= _NARROWEST and all(said) and len(set(said)) == len(said)
    return bool(even) and distinct and len(even) >= _EVEN * len(below) and holds_names(names, even)
