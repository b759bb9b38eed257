"""Values that are usual by themselves and odd beside others: how one tells, and what is usual there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, betainc

from outlearn.explain.words import (
    MIDDLE,
    Cells,
    as_moments,
    as_numbers,
    is_missing,
    moment_range,
    number_range,
    plain,
    shares,
    show,
)
from outlearn.ranges import quantiles, width
from outlearn.shown import as_text

__all__ = ["Facet", "Known", "category_beside", "known_cells", "number_beside", "rows_like"]

Floats = NDArray[np.float64]

CHANCE = 1e-3  # that rows are as alike without any tie between the columns, up to which they are told of
LEAST_OFF = 0.25  # of the width of what is usual there, that a number lies outside of it
SPARED = 20  # one in so many rows at either end does not count: it may be odd itself
RARER = 5  # times as common a category is among all rows, at least, as where it is odd
FEWEST = 8  # rows, of fewer nothing is told
NEAREST, MOST = 50, 500  # rows that are near, and rows that are the same, at most
NEAR = 0.2  # of the width of the middle 80 % of a column, that near rows are off at most
SAME = 1e-9  # squared distance of rows that are the same but for rounding
DAY = 86_400_000_000  # microseconds
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Facet:
    """How known rows (u,) lie to a row in one respect.

    column : number of the table column. apart : (u,) squared distances; infinite where a category differs.
    same, near : what holds for the rows that are the same, and for those that are near: "items is 12".
    """

    column: int
    apart: Floats
    same: str
    near: str

    def words(self, rows: NDArray[np.int64]) -> str:
        """Return what holds for these of the known rows, which are like the row."""
        return self.same if self.apart[rows].max() <= SAME else self.near


class Known(Protocol):
    """The cells (u,) that known rows have in a table column, to compare others with."""

    def off(self, value: Any) -> float:
        """Return how far a value lies outside the middle 90 % of all, in widths of these; infinite where
        nothing like it is known."""

    def off_beside(self, value: Any, rows: NDArray[np.int64], chance: float) -> float | None:
        """Return how far a value lies outside those of some rows; None where that tells nothing.

        chance : that the rows are as alike in the column if it has nothing to do with what they were chosen
        by; where it is larger, nothing is told.
        """

    def telling(self, rows: NDArray[np.int64]) -> float:
        """Return how much the values of some rows say: of categories the share of the commonest, of numbers
        more, for more values."""

    def words(self, rows: NDArray[np.int64]) -> str:
        """Return the values of some rows in words."""

    def facets(self, column: int, name: str, value: Any) -> list[Facet]:
        """Return how the rows lie to a value of the column `name`."""


def known_cells(kind: str, cells: Cells, unit: str = "") -> Known | None:
    """Return the cells of a column to compare others with; None where they are texts, lists or the like.

    unit : what numbers are in; see `quantities`.
    """
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "f":
        return _Numbers.of(cells.astype(np.float64), unit) if kind == "numeric" else None
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
        return _Moments.of(_as_floats(cells)) if kind == "datetime" else None
    present = [cell for cell in cells if not is_missing(cell)]
    if not present:
        return None
    if kind in ("categorical", "boolean"):
        return _Categories.of(cells)
    if kind == "numeric":
        numbers = as_numbers(present, finite=False)
        if numbers is None or len(numbers) < len(present):
            return None
        return _Numbers.of(_filled(cells, numbers), unit)
    moments = as_moments(present) if kind == "datetime" else None
    if moments is None or np.isnat(moments).any():
        return None
    return _Moments.of(_filled(cells, _as_floats(moments)))


def rows_like(apart: Floats) -> NDArray[np.int64]:
    """Return the rows that are the same as a row, or near to it, by squared distances (u,) from it.

    Fewer than 8 that are the same are joined by near ones; fewer than 8 in all are none.

    >>> rows_like(np.array([0.0] * 9 + [0.01, np.inf])).tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8]
    >>> rows_like(np.array([0.0, 0.01, 0.3, np.inf])).tolist()
    []
    """
    same = np.flatnonzero(apart <= SAME)
    if len(same) >= FEWEST:
        return same[:MOST]
    count = min(max(len(apart) // 20, 10), NEAREST, len(apart))
    near = np.argpartition(apart, count - 1)[:count]
    near = near[apart[near] <= NEAR**2]
    return near if len(near) >= FEWEST else near[:0]


def number_beside(value: float, near: Floats, ascending: Floats, chance: float = CHANCE) -> float | None:
    """Return how far a number lies outside those of rows like its own, in widths of these.

    None where it lies within, or hardly outside, or where these are no narrower than numbers drawn from all
    by chance: the share of all that lies between two of n such numbers is distributed as Beta(k, n + 1 - k),
    where k is the number of steps from one to the other.

    Parameters
    ----------
    near : (n,) the numbers of the rows like its own. ascending : (u,) those of all rows.
    chance : up to which it is told.

    >>> every = np.arange(1000.0)
    >>> number_beside(900.0, every[40:60], every)
    49.529411764705884
    >>> number_beside(900.0, every[::50], every) is None
    True
    """
    count, spared = len(near), len(near) // SPARED
    if count < FEWEST:
        return None
    near = np.sort(near)
    low, high = float(near[spared]), float(near[count - 1 - spared])
    outside = max(low - value, value - high)
    width = max(high - low, 1e-9 * max(abs(low), abs(high), 1.0))
    if not outside >= LEAST_OFF * width:
        return None
    within = np.searchsorted(ascending, high, "right") - np.searchsorted(ascending, low, "left")
    steps = count - 1 - 2 * spared
    by_chance = betainc(steps, count + 1 - steps, within / len(ascending))
    return float(outside / width) if by_chance <= chance else None


def category_beside(value: str, near: Sequence[str], share: float, chance: float = CHANCE) -> float | None:
    """Return how unlikely it is that a category is as rare as among rows like its own, as a logarithm.

    None where it is no rarer than by chance, or more than a fifth as common as among all.

    share : of the category among all rows. chance : up to which it is told.

    >>> category_beside("GBP", ["EUR"] * 50, 0.25)
    14.384103622589047
    >>> category_beside("GBP", ["EUR"] * 10, 0.25) is None
    True
    """
    count, here = len(near), sum(cell == value for cell in near)
    if count < FEWEST or here > count // SPARED or here > count * share / RARER:
        return None
    by_chance = float(bdtr(here, count, share))
    return -math.log(max(by_chance, 1e-300)) if by_chance <= chance else None


@dataclass(frozen=True, slots=True, eq=False)
class _Numbers:
    """Numbers (u,), NaN where there is none.

    ascending : those that are, sorted. low, high : the middle 90 % of them. scale : the width of most.
    unit : what they are in.
    """

    values: Floats
    ascending: Floats
    low: float
    high: float
    scale: float
    unit: str = ""

    @classmethod
    def of(cls, values: Floats, unit: str = "") -> _Numbers | None:
        ascending = np.sort(values[np.isfinite(values)])
        if not len(ascending):
            return None
        low, tenth, ninetieth, high = quantiles(ascending, (MIDDLE[0], 0.1, 0.9, MIDDLE[1])).tolist()
        scale = width(tenth, ninetieth) or width(float(ascending[0]), float(ascending[-1])) or 1.0
        return cls(values, ascending, low, high, scale, unit)

    def off(self, value: Any) -> float:
        own = self._read(value)
        if own is None:
            return math.inf
        away = max(width(own, self.low), width(self.high, own), 0.0)
        return away / (width(self.low, self.high) or self.scale)

    def off_beside(self, value: Any, rows: NDArray[np.int64], chance: float) -> float | None:
        own, there = self._read(value), self.values[rows]
        return None if own is None else number_beside(own, there[np.isfinite(there)], self.ascending, chance)

    def telling(self, rows: NDArray[np.int64]) -> float:
        return 1.0 + len(np.unique(self.ascending))

    def words(self, rows: NDArray[np.int64]) -> str:
        there = self.values[rows]
        return number_range(there[np.isfinite(there)], self.unit)[2]

    def facets(self, column: int, name: str, value: Any) -> list[Facet]:
        own = self._read(value)
        if own is None:
            apart = np.where(np.isnan(self.values), 0.0, np.inf)
            return [Facet(column, apart, f"{name} is missing", "")] if is_missing(value) else []
        apart = _squares(self.values, own, self.scale)
        shown = show(plain(value) if not isinstance(value, str) else own, self.unit)
        return [Facet(column, apart, f"{name} is {shown}", f"{name} is near {shown}")]

    def _read(self, value: Any) -> float | None:
        if type(value) is float:  # most are, and the long way takes its time
            return value if math.isfinite(value) else None
        read = None if is_missing(value) else as_numbers([value])
        return None if read is None else float(read[0])


@dataclass(frozen=True, slots=True)
class _Moments:
    """Microseconds since 1970 (u,), NaN where there are none, as numbers."""

    numbers: _Numbers

    @classmethod
    def of(cls, micros: Floats) -> _Moments | None:
        numbers = _Numbers.of(micros)
        return None if numbers is None else cls(numbers)

    def off(self, value: Any) -> float:
        own = _micros(value)
        return math.inf if own is None else self.numbers.off(own)

    def off_beside(self, value: Any, rows: NDArray[np.int64], chance: float) -> float | None:
        own = _micros(value)
        return None if own is None else self.numbers.off_beside(own, rows, chance)

    def telling(self, rows: NDArray[np.int64]) -> float:
        return self.numbers.telling(rows)

    def words(self, rows: NDArray[np.int64]) -> str:
        there = self.numbers.values[rows]
        return moment_range(there[np.isfinite(there)].astype(np.int64).astype("datetime64[us]"))[2]

    def facets(self, column: int, name: str, value: Any) -> list[Facet]:
        own = _micros(value)
        if own is None:
            return []
        values = self.numbers.values
        moment = np.datetime64(int(own), "us")
        day = f"{name} is near {np.datetime_as_string(moment, unit='D')}"
        facets = [Facet(column, _squares(values, own, self.numbers.scale), day, day)]
        known = self.numbers.ascending
        if np.ptp(known % DAY):
            turn = np.abs(values % DAY - own % DAY)
            hours = np.nan_to_num(np.minimum(turn, DAY - turn) / (DAY / 4), nan=np.inf)
            clock = f"{name} is near {np.datetime_as_string(moment, unit='m')[-5:]} of the day"
            facets.append(Facet(column, hours**2, clock, clock))
        if np.ptp(known // DAY % 7):
            weekday = int(own // DAY + 3) % 7  # 1970 began on a Thursday
            apart = np.where((values // DAY + 3) % 7 == weekday, 0.0, np.inf)
            facets.append(Facet(column, apart, f"{name} is a {WEEKDAYS[weekday]}", ""))
        return facets


@dataclass(frozen=True, slots=True, eq=False)
class _Categories:
    """Categories (u,) as numbers into `names`, with how many rows have each; None is one like any other."""

    codes: NDArray[np.int64]
    names: dict[str | None, int]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, cells: Cells) -> _Categories:
        texts = [None if is_missing(cell) else as_text(cell) for cell in cells]
        names = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        codes = np.array([names[text] for text in texts], dtype=np.int64)
        return cls(codes, names, np.bincount(codes, minlength=len(names)))

    def off(self, value: Any) -> float:
        return 0.0 if not is_missing(value) and as_text(value) in self.names else math.inf

    def off_beside(self, value: Any, rows: NDArray[np.int64], chance: float) -> float | None:
        if self.off(value):
            return None
        own = as_text(value)
        share = float(self.counts[self.names[own]] / len(self.codes))
        return category_beside(own, self._texts(rows), share, chance)

    def telling(self, rows: NDArray[np.int64]) -> float:
        return float(np.bincount(self.codes[rows]).max() / len(rows))

    def words(self, rows: NDArray[np.int64]) -> str:
        return shares(self._texts(rows))

    def facets(self, column: int, name: str, value: Any) -> list[Facet]:
        own = None if is_missing(value) else as_text(value)
        if own not in self.names:
            return []
        apart = np.where(self.codes == self.names[own], 0.0, np.inf)
        shown = "missing" if own is None else show(plain(value))
        return [Facet(column, apart, f"{name} is {shown}", "")]

    def _texts(self, rows: NDArray[np.int64]) -> list[str]:
        names = ["missing" if name is None else name for name in self.names]
        return [names[code] for code in self.codes[rows]]


def _filled(cells: Cells, present: Floats) -> Floats:
    """Return numbers of all cells (u,), NaN where one is missing, from those `present`."""
    there = np.array([not is_missing(cell) for cell in cells])
    values = np.full(len(cells), np.nan)
    values[there] = present
    return values


def _squares(values: Floats, own: float, scale: float) -> Floats:
    """Return squared distances (u,) in widths of the column, infinite where there is no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.nan_to_num(((values - own) / scale) ** 2, nan=np.inf, posinf=np.inf)


def _micros(value: Any) -> float | None:
    moments = None if is_missing(value) else as_moments([value])
    return None if moments is None or np.isnat(moments).any() else float(_as_floats(moments)[0])


def _as_floats(moments: NDArray[np.datetime64]) -> Floats:
    """Return microseconds since 1970, NaN where there is no moment."""
    micros = moments.astype("datetime64[us]").astype(np.int64).astype(np.float64)
    return np.where(np.isnat(moments), np.nan, micros)
