"""Numbers: the column's median is taken off in float64, so that the float32 that follows loses nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.base import Repairs, with_indicator
from outlearn.data.columns.cells import numbers_of

__all__ = ["NumericEncoder", "lower_median"]

# Encoded numbers stay within ±2**60: their squares, summed over a hundred columns, still fit in float32.
_LIMIT = 2.0**60
# Beyond 2**±40 a typical deviation would come near the ends of float32, and a power of two is taken out.
_PLAIN = 40


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

    The scale is otherwise left to the learner.
    """

    name: str
    centre: float
    exponent: int
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @classmethod
    def fit(cls, name: str, cells: pl.Series) -> NumericEncoder:
        """Learn from a column of the table."""
        return cls.fit_values(name, numbers_of(cells).values)

    @classmethod
    def fit_values(cls, name: str, values: NDArray[np.float64]) -> NumericEncoder:
        """Learn from float64 values (n,); NaN and infinities are missing."""
        finite = np.isfinite(values)
        complete = bool(finite.all())
        known = values if complete else values[finite]
        centre = lower_median(known)
        with np.errstate(over="ignore"):
            away = np.abs(known - centre)
        typical = min(lower_median(away[away > 0]), float(np.finfo(np.float64).max))
        exponent = int(np.frexp(typical)[1]) if typical else 0
        return cls(name, centre, exponent if abs(exponent) > _PLAIN else 0, not complete)

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return (n, 1 or 2) and what was repaired."""
        values, unparsed, infinite = numbers_of(cells)
        encoded, repairs = self.encode_values(values)
        missing = max(0, repairs.missing - unparsed - infinite)
        return encoded, Repairs(missing, unparsed, infinite, repairs.clipped)

    def encode_values(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float32], Repairs]:
        """Encode float64 values (n,); NaN and infinities are missing."""
        missing = ~np.isfinite(values)
        empty = int(missing.sum())
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            centred = values - self.centre
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

    def to_state(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> NumericEncoder:
        return cls(
            str(state["name"]), float(state["centre"]), int(state["exponent"]), bool(state["indicator"])
        )
