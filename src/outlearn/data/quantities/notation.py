"""How the numbers of a column are written, settled once, and read cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import polars as pl

from outlearn import plain
from outlearn.data.quantities.affixes import factor_of, read_affix
from outlearn.data.quantities.convention import ENGLISH, Convention
from outlearn.data.quantities.digits import fractions, hexadecimals, numbers
from outlearn.data.quantities.spans import clocks, spans, tried
from outlearn.data.quantities.units import COUNT, SHORT

__all__ = ["Form", "Notation"]


class Form(StrEnum):
    """The kinds of writing."""

    NUMBER = "number"
    SPAN = "span of time"
    CLOCK = "time of day"
    FRACTION = "fraction"
    HEX = "hexadecimal"


@dataclass(frozen=True, slots=True)
class Notation:
    """How the numbers of a column are written; it reads each cell by itself.

    form : of what the cells are; spans and times of day are read in seconds.
    decimal, thousands : the sign of decimals, and those that may part thousands.
    measure : what a unit, currency or scale must be of, as in `affixes`; "" for numbers alone.
    unit : the unit, as people write it here, that numbers are converted to; "" for none.
    bare : whether digits without unit are in that unit; else only zero is read without one.
    minutes : whether a span such as 12:34 is in minutes and seconds.
    limits : whether a limit such as < 0.5 is read as the number beside it; else it is none.
    converted : whether readers make numbers of the column, so that files of its scored rows have plain ones.

    >>> Notation(measure="mass", unit="kg").read(pl.Series(["1.5 kg", "900 g", "3", "2 m"])).to_list()
    [1.5, 0.9, 3.0, None]
    """

    form: Form = Form.NUMBER
    decimal: str = ENGLISH.decimal
    thousands: str = ENGLISH.thousands
    measure: str = ""
    unit: str = ""
    bare: bool = True
    minutes: bool = False
    converted: bool = False
    limits: bool = False

    @property
    def plain_unit(self) -> str:
        """The unit of the numbers that are read, in a word."""
        return "s" if self.form is Form.SPAN else self.unit

    @property
    def shown_in(self) -> str:
        """What to write beside a number of the column in words; see `explain.quantities`."""
        return str(self.form) if self.form in (Form.SPAN, Form.CLOCK, Form.HEX) else self.unit

    def read(self, text: pl.Series) -> pl.Series:
        """Return Float64 of stripped text, null where a cell is empty or not so written."""
        if self.form is Form.SPAN:
            return spans(text, minutes=self.minutes)
        if self.form is Form.CLOCK:
            return clocks(text)
        if self.form is Form.HEX:
            return hexadecimals(text)
        if self.form is Form.FRACTION:
            return tried(text, (fractions, self._numbers))
        return self._numbers(text)

    def _numbers(self, text: pl.Series) -> pl.Series:
        return numbers(text, Convention(self.decimal, self.thousands, ""), self._meaning)

    def _meaning(self, before: str, after: str) -> tuple[float, float, bool] | None:
        """Return factor and offset of digits between these, and whether only zero may stand so."""
        affix = read_affix(before, after)
        own = None if affix is None else factor_of(affix, self.measure)
        if affix is None or own is None or (affix.limit and not self.limits):
            return None
        base, zero = self._base
        if affix.bare:
            return own[0], 0.0, not self.bare
        return own[0] / base, (own[1] - zero) / base, False

    @property
    def _base(self) -> tuple[float, float]:
        if not self.unit or self.measure in (COUNT, SHORT):
            return 1.0, 0.0
        affix = read_affix("", self.unit)
        return (None if affix is None else factor_of(affix, self.measure)) or (1.0, 0.0)

    def to_state(self) -> dict[str, Any]:
        return {**asdict(self), "form": str(self.form)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        given = {**cls().to_state(), **state}
        for key, default in cls().to_state().items():
            (plain.flag if isinstance(default, bool) else plain.text)(given, key)
        return cls(**{**given, "form": Form(given["form"])})
