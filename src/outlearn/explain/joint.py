"""Which values of a row are odd beside one another, though each may be usual by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.explain.beside import FEWEST, Facet, Known, rows_like
from outlearn.explain.contribution import RowContribution

__all__ = ["Cell", "Joint", "joint_oddities"]

SUSPECTS = 4  # strongest columns whose values are compared beside others
WORTH = 0.2  # of the drop of the strongest column, that a suspect has
FAR = 1.0  # widths of the usual values, by which a value that is off is odd by itself
CLEARER = 4.0  # times as far off beside another column as among all, or beside two as beside one
# That chance alone makes rows so alike, at most: the more ways are tried, the less.
CHANCE, SLIGHT, TINY = 1e-3, 1e-4, 1e-5  # beside another suspect; another column; two other suspects


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row: the name of its column, its value, and the cells (u,) that others have in it."""

    name: str
    value: Any
    known: Known | None


@dataclass(frozen=True, slots=True)
class Joint:
    """A column whose value belongs to an oddity of several.

    beside : numbers of the other columns of it. usual : the usual values beside theirs, in words, such as
    "41.7 to 88.2 where items is 12"; "" for the columns that the words are about.
    """

    beside: tuple[int, ...]
    usual: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    target: int
    facets: tuple[Facet, ...]
    rows: NDArray[np.int64]
    off: float

    @property
    def members(self) -> tuple[int, ...]:
        return (self.target, *(facet.column for facet in self.facets))


def joint_oddities(
    why: RowContribution, cells: Sequence[Cell], others: NDArray[np.bool_]
) -> dict[int, Joint]:
    """Return the columns of a row that are odd beside others, with what is usual there.

    The suspects are the columns whose replacement lowers the score. Of each, the rows that are like the row
    in one other column, or in two, are looked at: where these hold a range, or categories, clearly narrower
    than all rows do, and the value lies outside, it is odd beside that column. A value that is off by itself
    is told of so unless it is four times as far off beside another.

    Parameters
    ----------
    why : the contributions to its score.
    cells : the cells of all table columns, by number.
    others : (u,) which of the known rows are not the row itself, nor copies of it.
    """
    drops = {c: drop for c, drop in zip(why.columns.tolist(), why.drops.tolist(), strict=True) if drop > 0}
    least = WORTH * max(drops.values(), default=0.0)
    suspects = [column for column, drop in drops.items() if drop >= least][:SUSPECTS]
    if not suspects:
        return {}
    joint: dict[int, Joint] = {}
    facets = [
        replace(facet, apart=np.where(others, facet.apart, np.inf))
        for column in why.columns.tolist()
        if (known := cells[column].known) is not None
        for facet in known.facets(column, cells[column].name, cells[column].value)
    ]
    for found in _all_found(suspects, list(drops), facets, cells):
        if not any(member in joint for member in found.members):
            mine = [facet for facet in facets if facet.column == found.target]
            _note(joint, _clearest(found, mine, cells, drops), cells)
    return joint


_Alike = tuple[tuple[Facet, ...], NDArray[np.int64]]


def _all_found(
    suspects: Sequence[int], lowering: Sequence[int], facets: Sequence[Facet], cells: Sequence[Cell]
) -> list[_Found]:
    """Return what each suspect is odd beside: two others before one, stronger suspects before weaker ones."""
    firm = [facet for facet in facets if facet.column in suspects]
    ones = [((facet,), rows_like(facet.apart)) for facet in firm]
    rest = [((facet,), rows_like(facet.apart)) for facet in facets if facet.column not in suspects]
    twos = [
        ((one, two), rows_like(one.apart + two.apart))
        for one, two in combinations(firm, 2)
        if one.column != two.column
    ]
    found: list[_Found] = []
    for suspect in suspects:
        one = _beside(suspect, cells, ones, CHANCE) or _beside(suspect, cells, rest, SLIGHT)
        if one is None and suspect == suspects[0]:
            one = _around(suspect, cells, ones, lowering)
        two = _beside(suspect, cells, twos, TINY)
        if two is not None and (one is None or two.off >= CLEARER * one.off):
            found.append(two)
        elif one is not None:
            found.append(one)
    return sorted(found, key=lambda way: -len(way.facets))


def _beside(target: int, cells: Sequence[Cell], alike: Iterable[_Alike], chance: float) -> _Found | None:
    """Return beside what the value of a column is furthest off; None where it is beside nothing."""
    known, value = cells[target].known, cells[target].value
    alone = np.inf if known is None else known.off(value)
    if known is None or alone >= FAR:
        return None
    found = []
    for facets, rows in alike:
        if len(rows) < FEWEST or any(facet.column == target for facet in facets):
            continue
        off = known.off_beside(value, rows, chance)
        if off is not None and off >= CLEARER * alone:
            found.append(_Found(target, facets, rows, off))
    return max(found, key=lambda way: way.off, default=None)


def _around(
    suspect: int, cells: Sequence[Cell], ones: Sequence[_Alike], columns: Collection[int]
) -> _Found | None:
    """Return the column whose value is furthest off beside that of a suspect, which itself is beside none."""
    mine = [(facets, rows) for facets, rows in ones if facets[0].column == suspect]
    ways = [_beside(column, cells, mine, SLIGHT) for column in columns]
    return max((way for way in ways if way is not None), key=lambda way: way.off, default=None)


def _clearest(
    found: _Found, mine: Sequence[Facet], cells: Sequence[Cell], lowering: Collection[int]
) -> _Found:
    """Return the oddity with the column as its target that says most: a number of many values.

    Three items are a poorer word for it than an amount that is not one of three items.

    mine : how the known rows lie to the row in the target. lowering : columns that may be the target.
    """
    ways = [found]
    for facet in (facet for facet in found.facets if facet.column in lowering):
        rest = tuple(other for other in found.facets if other is not facet)
        turned = [(one, *rest) for one in mine]
        alike = [(around, rows_like(np.sum([one.apart for one in around], axis=0))) for around in turned]
        other_way = _beside(facet.column, cells, alike, CHANCE)
        ways += [] if other_way is None else [other_way]
    return max(ways, key=lambda way: _says(way, cells))


def _says(found: _Found, cells: Sequence[Cell]) -> float:
    known = cells[found.target].known
    return 0.0 if known is None else known.telling(found.rows)


def _note(joint: dict[int, Joint], found: _Found, cells: Sequence[Cell]) -> None:
    """Add the oddity: its words to the column that they are told of, and the others as its company."""
    known = cells[found.target].known
    if known is None:
        return
    where = " and ".join(facet.words(found.rows) for facet in found.facets)
    beside = found.members[1:]
    joint[found.target] = Joint(beside, f"{known.words(found.rows)} where {where}")
    for column in beside:
        others = tuple(member for member in found.members if member != column)
        joint[column] = Joint(others)
