"""The columns that make a row of a table odd, by name, with what is usual in them or beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.constant import ConstantEncoder
from outlearn.data.encode import Encoder
from outlearn.data.quantities import Form
from outlearn.data.rows import row_hash
from outlearn.data.schema import Column
from outlearn.explain.beside import CHANCE, Known, known_cells
from outlearn.explain.contribution import RowContribution
from outlearn.explain.explanation import Contribution
from outlearn.explain.joint import Cell, Joint, joint_oddities
from outlearn.explain.neighbours import Usual, usual_rows
from outlearn.explain.replace import donors
from outlearn.explain.text import BESIDE, COMBINED, MOST_LIKE, describe, never_seen
from outlearn.explain.words import Cells
from outlearn.shown import clean

__all__ = ["UsualTable"]

_COUNTED = ("categorical", "boolean")
_KNOWN = 4000  # rows that values are compared with beside others, at most
_NOT_ODD = 0.95  # of the rows; the others may be odd in the same way as one that is explained
_WEIGHTY = 0.5  # of the drop of the strongest column, from which on a column is compared with the like rows
_TIMES = {1: "", 2: " or in pairs", 3: ", in pairs or in threes"}  # by how many columns were tried together


@dataclass(frozen=True, slots=True, eq=False)
class UsualTable:
    """The usual rows of a table, to say beside them which columns make another row odd.

    names, kinds, units : of the table columns. groups : for each the matrix columns made from it.
    alone : for each the cells that a value by itself is compared with.
    around : the encoded rows (s, d), the oddest left out, that values beside others are compared with.
    known : for each table column the cells of these rows. hashes : (s,) of them.
    fixed : the columns of one value, by number.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    units: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]
    alone: tuple[Cells, ...]
    around: Usual
    known: tuple[Known | None, ...]
    hashes: NDArray[np.uint64]
    fixed: dict[int, ConstantEncoder]

    @classmethod
    def of(
        cls,
        encoder: Encoder,
        support: NDArray[np.float32],
        support_scores: NDArray[np.float64],
        cells: pl.DataFrame,
    ) -> Self:
        """Choose the usual rows among encoded ones (n, d), by their raw scores (n,), with their cells."""
        groups: dict[str, list[int]] = {}
        for place, source in enumerate(encoder.sources):
            groups.setdefault(source, []).append(place)
        usual = usual_rows(support, support_scores)
        kind_of = {column.name: str(column.kind) for column in encoder.schema.columns}
        kinds = tuple(kind_of[name] for name in groups)
        unit_of = {column.name: _shown_unit(column) for column in encoder.schema.columns}
        units = tuple(unit_of[name] for name in groups)
        # The usual rows alone would not do: what the score finds a little odd is rare among them by choice.
        around = usual_rows(support, support_scores, share=_NOT_ODD)
        around = replace(around, values=around.values[:_KNOWN], positions=around.positions[:_KNOWN])
        known, alone = [], []
        for name, kind in zip(groups, kinds, strict=True):
            known.append(known_cells(kind, _plain(cells[name][around.positions], kind), unit_of[name]))
            # A share is that among all rows compared with: usual rows are few of whatever category is
            # thought odd.
            by_itself = cells[name] if kind in _COUNTED else cells[name][usual.positions]
            alone.append(_plain(by_itself, kind))
        parts = tuple(tuple(group) for group in groups.values())
        hashes = row_hash(around.values)
        places = {name: place for place, name in enumerate(groups)}
        fixed = {places[e.name]: e for e in encoder.encoders if isinstance(e, ConstantEncoder)}
        names = tuple(groups)
        return cls(names, kinds, units, parts, tuple(alone), around, tuple(known), hashes, fixed)

    def causes(
        self, why: RowContribution, row: NDArray[np.float32], values: Sequence[Any], most: int
    ) -> tuple[Contribution, ...]:
        """Return at most so many columns that lower the score of a row (d,), which has these cells.

        They come in falling order of what they lower; columns that are odd beside one another stand together.
        """
        joint = self._joint(why, values, self.hashes != row_hash(row[None]))
        drops = {
            c: drop for c, drop in zip(why.columns.tolist(), why.drops.tolist(), strict=True) if drop > 0
        }
        order: dict[int, None] = {}
        for column in drops:
            members = (column, *joint[column].beside) if column in joint else (column,)
            # The one that tells of the others comes first, so that a cut leaves it.
            tellers_first = sorted(members, key=lambda member: not (member in joint and joint[member].usual))
            order |= dict.fromkeys(member for member in tellers_first if member in drops)
        least = _WEIGHTY * max(drops.values(), default=0.0)
        return tuple(
            self._told_with(joint[c], c, values[c], drops[c])
            if c in joint
            else self._alone(c, values[c], drops[c], row if drops[c] >= least else None)
            for c in list(order)[:most]
        )

    def unexplained(self, why: RowContribution) -> str:
        """Say that no column lowers the score of a row, and what was tried."""
        if why.excess <= 0:
            return "nothing in it stands out: it is as usual as half of the rows compared with"
        tried, count = len(why.columns), len(self.names)
        if count == 1:
            return "its one column does not explain it: no usual value lowers the score"
        which = "its columns" if tried == count else f"the {tried} columns that differ most from usual rows"
        how = f"alone{_TIMES[why.tried_together]}"
        return f"none of {which} explains it {how}: to make them usual does not lower the score"

    def _joint(
        self, why: RowContribution, values: Sequence[Any], others: NDArray[np.bool_]
    ) -> dict[int, Joint]:
        """Return the columns that are odd beside others, and those that hide one another."""
        cells = [
            Cell(clean(name), value, known)
            for name, value, known in zip(self.names, values, self.known, strict=True)
        ]
        joint = joint_oddities(why, cells, others)
        if any(c in joint or self._alone(c, values[c], 0.0).direction != COMBINED for c in why.together):
            return joint
        return joint | {c: Joint(tuple(other for other in why.together if other != c)) for c in why.together}

    def _alone(
        self, column: int, value: Any, drop: float, row: NDArray[np.float32] | None = None
    ) -> Contribution:
        """Compare a value with the usual ones, and with those of the usual rows most like its `row`."""
        if (fixed := self.fixed.get(column)) is not None:
            return never_seen(self.names[column], value, fixed.value, fixed.rows, drop)
        name, unit = self.names[column], self.units[column]
        cause = describe(name, self.kinds[column], value, self.alone[column], drop=drop, unit=unit)
        known = self.known[column]
        if row is None or known is None or cause.direction != COMBINED:
            return cause
        like = donors(row, self.around, self.groups[column])
        like = like[self.hashes[like] != row_hash(row[None])]
        if known.off_beside(value, like, CHANCE) is None:
            return cause
        return replace(cause, usual=f"{known.words(like)} {MOST_LIKE}", direction=BESIDE)

    def _told_with(self, joint: Joint, column: int, value: Any, drop: float) -> Contribution:
        """Describe a value that is odd beside those of other columns."""
        cause = self._alone(column, value, drop)
        beside = tuple(clean(self.names[other]) for other in joint.beside)
        if joint.usual:
            return replace(cause, usual=joint.usual, direction=BESIDE, beside=beside)
        return replace(cause, direction=COMBINED, beside=beside)


def _shown_unit(column: Column) -> str:
    """Return what the numbers of a column are shown in; a unit that the user gave goes before."""
    if column.notation is None or column.notation.form is Form.NUMBER:
        return column.unit or ""
    return column.notation.shown_in


def _plain(cells: pl.Series, kind: str) -> Cells:
    """Return cells as an array where they are numbers or moments of a column of such, else as a list."""
    if kind == "numeric" and cells.dtype.is_numeric():
        return cells.cast(pl.Float64).to_numpy()
    if kind == "datetime" and cells.dtype.base_type() in (pl.Date, pl.Datetime):
        return cells.to_numpy().astype("datetime64[us]")
    return cells.to_list()
