"""Columns that hold one value: as in the fit, or not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import plain
from outlearn.data.columns.base import Repairs
from outlearn.data.columns.cells import numbers_of, text_of
from outlearn.data.columns.dates import form_of

__all__ = ["ConstantEncoder"]

_SHOWN = 40  # characters of a value
_ROUNDING = 1e-6  # of a number, which another program may write with fewer digits


@dataclass(frozen=True, slots=True)
class ConstantEncoder:
    """Encodes 0 where a cell holds the one value of the fit, and 1 where it holds another.

    value : what all cells of the fit held; None where all were missing. rows : how many cells these were.
    A missing cell is no other value: it is encoded as 0.
    """

    name: str
    value: float | str | None
    rows: int

    @property
    def names(self) -> tuple[str, ...]:
        return (f"{self.name} differs",)

    @property
    def shown(self) -> str:
        """The value in words, shortened to 40 characters."""
        if self.value is None:
            return "missing"
        text = f"{self.value:g}" if isinstance(self.value, float) else self.value
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

    @classmethod
    def of(cls, name: str, cells: pl.Series) -> ConstantEncoder | None:
        """Return the encoder of a column that holds one value in every cell, or none at all.

        None for a column that holds more, and for dates, which pass, and lists.
        """
        if cells.dtype.is_nested() or cells.dtype.is_temporal() or not len(cells):
            return None
        if cells.dtype.is_numeric():
            return cls.of_values(name, numbers_of(cells).values)
        text = text_of(cells)
        filled = text.drop_nulls()
        if not len(filled):
            return cls(name, None, len(text))
        if len(filled) < len(text) or filled.n_unique() > 1 or form_of(filled):
            return None
        number = float(numbers_of(filled[:1]).values[0])
        return cls(name, str(filled[0]) if np.isnan(number) else number, len(text))

    @classmethod
    def of_values(cls, name: str, values: NDArray[np.float64]) -> ConstantEncoder | None:
        """Return the encoder of numbers (n,) that are all equal, or all missing; None for others."""
        finite = np.isfinite(values)
        if not finite.any():
            return cls(name, None, len(values))
        same = finite.all() and values.min() == values.max()
        return cls(name, float(values[0]), len(values)) if same else None

    @classmethod
    def fit(cls, name: str, cells: pl.Series) -> Self:
        """Learn from a column of the table.

        Raises
        ------
        ValueError
            When the column holds more than one value.
        """
        encoder = cls.of(name, cells)
        if not isinstance(encoder, cls):
            raise ValueError(f"column {name!r} does not hold one value only")
        return encoder

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return (n, 1) and what was repaired."""
        text = text_of(cells)
        missing = text.is_null().to_numpy()
        if isinstance(self.value, float):
            return self._encoded(~self._equal(numbers_of(cells).values), missing)
        return self._encoded((text != (self.value or "")).fill_null(False).to_numpy(), missing)

    def encode_values(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float32], Repairs]:
        """Encode float64 values (n,); NaN and infinities are missing."""
        return self._encoded(~self._equal(values), ~np.isfinite(values))

    def _equal(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        if not isinstance(self.value, float):
            return np.zeros(len(values), dtype=np.bool_)
        return np.isclose(values, self.value, rtol=_ROUNDING, atol=0.0)

    def _encoded(
        self, differs: NDArray[np.bool_], missing: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], Repairs]:
        unexpected = 0 if self.value is None else int(missing.sum())
        return (differs & ~missing).astype(np.float32)[:, None], Repairs(missing=unexpected)

    def to_state(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ConstantEncoder:
        value = plain.entry(state, "value")
        if not isinstance(value, float | str | None):
            raise ValueError(f"the value of a constant column is {value!r}; wanted a number or text")
        return cls(plain.text(state, "name"), value, plain.whole(state, "rows"))
