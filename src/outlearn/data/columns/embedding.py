"""Vectors of one length a cell, such as a network's view of an image or of a document."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import plain
from outlearn.data.columns.base import Repairs
from outlearn.data.columns.numeric import lower_median
from outlearn.data.columns.runs import runs_of
from outlearn.errors import SchemaError

__all__ = ["EmbeddingEncoder"]

WIDEST = 4096
_LIMIT = 2.0**60  # as in `numeric`: squares still fit in float32


@dataclass(frozen=True, slots=True)
class EmbeddingEncoder:
    """Encodes each coordinate less its median in the fit, and whether the cell is missing.

    A missing cell, or one of another length, stands at the medians.

    Parameters
    ----------
    centres : (k,) lower medians of the coordinates.
    """

    name: str
    centres: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*(f"{self.name}[{i}]" for i in range(len(self.centres))), f"{self.name} is missing")

    @classmethod
    def fit(cls, name: str, cells: pl.Series) -> EmbeddingEncoder:
        """Learn from a column; the length of most cells is the one wanted.

        Raises
        ------
        SchemaError
            When no cell is a list of numbers, or they are longer than 4,096.
        """
        runs = runs_of(cells)
        if runs.missing.all():
            raise SchemaError(f"column {name!r} holds no list of numbers; set another kind for it")
        lengths, counts = np.unique(runs.lengths[~runs.missing], return_counts=True)
        width = int(lengths[counts.argmax()])
        if width > WIDEST:
            raise SchemaError(
                f"column {name!r} holds vectors of {width:,} numbers; wanted at most {WIDEST:,}: project them"
            )
        values = _rows(runs.values, runs.starts[runs.lengths == width], width)
        return cls(name, tuple(lower_median(column[np.isfinite(column)]) for column in values.T))

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return (n, k + 1) and what was repaired."""
        runs = runs_of(cells)
        width = len(self.centres)
        fits = ~runs.missing & (runs.lengths == width)
        encoded = np.zeros((len(fits), width + 1), dtype=np.float32)
        values = _rows(runs.values, runs.starts[fits], width) - np.asarray(self.centres)
        values[np.isnan(values)] = 0.0
        clipped = int((np.abs(values) > _LIMIT).any(axis=1).sum())
        encoded[fits, :width] = np.clip(values, -_LIMIT, _LIMIT)
        encoded[:, width] = ~fits
        return encoded, Repairs(unparsed=runs.unparsed + int((~runs.missing & ~fits).sum()), clipped=clipped)

    def to_state(self) -> dict[str, Any]:
        return {**asdict(self), "centres": list(self.centres)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> EmbeddingEncoder:
        return cls(plain.text(state, "name"), plain.reals(state, "centres"))


def _rows(values: NDArray[np.float64], starts: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    """Return the runs of one width that begin at `starts`: (r, width)."""
    rows: NDArray[np.float64] = values[starts[:, None] + np.arange(width)]
    return rows
