"""Counts of what the values of text columns could be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.readers.numbers import ERRORS, MISSING, Convention

__all__ = ["Tally", "count"]

_DIGITS = r"^[+-]?[0-9]+$"
_ZERO_LED = r"^[+-]?0[0-9]+$"
_GROUPED = r"^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+$"
# Digits with a little text beside them, or several such, as in 2h 5m or 1:30: a column of these may be
# numbers as people write them, which is settled with its kind.
_WORDED = r"^[^0-9]{0,5}(?:[.,]?[0-9][0-9.,'’ \x{a0}\x{202f}\x{2009}\x{2007}]*[^0-9]{0,12}){1,8}$"
_LOOKED = 1_000  # values of a column and a piece that this is looked for in
_VALUE = pl.col("value")
_NUMBER = _VALUE.cast(pl.Float64, strict=False)
_WHOLE = _VALUE.cast(pl.Int64, strict=False)


@dataclass(slots=True)
class Tally:
    """What the values of one column could be, over the rows counted so far, in whatever pieces."""

    ways: tuple[Convention, ...]
    present: int = 0  # values that are not missing
    plain: int = 0  # of these, numbers as a computer writes them
    whole: int = 0  # of these, integers of 64 bits
    truths: int = 0  # of those present, true or false
    written: list[int] = field(default_factory=list)  # not plain, but numbers in each convention
    odd: bool = False  # some value is not a plain number, or has blanks around it
    huge: bool = False  # digits only, past 64 bits
    fraction: bool = False  # a plain number that is no integer
    zero_led: bool = False  # 007
    free_dot: bool = False  # a dot that cannot stand between groups of three digits
    looked: int = 0  # of the values that are no numbers, those that were looked at more closely
    worded: int = 0  # of these, digits with a little text beside them, such as a unit
    errors: Counter[str] = field(default_factory=Counter)  # of spreadsheets, in place of values
    examples: list[str] = field(default_factory=list)  # the first values that are no numbers at all

    def __post_init__(self) -> None:
        self.written = [0] * len(self.ways)

    @property
    def worded_share(self) -> float:
        """The share of the values that are no numbers in which digits have a little text beside them."""
        return self.worded / self.looked if self.looked else 0.0

    @property
    def shaped(self) -> bool:
        """Whether more fractions can teach nothing new."""
        return self.fraction and self.free_dot


def count(tallies: Sequence[Tally], frame: pl.DataFrame) -> None:
    """Add the values of each column to its tally; nulls are missing.

    The columns are laid end to end and judged together: ten thousand columns come as well as ten million
    rows, and a query for each column would take seconds.

    >>> from outlearn.data.readers.numbers import conventions
    >>> tally = Tally(conventions(None, None))
    >>> count([tally], pl.DataFrame({"a": ["1", "2.5", "1,5", "x", None]}))
    >>> tally.present, tally.plain, tally.whole, tally.written
    (4, 2, 1, [0, 1])
    """
    if not frame.height:
        return
    values = _end_to_end(frame)
    checks = values.select(
        present=_VALUE.is_not_null(), plain=_NUMBER.is_not_null(), whole=_WHOLE.is_not_null()
    )
    zero_led = values.select(_VALUE.str.contains(_ZERO_LED).fill_null(False)).to_series()
    plain, whole = (_by_column(checks[name], frame.width).sum(axis=1) for name in ("plain", "whole"))
    led = _any(zero_led, frame.width)
    for i, tally in enumerate(tallies):
        tally.present += int(plain[i])
        tally.plain += int(plain[i])
        tally.whole += int(whole[i])
        tally.zero_led |= led[i]
    shapeless = [i for i, tally in enumerate(tallies) if whole[i] < plain[i] and not tally.shaped]
    if shapeless:
        _count_shapes([tallies[i] for i in shapeless], frame[:, shapeless])
    odd = checks["present"] & ~checks["plain"]
    if odd.any():
        column = np.repeat(np.arange(frame.width), frame.height)[odd.to_numpy()]
        _count_odd(tallies, values.filter(odd).with_columns(column=pl.Series(column)))


def _end_to_end(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([column.alias("value") for column in frame.iter_columns()]).to_frame()


def _by_column(flags: pl.Series, width: int) -> NDArray[np.bool_]:
    """Return the flags of columns laid end to end as (columns, rows)."""
    return flags.to_numpy().reshape(width, -1)


def _any(flags: pl.Series, width: int) -> list[bool]:
    return [bool(column.any()) for column in _by_column(flags, width)]


def _count_shapes(tallies: Sequence[Tally], frame: pl.DataFrame) -> None:
    digits = _VALUE.str.contains(_DIGITS)
    dotted = _VALUE.str.contains(".", literal=True) & ~_VALUE.str.contains(_GROUPED)
    flags = _end_to_end(frame).select(
        huge=(digits & _WHOLE.is_null()).fill_null(False),
        fraction=(_NUMBER.is_not_null() & ~digits).fill_null(False),
        free_dot=(_NUMBER.is_not_null() & dotted).fill_null(False),
    )
    for name in flags.columns:
        for tally, flag in zip(tallies, _any(flags[name], frame.width), strict=True):
            setattr(tally, name, getattr(tally, name) or flag)


def _count_odd(tallies: Sequence[Tally], odd: pl.DataFrame) -> None:
    """Count values that are no plain numbers as they stand; `odd` has the columns value and column."""
    for i in odd["column"].unique():
        tallies[i].odd = True
    odd = odd.with_columns(_VALUE.str.strip_chars()).filter(~_VALUE.is_in(MISSING))
    broken = _VALUE.is_in(ERRORS)
    for i, word, times in odd.filter(broken).group_by("column", "value").agg(pl.len()).rows():
        tallies[i].errors[word] += times
    odd = odd.filter(~broken)
    padded = odd.filter(_NUMBER.is_not_null())
    for (i,), values in padded.group_by("column"):
        count([tallies[i]], values.select("value"))
    ways = tallies[0].ways
    odd = odd.filter(_NUMBER.is_null()).with_columns(
        *(way.parse(_VALUE).is_not_null().alias(f"way {k}") for k, way in enumerate(ways)),
        truth=_VALUE.str.to_lowercase().is_in(("true", "false")),
    )
    sums = odd.group_by("column").agg(pl.len(), pl.col("truth").sum(), pl.col("^way [0-9]$").sum())
    for i, present, truths, *written in sums.rows():
        tallies[i].present += present
        tallies[i].truths += truths
        tallies[i].written = [a + b for a, b in zip(tallies[i].written, written, strict=True)]
    looked = odd.filter(~pl.any_horizontal("^way [0-9]$")).group_by("column").head(_LOOKED)
    shapes = looked.group_by("column").agg(pl.len(), _VALUE.str.contains(_WORDED).sum().alias("worded"))
    for i, count_looked, worded in shapes.rows():
        tallies[i].looked += count_looked
        tallies[i].worded += worded
    bad = odd.filter(~pl.col("way 0")).group_by("column").agg(_VALUE.unique(maintain_order=True).head(3))
    for i, examples in bad.rows():
        tallies[i].examples = list(dict.fromkeys(tallies[i].examples + examples))[:3]
