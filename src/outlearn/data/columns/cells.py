"""Reading cells: the columns of any dataframe as numbers, truth values, moments or text.

Every reading is made cell by cell, so that a row alone reads as it does in a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import polars as pl
from narwhals.typing import IntoDataFrame
from numpy.typing import NDArray

from outlearn.data.foreign import readable
from outlearn.data.named import literal, with_literal_names
from outlearn.data.quantities import Notation
from outlearn.errors import SchemaError

__all__ = [
    "FALSE_WORDS",
    "TRUE_WORDS",
    "Numbers",
    "columns_of",
    "names_of",
    "numbers_of",
    "text_of",
    "truths_of",
    "written_of",
]

TRUE_WORDS = ("true", "yes", "y", "t", "on")
FALSE_WORDS = ("false", "no", "n", "f", "off")
# Words that stand for an empty cell where a number, a truth value or a moment is wanted. In a categorical
# column they stay values: "NA" may be Namibia.
MISSING_WORDS = ("-", "?", "na", "n/a", "nan", "none", "null")


class Numbers(NamedTuple):
    """Float64 values (n,), NaN where missing; the counts of cells that are not numbers and of infinities."""

    values: NDArray[np.float64]
    unparsed: int
    infinite: int


def names_of(frame: IntoDataFrame | nw.DataFrame[Any]) -> tuple[str, ...]:
    """Return the names of the columns, as text, and as they go here; see `named.literal`.

    Raises
    ------
    SchemaError
        When `frame` is not a dataframe in memory, or two columns share a name.
    """
    return tuple(_opened(frame)[1])


def columns_of(
    frame: IntoDataFrame | nw.DataFrame[Any], names: Sequence[str] | None = None
) -> dict[str, pl.Series]:
    """Return the columns of a dataframe by name (as `names_of` gives them), all or those in `names`.

    Raises
    ------
    SchemaError
        When `frame` is not a dataframe in memory, two columns share a name, or one holds cells of a kind that
        cannot be read; see `foreign.readable`.
    """
    table, own = _opened(frame)
    wanted = list(own) if names is None else list(names)
    table = readable(table, [own[name] for name in wanted])
    try:
        whole = table.select([own[name] for name in wanted]).to_polars().get_columns()
        return {name: cells.alias(name) for name, cells in zip(wanted, whole, strict=True)}
    except (
        Exception
    ):  # a column of mixed types makes the whole conversion fail, in ways that differ by library
        return {name: _one_column(table.get_column(own[name])).alias(name) for name in wanted}


def _opened(frame: IntoDataFrame | nw.DataFrame[Any]) -> tuple[nw.DataFrame[Any], dict[str, str]]:
    """Return the dataframe through narwhals, and its own column names by their form here, as text."""
    try:
        native = nw.to_native(frame, pass_through=True)
        table = nw.from_native(
            with_literal_names(native) if isinstance(native, pl.DataFrame) else native, eager_only=True
        )
        own = {literal(str(name)): name for name in table.columns}
        width = len(table.columns)
    except (TypeError, ValueError, nw.exceptions.NarwhalsError) as error:
        raise SchemaError(
            f"got {type(frame).__name__}, wanted a dataframe in memory (pandas, polars or pyarrow) with "
            f"distinct column names: {str(error).splitlines()[0]}"
        ) from error
    if len(own) != width:
        raise SchemaError("two columns have the same name when written as text; rename one of them")
    return table, own


def _one_column(series: nw.Series[Any]) -> pl.Series:
    """Convert a column by itself; cells of mixed types become text."""
    try:
        return series.to_polars()
    except Exception:  # as above: pyarrow, pandas and polars each have errors of their own
        return _spelled(series.to_list())


def _spelled(cells: Sequence[Any]) -> pl.Series:
    def spell(cell: Any) -> str | None:
        if cell is None or cell != cell:
            return None
        text = str(cell).lower() if isinstance(cell, bool) else str(cell)
        return text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text

    return pl.Series([spell(cell) for cell in cells], dtype=pl.String)


def text_of(cells: pl.Series) -> pl.Series:
    """Return stripped text, null where a cell is missing or blank; 3.0 and 3 read alike.

    >>> text_of(pl.Series([3.0, 0.5, None])).to_list()
    ['3', '0.5', None]
    """
    kind = cells.dtype
    if kind.is_float():
        whole = cells.is_finite() & (cells == cells.floor()) & (cells.abs() < 2**53)
        as_int = cells.set(~whole.fill_null(False), None).cast(pl.Int64).cast(pl.String)
        return as_int.zip_with(as_int.is_not_null(), cells.fill_nan(None).cast(pl.Float64).cast(pl.String))
    if kind == pl.Binary:
        cells = cells.bin.encode("hex")
    if kind.is_nested() or kind == pl.Object:
        cells = _spelled(cells.to_list())
    text = cells.cast(pl.String).str.strip_chars()
    return text.set(text == "", None)


def numbers_of(cells: pl.Series, notation: Notation | None = None) -> Numbers:
    """Return float64 values, NaN where missing; text is parsed, moments and durations become seconds.

    notation : how text is written; None: as a computer writes numbers. Cells that are numbers already are
        digits without a unit.

    >>> numbers_of(pl.Series(["1.5", "n/a", "abc", "inf"]))
    Numbers(values=array([1.5, nan, nan, nan]), unparsed=1, infinite=1)
    """
    kind, unparsed = cells.dtype, 0
    if kind.is_numeric() or kind == pl.Boolean:
        numbers = cells.cast(pl.Float64)
        if notation is not None and not notation.bare:
            unparsed = int((numbers.is_finite() & (numbers != 0)).sum())
            numbers = numbers.set(numbers != 0, None)
    elif kind in (pl.Datetime, pl.Date):
        numbers = cells.cast(pl.Datetime("us")).to_physical().cast(pl.Float64) / 1e6
    elif kind in (pl.Duration, pl.Time):
        numbers = cells.cast(pl.Duration("us")).to_physical().cast(pl.Float64) / 1e6
    else:
        text = written_of(cells)
        numbers = text.cast(pl.Float64, strict=False) if notation is None else notation.read(text)
        unparsed = numbers.null_count() - text.null_count()
    values = numbers.to_numpy()
    infinite = np.isinf(values)
    count = int(infinite.sum())
    if count:
        values = np.where(infinite, np.nan, values)
    return Numbers(values, unparsed, count)


def written_of(cells: pl.Series) -> pl.Series:
    """Return stripped text, null where a cell is missing, blank or a word such as n/a.

    >>> written_of(pl.Series([" 3 kg", "n/a", ""])).to_list()
    ['3 kg', None, None]
    """
    return _without_missing_words(text_of(cells))


def truths_of(cells: pl.Series) -> tuple[pl.Series, int]:
    """Return truth values (null where missing) and the count of cells that are none.

    >>> truths_of(pl.Series(["Yes", "no", "perhaps"]))[1]
    1
    """
    if cells.dtype == pl.Boolean:
        return cells, 0
    text = written_of(cells)
    words = {**dict.fromkeys((*TRUE_WORDS, "1"), True), **dict.fromkeys((*FALSE_WORDS, "0"), False)}
    truths = text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
    return truths, truths.null_count() - text.null_count()


def _without_missing_words(text: pl.Series) -> pl.Series:
    return text.set(text.str.to_lowercase().is_in(MISSING_WORDS), None)
