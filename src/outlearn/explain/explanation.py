"""Why a row was flagged, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Contribution", "Explanation"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one table column adds to the oddness of a row.

    column : name of the table column.
    value : the row's own value (None when missing).
    usual : the usual range or values in words, e.g. "12 to 340" or "DE, FR or IT".
    direction : "high", "low", "rare", "missing", "unusual here" (usual, but not in rows like this) or
        "in combination" (usual even in rows like this, and still part of what is odd).
    drop : how far the raw score falls when the column is replaced by a usual value; the larger, the odder. Of
        two columns that hide one another, how far it falls when both are.
    """

    column: str
    value: Any
    usual: str
    direction: str
    drop: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one row is odd.

    row : position of the row in the batch that was explained.
    score : its anomaly score in [0, 1].
    contributions : columns in falling order of `drop`.
    neighbours : positions, in the support, of the nearest usual rows.
    sentence : one plain sentence.
    """

    row: int
    score: float
    contributions: tuple[Contribution, ...]
    neighbours: tuple[int, ...]
    sentence: str
