"""Truth values: 0 or 1."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import plain
from outlearn.data.columns.base import Repairs, with_indicator
from outlearn.data.columns.cells import truths_of

__all__ = ["BooleanEncoder"]


@dataclass(frozen=True, slots=True)
class BooleanEncoder:
    """Encodes truth as 1 and falsehood as 0; a missing cell becomes the more frequent of the two, `usual`."""

    name: str
    usual: bool
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @classmethod
    def fit(cls, name: str, cells: pl.Series) -> BooleanEncoder:
        """Learn from a column of the table."""
        truths, _ = truths_of(cells)
        filled = truths.len() - truths.null_count()
        return cls(name, 2 * int(truths.sum() or 0) > filled, filled < truths.len())

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return (n, 1 or 2) and what was repaired."""
        truths, unparsed = truths_of(cells)
        missing = truths.is_null().to_numpy()
        values = truths.fill_null(self.usual).cast(pl.Float32).to_numpy()[:, None]
        unexpected = 0 if self.indicator else int(missing.sum()) - unparsed
        return with_indicator(values, missing, self.indicator), Repairs(unexpected, unparsed)

    def to_state(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> BooleanEncoder:
        return cls(plain.text(state, "name"), plain.flag(state, "usual"), plain.flag(state, "indicator"))
