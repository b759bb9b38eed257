"""Cells that hold many numbers: lists, arrays, or text such as ``[0.1, 0.2]``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["Runs", "holds_runs", "runs_of"]

NUMBERS = 0.95  # share of filled cells of text that must be lists of numbers
_SEPARATORS = r"[\s,;]+"


class Runs(NamedTuple):
    """The numbers of n cells, one cell after another: values (t,), NaN where one is missing; lengths (n,).

    missing : (n,) cells that are empty or no list of numbers. unparsed : how many are filled, and none.
    """

    values: NDArray[np.float64]
    lengths: NDArray[np.int64]
    missing: NDArray[np.bool_]
    unparsed: int

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each cell begins in `values`, (n,)."""
        return np.cumsum(self.lengths) - self.lengths


def holds_runs(cells: pl.Series) -> bool:
    """Tell whether cells hold lists of numbers: typed so, or text in brackets.

    >>> holds_runs(pl.Series(["[1, 2.5]", "[0, 1]"])), holds_runs(pl.Series(["1 2", "3 4"]))
    (True, False)
    """
    if isinstance(cells.dtype, pl.List | pl.Array):
        return cells.dtype.inner is not None and cells.dtype.inner.is_numeric()
    if cells.dtype != pl.String:
        return False
    filled = cells.drop_nulls().str.strip_chars()
    filled = filled.filter(filled != "")
    bracketed = filled.str.contains(r"^\[.*\]$")
    if not filled.len() or int(bracketed.sum()) < NUMBERS * filled.len():
        return False
    read = runs_of(filled)
    return bool(read.unparsed <= (1 - NUMBERS) * filled.len() and read.lengths.max(initial=0) > 1)


def runs_of(cells: pl.Series) -> Runs:
    """Read the numbers of each cell; infinities are missing numbers, an empty list is a missing cell.

    >>> runs_of(pl.Series([[1.0, 2.0], None, [3.0]]))[:2]
    (array([1., 2., 3.]), array([2, 0, 1]))
    >>> runs_of(pl.Series(["[1, 2]", "several"])).unparsed
    1
    """
    lists, unparsed = _lists(cells)
    missing = (lists.is_null() | (lists.list.len().fill_null(0) == 0)).to_numpy()
    lengths = lists.list.len().fill_null(0).to_numpy().astype(np.int64)
    values = lists.filter(pl.Series(~missing)).explode().to_numpy().astype(np.float64)
    return Runs(np.where(np.isfinite(values), values, np.nan), lengths, missing, unparsed)


def _lists(cells: pl.Series) -> tuple[pl.Series, int]:
    """Return a series of lists of float64, null where a cell is no list of numbers; and how many are not."""
    if isinstance(cells.dtype, pl.Array):
        cells = cells.arr.to_list()
    if isinstance(cells.dtype, pl.List):
        if cells.dtype.inner is not None and cells.dtype.inner.is_numeric():
            return cells.cast(pl.List(pl.Float64)), 0
        cells = cells.cast(pl.List(pl.String), strict=False).list.join(" ")
    elif cells.dtype.is_numeric():  # one number is a list of one
        return cells.cast(pl.Float64).to_frame("n").select(pl.concat_list("n")).to_series(), 0
    text = cells.cast(pl.String, strict=False).str.strip_chars().str.strip_chars("[]()").str.strip_chars()
    filled = text.is_not_null() & (text != "")
    words = text.str.replace_all(_SEPARATORS, " ").str.split(" ")
    stated = words.list.eval(pl.element().str.to_lowercase().is_in(["nan", "null", "none", ""]).not_())
    numbers = words.list.eval(pl.element().cast(pl.Float64, strict=False))
    parsed = numbers.list.eval(pl.element().is_not_null().cast(pl.Int64)).list.sum()
    bad = filled & (parsed < stated.list.eval(pl.element().cast(pl.Int64)).list.sum())
    return numbers.set(bad | ~filled, None), int(bad.sum() or 0)
