"""Categories: how rare the value is, and which of the frequent values it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import plain
from outlearn.data.columns.addresses import COARSEST, WHOLE, level_of, networks_of
from outlearn.data.columns.base import Repairs
from outlearn.data.columns.cells import text_of

__all__ = ["CategoricalEncoder"]

_FREQUENT = 12  # values with a column of their own, at most
_LEAST_SHARE = 0.01  # of the rows, that such a value has
_CLEARLY = 1.5  # times as common as the most common value without a column
# A value in 5 % of the rows is no rarity, and one far less common than the commonest needs no column: either
# made all rows of a value that comes in every tenth row odder than an amount nine deviations out.
_ORDINARY = 0.05  # share of the rows from which on a value is not rare
_BESIDE = 0.3  # of the count of the commonest value, that one with a column has
_VOCABULARY = 20_000  # values that are kept
# Changing from one frequent value to another moves two coordinates: with this size, by a distance of 1 in
# all, which is one standard deviation of a standardised number.
_INDICATOR = np.float32(np.sqrt(0.5))
_SMOOTHING = 0.5  # added to the count of a value


@dataclass(frozen=True, slots=True)
class CategoricalEncoder:
    """Encodes rarity, and the most frequent values one by one.

    values, counts : the values of the fit, most frequent first, ties in the order of the alphabet. None is
    the
        missing cell, a value like any other. At most 20,000 are kept: the rest count as unseen.
    rows : rows of the fit.
    frequent : how many of the first values have a column of their own: at most 12, each in 1 % of the rows,
        three tenths as common as the commonest and, where more than 12 are, half as common again as the first
        without one.
    ordinary : share of the rows from which on a value is not rare.
    level : where cells are addresses of which most differ, how much of them counts: see `addresses`.

    Rarity is ``log(ordinary (rows + 1) / (count + ½))`` in nats, and not below 0: an unseen value is rarer
    than all that were seen.
    """

    name: str
    values: tuple[str | None, ...]
    counts: tuple[int, ...]
    rows: int
    frequent: int
    ordinary: float = _ORDINARY
    level: int = WHOLE

    @property
    def names(self) -> tuple[str, ...]:
        shown = ("(missing)" if value is None else value for value in self.values[: self.frequent])
        return (f"{self.name} rarity", *(f"{self.name}={value}" for value in shown))

    @classmethod
    def fit(cls, name: str, cells: pl.Series) -> CategoricalEncoder:
        """Learn from a column of the table."""
        text = text_of(cells)
        level = level_of(text)
        table = networks_of(text, level).alias("value").value_counts(name="count")
        table = table.sort("count", "value", descending=[True, False]).head(_VOCABULARY)
        counts = table["count"].to_list()
        rows = len(cells)
        # A cut among values of about the same share would make those above it odd by having a column.
        cut = counts[_FREQUENT] if len(counts) > _FREQUENT else 0
        least = max(_LEAST_SHARE * rows, _CLEARLY * cut, _BESIDE * counts[0] if counts else 0.0)
        frequent = sum(1 for count in counts[:_FREQUENT] if count >= least)
        return cls(name, tuple(table["value"].to_list()), tuple(counts), rows, frequent, level=level)

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return (n, 1 + frequent) and what was repaired."""
        text = self.readable(cells)
        unseen = len(self.values)
        codes = self._codes(text, unseen)
        counts = np.array([*self.counts, 0], dtype=np.float64)
        rarity = np.log(self.ordinary * (self.rows + 1) / (counts + _SMOOTHING)).clip(min=0.0)
        table = np.zeros((unseen + 1, 1 + self.frequent), dtype=np.float32)
        table[:, 0] = rarity
        np.fill_diagonal(table[:, 1:], _INDICATOR)
        missing = text.null_count() if None not in self.values else 0
        return table[codes], Repairs(missing=missing, unseen=int((codes == unseen).sum()) - missing)

    def readable(self, cells: pl.Series) -> pl.Series:
        """Return the values that cells are compared by, null where missing."""
        return networks_of(text_of(cells), self.level)

    def _codes(self, text: pl.Series, unseen: int) -> NDArray[np.int64]:
        """Return the place of each cell in `values`, or `unseen`: (n,)."""
        known = {value: place for place, value in enumerate(self.values) if value is not None}
        empty = self.values.index(None) if None in self.values else unseen
        if not known:
            return np.where(text.is_null().to_numpy(), empty, unseen).astype(np.int64)
        codes = text.replace_strict(known, default=unseen, return_dtype=pl.Int64)
        return codes.set(text.is_null(), empty).to_numpy()

    def to_state(self) -> dict[str, Any]:
        state = {**asdict(self), "values": list(self.values), "counts": list(self.counts)}
        if self.level == WHOLE:
            del state["level"]  # as earlier versions wrote and read it
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> CategoricalEncoder:
        values, counts = tuple(plain.entry(state, "values")), plain.wholes(state, "counts")
        if len(values) != len(counts) or not all(isinstance(value, str | None) for value in values):
            raise ValueError(f"{len(values)} values, of text or missing, have {len(counts)} counts")
        # Encoders of before say nothing of these: to them each value was the rarer, the less common.
        state = {"ordinary": 1.0, "level": WHOLE, **state}
        encoder = cls(
            name=plain.text(state, "name"),
            values=values,
            counts=counts,
            rows=plain.whole(state, "rows"),
            frequent=plain.whole(state, "frequent", high=len(values)),
            ordinary=plain.real(state, "ordinary"),
            level=plain.whole(state, "level", high=COARSEST),
        )
        if encoder.ordinary <= 0:
            raise ValueError(f"'ordinary' is {encoder.ordinary}; wanted a share above 0")
        return encoder
