"""Numbers: the column's median is taken off in float64, so that the float32 that follows loses nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import plain
from outlearn.data.columns.base import Repairs, with_indicator
from outlearn.data.columns.cells import Numbers, numbers_of
from outlearn.data.quantities import Form, Notation
from outlearn.data.quantities.spans import DAY

__all__ = ["NumericEncoder", "lower_median"]

# Encoded numbers stay within ±2**60: their squares, summed over a hundred columns, still fit in float32.
_LIMIT = 2.0**60
# Beyond 2**±40 a typical deviation would come near the ends of float32, and a power of two is taken out.
_PLAIN = 40
_FARTHEST = 1100  # of an exponent: no deviation of float64 has a larger one


def lower_median(values: NDArray[np.float64]) -> float:
    """Return the lower median of finite values, which is one of them; 0 without any.

    >>> lower_median(np.array([4.0, 1.0, 3.0, 2.0]))
    2.0
    """
    if not values.size:
        return 0.0
    middle = (values.size - 1) // 2
    return float(np.partition(values, middle)[middle])


@dataclass(frozen=True, slots=True)
class NumericEncoder:
    """Encodes ``(value - centre) / 2**exponent``; a missing value is the centre, that is 0.

    centre : lower median of the finite values. Epoch seconds such as 1.7e9 ± 1 survive float32 that way.
    exponent : 0, unless the typical deviation is so large or small that float32 would overflow or vanish.
    indicator : whether a second column marks missing cells; only where the fit saw some.
    notation : how text is written; times of day are encoded as the way from the centre, the shorter one round
        the clock.

    The scale is otherwise left to the learner.
    """

    name: str
    centre: float
    exponent: int
    indicator: bool
    notation: Notation | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @classmethod
    def fit(cls, name: str, cells: pl.Series, notation: Notation | None = None) -> NumericEncoder:
        """Learn from a column of the table."""
        return cls.fit_values(name, numbers_of(cells, notation).values, notation)

    @classmethod
    def fit_values(
        cls, name: str, values: NDArray[np.float64], notation: Notation | None = None
    ) -> NumericEncoder:
        """Learn from float64 values (n,); NaN and infinities are missing."""
        finite = np.isfinite(values)
        complete = bool(finite.all())
        known = values if complete else values[finite]
        centre = _middle_of_day(known) if _round_the_clock(notation) else lower_median(known)
        with np.errstate(over="ignore"):
            away = np.abs(known - centre)
        typical = min(lower_median(away[away > 0]), float(np.finfo(np.float64).max))
        exponent = int(np.frexp(typical)[1]) if typical else 0
        return cls(name, centre, exponent if abs(exponent) > _PLAIN else 0, not complete, notation)

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return (n, 1 or 2) and what was repaired."""
        (values, unparsed, infinite), limits = self._numbers(cells)
        encoded, repairs = self.encode_values(values)
        missing = max(0, repairs.missing - unparsed - infinite)
        return encoded, Repairs(missing, unparsed, infinite, repairs.clipped, limits=limits)

    def encode_values(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float32], Repairs]:
        """Encode float64 values (n,); NaN and infinities are missing."""
        missing = ~np.isfinite(values)
        empty = int(missing.sum())
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            centred = self._away(values)
            if self.exponent:
                centred = np.ldexp(centred, -self.exponent)
        if empty:
            centred[missing] = 0.0
        clipped = int((np.abs(centred) > _LIMIT).sum())
        if clipped:
            np.clip(centred, -_LIMIT, _LIMIT, out=centred)
        with np.errstate(under="ignore"):
            single = centred.astype(np.float32)[:, None]
        infinite = int(np.isinf(values).sum()) if empty else 0
        unexpected = 0 if self.indicator else empty - infinite
        repairs = Repairs(missing=unexpected, infinite=infinite, clipped=clipped)
        return with_indicator(single, missing, self.indicator), repairs

    def readable(self, cells: pl.Series) -> pl.Series:
        """Return the numbers that cells are read as, null where missing; times of day within half a day of
        the centre, so that those around midnight make one range."""
        values = self._numbers(cells)[0].values
        near = self._away(values) + self.centre if _round_the_clock(self.notation) else values
        return pl.Series(cells.name, near, nan_to_null=True)

    def _numbers(self, cells: pl.Series) -> tuple[Numbers, int]:
        """Return the numbers that cells are read as, with the count of limits that the fit had no like of."""
        read = numbers_of(cells, self.notation)
        notation = self.notation or Notation()
        if not read.unparsed or notation.limits or notation.form is not Form.NUMBER:
            return read, 0
        plain, limited = (numbers_of(cells, replace(notation, limits=on)).values for on in (False, True))
        found = np.isnan(plain) & np.isfinite(limited)
        count = int(found.sum())
        return Numbers(np.where(found, limited, read.values), read.unparsed - count, read.infinite), count

    def _away(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        centred = values - self.centre
        return (centred + DAY / 2) % DAY - DAY / 2 if _round_the_clock(self.notation) else centred

    def to_state(self) -> dict[str, Any]:
        state = {
            "name": self.name,
            "centre": self.centre,
            "exponent": self.exponent,
            "indicator": self.indicator,
        }
        return state if self.notation is None else {**state, "notation": self.notation.to_state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> NumericEncoder:
        notation = state.get("notation")
        return cls(
            plain.text(state, "name"),
            plain.real(state, "centre"),
            plain.whole(state, "exponent", -_FARTHEST, _FARTHEST),
            plain.flag(state, "indicator"),
            None if notation is None else Notation.from_state(notation),
        )


def _round_the_clock(notation: Notation | None) -> bool:
    return notation is not None and notation.form is Form.CLOCK


def _middle_of_day(seconds: NDArray[np.float64]) -> float:
    """Return the mean direction of times of day on the clock, in seconds since midnight; 0 without any.

    >>> _middle_of_day(np.array([82800.0, 86399.0, 3600.0, 1.0]))  # around midnight
    0.0
    """
    # In order, for sums of the same numbers in another order differ in their last bits.
    angles = np.sort(seconds) * (2 * np.pi / DAY)
    middle = np.arctan2(np.sin(angles).sum(), np.cos(angles).sum()) * (DAY / (2 * np.pi))
    return float(np.round(middle) % DAY)
