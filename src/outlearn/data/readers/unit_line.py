"""A second line of a header, which says in what units the columns are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from outlearn.data.quantities.affixes import WORD, read_affix
from outlearn.data.readers.header import is_number
from outlearn.data.readers.numbers import NOTHING

__all__ = ["holds_units", "on_units"]

_BRACKETS = re.compile(r"\[[^\[\]]{0,20}\]|\([^()]{0,20}\)|\{[^{}]{0,20}\}")
_MOSTLY = 0.9  # share of the cells of a column of numbers


def holds_units(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Tell whether the first row below the names holds units: of numbers only, and of at least half of them.

    A unit stands in brackets, or is one that is known.

    >>> holds_units(["", "[mg/L]", "kW"], [["a", "1.5", "20"], ["b", "2.5", "30"]])
    True
    >>> holds_units(["a", "V", "x"], [["b", "2.5", "y"], ["c", "W", "z"]])
    False
    >>> holds_units(["a", "NA", "0.5"], [["b", "2", "0.5"], ["c", "3", "1.5"]])
    False
    """
    rows = [row for row in below if len(row) == len(first)]
    if not rows:
        return False
    columns = zip(*rows, strict=True)
    pairs = zip(map(str.strip, first), columns, strict=True)
    numeric = [cell for cell, cells in pairs if _holds_numbers(cells)]
    told = [cell for cell in numeric if cell not in NOTHING]  # NA is nothing, and no unit
    return bool(told) and all(map(_is_unit, told)) and 2 * len(told) >= len(numeric)


def on_units(line: Sequence[str]) -> str:
    """Say that a line of units was left out."""
    units = list(dict.fromkeys(cell.strip() for cell in line if cell.strip() not in NOTHING))
    more = ", …" if len(units) > 5 else ""
    return f"the line below the names holds units ({', '.join(units[:5])}{more}) and was left out"


def _is_unit(cell: str) -> bool:
    if _BRACKETS.fullmatch(cell):
        return not is_number(cell[1:-1])
    if not cell or any(map(str.isdigit, cell[:1])):
        return False
    affix = read_affix("", cell)
    return affix is not None and not affix.bare and ("/" in cell or not affix.measures[0].startswith(WORD))


def _holds_numbers(cells: Sequence[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip() not in NOTHING]
    return bool(filled) and sum(map(is_number, filled)) >= _MOSTLY * len(filled)
