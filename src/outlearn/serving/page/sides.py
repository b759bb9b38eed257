"""A row beside the usual rows that are nearest to it, with what is different marked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from outlearn.findings.cells import cell_in
from outlearn.serving.page.words import cell, text
from outlearn.serving.triage import Detail

__all__ = ["MOST", "Side", "Sides", "beside_usual"]

MOST = 200  # columns that a page shows
WIDE = 0.05  # of a number: how far apart usual values count as the same


@dataclass(frozen=True, slots=True)
class Side:
    """A column: the cell of the row, those of the usual rows, whether it is unlike all of them."""

    column: str
    value: str
    usual: tuple[str, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class Sides:
    """The columns, those that differ first; nearest : how many usual rows; left : columns not shown."""

    columns: tuple[Side, ...]
    nearest: int
    left: int


def beside_usual(detail: Detail) -> Sides | None:
    """Return the row of an incident with the highest score beside usual ones; None where no row is kept."""
    if not detail.rows:
        return None
    cells = detail.rows[0].cells
    nearest = [row for row in detail.incident.finding.get("nearest", []) if isinstance(row, dict)]
    rank = {
        reason["column"]: place for place, reason in enumerate(detail.incident.finding.get("reasons", []))
    }
    sides = [
        Side(
            text(name, 100),
            cell(value, 500),
            tuple(cell(row.get(name)) if name in row else "" for row in nearest),
            _differs(value, [row[name] for row in nearest if name in row]),
        )
        for name, value in sorted(cells.items(), key=lambda item: rank.get(item[0], len(rank)))
    ]
    order = sorted(sides, key=lambda side: not side.differs)
    return Sides(tuple(order[:MOST]), len(nearest), max(0, len(order) - MOST))


def _differs(value: Any, usual: list[Any]) -> bool:
    """Return whether a cell is unlike all usual ones: outside of their range by more than its width."""
    if not usual:
        return False
    numbers = [_number(one) for one in (value, *usual)]
    if any(number is None for number in numbers):
        return json.dumps(value, sort_keys=True) not in {json.dumps(one, sort_keys=True) for one in usual}
    own, *others = (float(number) for number in numbers if number is not None)
    low, high = min(others), max(others)
    room = max(high - low, WIDE * max(abs(low), abs(high)))
    return not low - room <= own <= high + room


def _number(value: Any) -> float | None:
    if isinstance(value, dict) and "$datetime" in value:
        value = cell_in(value).timestamp()
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
