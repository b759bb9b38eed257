"""Whether the first row of a text file names its columns, told by the rows below it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from outlearn.data.readers.numbers import NOTHING

__all__ = ["holds_names", "is_number"]

_NUMBER = re.compile(r"[+-]?(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?")
_MOSTLY = 0.9  # share of the cells of a column that decide what it holds
_CHANCE = 0.1  # share of the rows below that may look like labels by chance
_LABELS = 5  # rising numbers, from which on they do so by chance in under 1 % of rows
_YEARS = range(1900, 2101)

Rows = Sequence[Sequence[str]]


def holds_names(first: Sequence[str], below: Rows) -> bool:
    """Tell whether a first row names the columns rather than being one of the rows.

    A column speaks for names where its cells are numbers, or begin with digits as dates do, and the first one
    is a word. It speaks against them where the first cell is like the others: a number among numbers, or text
    that comes again below. Numbers that count up, or years, name columns too.

    >>> holds_names(["5.1", "setosa"], [["4.9", "setosa"], ["6.3", "virginica"]])
    False
    >>> holds_names(["land", "2019", "2020"], [["FR", "1.5", "1.7"], ["DE", "2.5", "2.2"]])
    True
    """
    if not below:
        return not _is_data(first)
    columns = list(zip(*(row for row in below if len(row) == len(first)), strict=True))
    names = numbers = again = 0
    for place, (cell, cells) in enumerate(zip(map(str.strip, first), columns, strict=False)):
        filled = [other.strip() for other in cells if other.strip() not in NOTHING]
        if not cell and not place and _counts_up(filled):
            names += 1  # row numbers, whose column many programs leave without a name
        elif filled and cell not in NOTHING:
            names += _names(cell, filled)
            numbers += is_number(cell) and _share(filled, is_number) >= _MOSTLY
            again += not is_number(cell) and _alike(cell, filled)
    if numbers and _are_labels(first, below):
        numbers = 0
    if not numbers and not names:
        return again < len(first) / 2
    return names >= numbers + again


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number, with whatever sign before its decimals.

    >>> is_number("-1,5"), is_number("1.2e-3"), is_number("x1")
    (True, True, False)
    """
    return _NUMBER.fullmatch(cell.strip()) is not None


def _names(cell: str, filled: Sequence[str]) -> bool:
    """Tell whether a word stands above cells that begin with digits."""
    digits = _share(filled, lambda other: other.lstrip("+-(.,$€£").startswith(tuple("0123456789")))
    return digits >= _MOSTLY and not is_number(cell) and not _alike(cell, filled)


def _alike(cell: str, filled: Sequence[str]) -> bool:
    """Tell whether text comes again, be it with other digits."""
    return cell in filled or (
        any(map(str.isdigit, cell)) and _bare(cell) in {_bare(other) for other in filled}
    )


def _bare(cell: str) -> str:
    return re.sub(r"\d+", "9", cell)


def _are_labels(first: Sequence[str], below: Rows) -> bool:
    """Tell whether the numbers of a first row count up, as names of columns do, where those below do not."""
    places = [place for place, cell in enumerate(first) if is_number(cell)]
    row = _at(first, places)
    others = [values for values in (_at(cells, places) for cells in below) if values is not None]
    if row is None:
        return False
    if all(value in _YEARS for value in row) and (_rises(row) or _rises(row[::-1])):
        outside = [
            not min(column) <= value <= max(column)
            for value, column in zip(row, zip(*others, strict=True), strict=False)
        ]
        return sum(outside) > len(row) / 2
    for holds in (_consecutive, _many_rise):
        if holds(row):
            return sum(map(holds, others)) <= _CHANCE * len(others)
    return False


def _at(cells: Sequence[str], places: Sequence[int]) -> list[float] | None:
    """Return the numbers at these places; None where one is none that names could be."""
    try:
        values = [float(cells[place]) for place in places]
    except (ValueError, IndexError):
        return None
    return values if all(value >= 0 for value in values) else None


def _rises(row: Sequence[float]) -> bool:
    return all(a < b for a, b in pairwise(row))


def _consecutive(row: Sequence[float]) -> bool:
    return len(row) > 1 and all(b - a == 1 for a, b in pairwise(row)) and row[0] == int(row[0])


def _many_rise(row: Sequence[float]) -> bool:
    return len(row) >= _LABELS and _rises(row)


def _counts_up(cells: Sequence[str]) -> bool:
    start = cells[0] if cells else ""
    return start in ("0", "1") and list(cells) == [str(int(start) + i) for i in range(len(cells))]


def _share(cells: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, cells)) / len(cells)


def _is_data(first: Sequence[str]) -> bool:
    """Tell whether a row alone is no header: it holds numbers, and not only distinct counts such as years."""
    if not all(map(is_number, first)):
        return any(map(is_number, first))
    return not all(cell.strip().isdigit() for cell in first) or len(set(first)) < len(first)
