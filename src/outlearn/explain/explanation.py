"""Why a row was flagged, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from outlearn.explain.words import show

__all__ = ["Contribution", "Explanation", "LabelEffect"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """Contribution of one table column to the oddness of a row.

    column : name of the table column.
    value : the row's own value (None when missing).
    usual : the usual range or values in words, e.g. "12 to 340" or "DE, FR or IT", and where they are: "41.7
        to 88.2 where items is 12".
    direction : "high", "low", "rare", "missing", "never seen" (all rows compared with hold another value),
        "unusual here" (odd beside what `usual` says) or "in combination" (usual, and still part of what is
        odd).
    drop : how far the raw score falls when the column is replaced by a usual value; the larger, the odder. Of
        columns that hide one another, how far it falls when all of them are.
    beside : the columns beside whose values this one is odd, or that are odd beside it.
    unit : what a number is in, as it is shown; see `quantities`.
    """

    column: str
    value: Any
    usual: str
    direction: str
    drop: float
    beside: tuple[str, ...] = ()
    unit: str = ""

    @property
    def shown(self) -> str:
        """The value in words, with its unit."""
        return show(self.value, self.unit)


@dataclass(frozen=True, slots=True)
class LabelEffect:
    """How much the label of one row moved the score of another.

    position : of the labelled row, in the support; -1 where it was labelled later, in another table.
    label : 1 anomaly, 0 normal.
    effect : how far the raw score falls when the label is forgotten; negative where the label lowered it.
    """

    position: int
    label: int
    effect: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one row is odd.

    row : position of the row in the batch that was explained.
    score : its anomaly score in [0, 1].
    contributions : columns in falling order of `drop`.
    neighbours : the nearest usual rows that it is compared with, by number.
    sentence : one plain sentence.
    labels : the labels that moved the score most, in falling order of the size of their effect; empty without
        labels, and for detectors that cannot say.
    of_source : whether numbers of neighbours and labelled rows are those of rows in what was learnt from;
        else they are positions in the support, which is a part of it.
    """

    row: int
    score: float
    contributions: tuple[Contribution, ...]
    neighbours: tuple[int, ...]
    sentence: str
    labels: tuple[LabelEffect, ...] = ()
    of_source: bool = False
