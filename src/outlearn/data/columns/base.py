"""What every column encoder promises, and what it reports about a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["ColumnEncoder", "Repairs", "with_indicator"]


@dataclass(frozen=True, slots=True)
class Repairs:
    """Counts of the cells of one column that had to be repaired, by reason.

    missing : empty although the fit saw no empty cell. unparsed : filled, but not of the column's kind.
    infinite : infinities, read as missing. clipped : numbers too far out for float32. unseen : of categories
    that the fit did not see. limits : such as < 0.5, read as 0.5, though the fit saw none.

    >>> Repairs(infinite=1).sentences("amount")
    ('amount: 1 infinite value is read as missing',)
    """

    missing: int = 0
    unparsed: int = 0
    infinite: int = 0
    clipped: int = 0
    unseen: int = 0
    limits: int = 0

    def __add__(self, other: Repairs) -> Repairs:
        return Repairs(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def sentences(self, name: str) -> tuple[str, ...]:
        """Return one sentence for each reason that occurred."""
        reasons = (
            (self.missing, "value is missing", "values are missing", ", which the fit never saw"),
            (self.unparsed, "value is", "values are", " not of the column's kind and read as missing"),
            (self.infinite, "infinite value is", "infinite values are", " read as missing"),
            (
                self.limits,
                "value is a limit",
                "values are limits",
                " such as < 0.5, read as the limit itself",
            ),
            (self.clipped, "value is", "values are", " too large for float32 and clipped"),
            (self.unseen, "value is", "values are", " of a category not seen in the fit"),
        )
        return tuple(f"{name}: {n:,} {one if n == 1 else more}{rest}" for n, one, more, rest in reasons if n)


class ColumnEncoder(Protocol):
    """A fitted encoder of one table column; a frozen value that encodes each cell by itself."""

    @property
    def name(self) -> str:
        """The table column."""

    @property
    def names(self) -> tuple[str, ...]:
        """The k encoded columns."""

    @classmethod
    def fit(cls, name: str, cells: pl.Series) -> Self:
        """Learn from the cells of a column; the order of the cells does not matter."""

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return finite values (n, k) and what was repaired."""

    def to_state(self) -> dict[str, Any]:
        """Return the fitted values as JSON-able data."""

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild the encoder exactly."""


def with_indicator(
    values: NDArray[np.float32], missing: NDArray[np.bool_], indicator: bool
) -> NDArray[np.float32]:
    """Append the column that marks missing cells, where the fit saw any: (n, k) → (n, k + 1)."""
    if not indicator:
        return values
    return np.column_stack([values, missing.astype(np.float32)])
