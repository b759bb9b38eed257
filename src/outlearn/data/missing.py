"""Values that stand for missing: cells of those that the user names, and values that look like such."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from narwhals.typing import IntoDataFrame
from numpy.typing import NDArray

from outlearn.data.columns.cells import columns_of, numbers_of, text_of
from outlearn.data.quantities import Notation
from outlearn.data.schema import Kind, Schema
from outlearn.ranges import quantiles

__all__ = ["Suspect", "cells_by", "holds_code", "numbers_by", "shown_code", "suspected_codes", "with_missing"]

_OFTEN = 3  # cells from which on a value is no chance
_FAR = 3.0  # times the range of the middle 90 % that a code lies away from it
_FEWEST = 10  # other values, of fewer of which no range can be told
# All sevens, eights or nines (99, -9999.9, of questionnaires 777), round numbers below zero (-200, -1000).
_SHAPE = re.compile(r"-?(?=..)(?:9+(?:\.9+)?|8{2,}|7{2,})|-[1-9]0{2,}")
_ENDS = {  # of types of numbers, and what files of measurements are filled with
    *(float(sign * 2**bits - (sign > 0)) for bits in (15, 31, 63) for sign in (1, -1)),
    *(float(2**bits - 1) for bits in (16, 32, 64)),
    *(float(sign * np.finfo(np.float32).max) for sign in (1, -1)),
    float(np.float32(9.96921e36)),
    *(1e20, -1e20, 1e30, -1e30),
}


def with_missing(cells: pl.Series, codes: Sequence[str], notation: Notation | None = None) -> pl.Series:
    """Return cells, null where one is among the codes: as a number where the code is one, else as text.

    notation : how numbers in text are written.

    >>> with_missing(pl.Series(["3.5", "-200.0", "lost"]), ["-200", "lost"]).to_list()
    ['3.5', None, None]
    """
    kind = cells.dtype
    if not codes or kind == pl.Boolean or kind.is_nested() or kind == pl.Object:
        return cells
    gone = np.zeros(len(cells), dtype=np.bool_)
    if not kind.is_numeric():
        gone |= text_of(cells).is_in(list(codes)).fill_null(False).to_numpy()
    numbers = np.array([number for number in map(_number, codes) if number is not None])
    if len(numbers) and not kind.is_temporal():
        known = numbers.astype(np.float32).astype(np.float64) if kind == pl.Float32 else numbers
        gone |= np.isin(numbers_of(cells, notation).values, known)
    return pl.select(pl.when(~pl.Series(gone)).then(cells).alias(cells.name)).to_series()


def holds_code(cells: pl.Series, code: str, notation: Notation | None = None) -> bool:
    """Tell whether some cell is the code; see `with_missing`."""
    return with_missing(cells, [code], notation).null_count() > cells.null_count()


def cells_by(
    schema: Schema, frame: IntoDataFrame | nw.DataFrame[Any], names: Sequence[str]
) -> dict[str, pl.Series]:
    """Return columns of a dataframe as `columns_of` does, with what stands for missing in them as missing."""
    cells = columns_of(frame, names)
    coded = {column.name: column for column in schema.columns if column.missing}
    return {
        name: with_missing(column, coded[name].missing, coded[name].notation) if name in coded else column
        for name, column in cells.items()
    }


def numbers_by(schema: Schema, frame: pl.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Return the numbers (n,) of the numeric columns that a schema uses, NaN where missing."""
    numeric = {column.name: column for column in schema.used if column.kind is Kind.NUMERIC}
    cells = cells_by(schema, frame, list(numeric))
    return {name: numbers_of(cells[name], column.notation).values for name, column in numeric.items()}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A value that looks like one for missing. columns : how many cells of which columns have it."""

    value: float
    columns: Mapping[str, int]


def suspected_codes(columns: Mapping[str, NDArray[np.float64]]) -> tuple[Suspect, ...]:
    """Return the values that look like codes for missing in columns of numbers (n,), NaN where missing.

    Such a value has a typical shape, comes at least three times, and lies outside of all other values, by
    more than three times the range of the middle 90 % of these. What is one in some column is one in any
    other outside of whose values it lies, however near.

    >>> heat = np.r_[np.linspace(10, 30, 50), [-200.0] * 4]
    >>> suspected_codes({"heat": heat})
    (Suspect(value=-200.0, columns={'heat': 4}),)
    """
    apart = {name: _apart(values) for name, values in columns.items()}
    sure = {code for codes in apart.values() for code, (_, far) in codes.items() if far}
    return tuple(
        Suspect(code, {name: codes[code][0] for name, codes in apart.items() if code in codes})
        for code in sorted(sure)
    )


def shown_code(value: float) -> str:
    """Return a number as one writes it.

    >>> shown_code(-200.0), shown_code(99.99)
    ('-200', '99.99')
    """
    return str(int(value)) if value == np.floor(value) and abs(value) < 1e20 else repr(float(value))


def _apart(values: NDArray[np.float64]) -> dict[float, tuple[int, bool]]:
    """Return the values of typical shape outside of all others: how often each comes, and if it lies far."""
    finite = values[np.isfinite(values)]
    # A code lies outside, so that one of the ends is one.
    if not finite.size or not (_is_shaped(finite.min()) or _is_shaped(finite.max())):
        return {}
    distinct, counts = np.unique(finite, return_counts=True)
    often = zip(distinct[counts >= _OFTEN].tolist(), counts[counts >= _OFTEN].tolist(), strict=True)
    shaped = {value: count for value, count in often if _is_shaped(value)}
    rest = finite[~np.isin(finite, list(shaped))]
    if rest.size < _FEWEST or rest.min() == rest.max():
        return {}
    low, high = quantiles(rest, [0.05, 0.95]).tolist()
    least, most = float(rest.min()), float(rest.max())
    return {
        code: (count, max(low - code, code - high) > _FAR * (high - low))
        for code, count in shaped.items()
        if not least <= code <= most and (code != -1 or least >= 0)
    }


def _is_shaped(value: float) -> bool:
    return value == -1 or value in _ENDS or _SHAPE.fullmatch(shown_code(value)) is not None


def _number(code: str) -> float | None:
    try:
        return float(code)
    except ValueError:
        return None
