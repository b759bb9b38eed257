"""A last row that holds the sums of those above, as exports end in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import polars as pl

from outlearn.data.columns.cells import numbers_of, written_of
from outlearn.data.quantities import Notation, recognise
from outlearn.data.readers.header import is_number

__all__ = ["first_word", "holds_sums", "looks_like_total", "on_total", "without_last"]

_TOTAL = re.compile(
    r"(?i)\W*(grand )?(totals?|totale|totali|totaal|totalt|sums?|summen?|suma|somme|somma|soma|summa|gesamt"
    r"|gesamtsumme|insgesamt|итого|всего|合计|合計|总计|總計|計)\b.{0,30}"
)
_FEWEST = 3  # rows with the last one, of fewer of which a sum says nothing
_CLOSE = 1e-6  # share of a sum by which it may be rounded
_LOOKED = 1_000  # cells of text that tell how its numbers are written


def first_word(row: Mapping[str, object]) -> str:
    """Return the first cell of a row that is filled, where that is a word; else nothing."""
    first = next((str(cell).strip() for cell in row.values() if cell is not None and str(cell).strip()), "")
    return "" if is_number(first) else first


def looks_like_total(row: Mapping[str, object], rows: int) -> bool:
    """Tell whether a last row is called a total, so that it is worth while to add up the others.

    >>> looks_like_total({"day": None, "shop": "Summe:", "eur": "12,50"}, 10)
    True
    """
    return rows >= _FEWEST and _TOTAL.fullmatch(first_word(row)) is not None


def holds_sums(frames: Iterable[pl.DataFrame], rows: int) -> bool:
    """Tell whether most numbers of the last of so many rows are the sums of those above them.

    >>> frame = pl.DataFrame({"a": ["x", "y", "Total"], "b": [1.5, 2.0, 3.5], "c": ["1 kg", "3 kg", "4 kg"]})
    >>> holds_sums([frame], 3), holds_sums([frame.head(2)], 2)
    (True, False)
    """
    notations: dict[str, Notation | None] = {}
    sums: dict[str, float] = {}
    last: dict[str, float] = {}
    seen = 0
    for frame in frames:
        seen += frame.height
        for column in frame.iter_columns():
            if column.dtype.is_temporal() or column.dtype.is_nested() or column.dtype == pl.Boolean:
                continue
            if column.name not in notations:
                notations[column.name] = _notation(column) if column.dtype == pl.String else None
            values = numbers_of(column, notations[column.name]).values
            if seen == rows and len(values):
                last[column.name], values = float(values[-1]), values[:-1]
            sums[column.name] = sums.get(column.name, 0.0) + float(np.nansum(values))
    there = {name: value for name, value in last.items() if math.isfinite(value)}
    fit = [name for name, value in there.items() if math.isclose(value, sums[name], rel_tol=_CLOSE)]
    return 2 * len(fit) > len(there) and any(there[name] for name in fit)


def without_last(
    frames: Callable[[], Iterable[pl.DataFrame]], rows: int
) -> Callable[[], Iterator[pl.DataFrame]]:
    """Return what gives the same frames without the last of so many rows."""

    def shorter() -> Iterator[pl.DataFrame]:
        left = rows - 1
        for frame in frames():
            if left > 0:
                yield frame.head(left)
            left -= frame.height

    return shorter


def on_total(word: str) -> str:
    """Say that a last row was left out."""
    return f"the last row ({word[:30]!r}) holds the sums of the columns and was left out"


def _notation(cells: pl.Series) -> Notation | None:
    """Return how the numbers of text are written; None where they are plain, or none."""
    filled = written_of(cells.head(_LOOKED)).drop_nulls()
    return recognise(filled, name=cells.name).notation
