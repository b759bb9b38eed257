"""Columns of kinds that one library alone knows, as kinds that all of them know."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from outlearn.errors import SchemaError

__all__ = ["parted", "readable"]


def readable(table: nw.DataFrame[Any], names: Collection[Any] | None = None) -> nw.DataFrame[Any]:
    """Return a dataframe without periods (their start instead), categories that are no text, and the like.

    names : of the columns that are wanted; others stay as they are. None: all.

    Raises
    ------
    SchemaError
        For a column of intervals or of complex numbers, by its name.

    >>> import pandas as pd
    >>> months = pd.DataFrame({"month": pd.period_range("2024-01", periods=2, freq="M")})
    >>> readable(nw.from_native(months))["month"].to_list()[1]
    Timestamp('2024-02-01 00:00:00')
    """
    native = table.to_native()
    names = None if names is None else set(names)
    if nw.dependencies.is_pandas_dataframe(native):
        return nw.from_native(_of_pandas(native, names), eager_only=True)
    if nw.dependencies.is_pyarrow_table(native):
        return nw.from_native(_of_arrow(native), eager_only=True)
    return table


def parted(native: Any) -> tuple[Any, tuple[str, ...]]:
    """Part columns of a pandas dataframe that hold two numbers a cell; returns it with a note on them.

    Intervals become their left and right end, complex numbers their real and imaginary part.
    """
    pd = nw.dependencies.get_pandas()
    parts: dict[Any, tuple[str, str]] = {}
    for name, dtype in native.dtypes.items() if pd is not None else ():
        if isinstance(dtype, pd.IntervalDtype):
            parts[name] = ("left", "right")
        elif getattr(dtype, "kind", "") == "c":
            parts[name] = ("real", "imag")
    if not parts:
        return native, ()
    columns: dict[Any, Any] = {}
    for name in native.columns:
        cells = native[name]
        whole = cells.array if isinstance(cells.dtype, pd.IntervalDtype) else cells.to_numpy()
        columns |= {f"{name}.{part}": getattr(whole, part) for part in parts.get(name, ())} or {name: cells}
    listed = ", ".join(f"'{name}' in {' and '.join(ends)}" for name, ends in parts.items())
    return pd.DataFrame(columns, index=native.index), (
        f"columns of two numbers a cell were parted: {listed}",
    )


def _of_pandas(native: Any, names: Collection[Any] | None) -> Any:
    changed = {}
    for place, (name, dtype) in enumerate(native.dtypes.items()):
        wanted = names is None or name in names
        cells = _pandas_cells(native.iloc[:, place], name, dtype) if wanted else None
        if cells is not None:
            changed[place] = cells
    if changed:
        native = native.copy(deep=False)
        for place, cells in changed.items():
            native.isetitem(place, cells)
    return native


def _pandas_cells(cells: Any, name: Any, dtype: Any) -> Any:
    """Return the cells of a column in another kind, or None where they may stay as they are."""
    pd = nw.dependencies.get_pandas()
    if isinstance(dtype, pd.CategoricalDtype):
        return _categories(cells, dtype.categories.dtype)
    if isinstance(dtype, pd.PeriodDtype):
        return cells.dt.start_time
    if getattr(dtype, "kind", "") == "O" and isinstance(dtype, np.dtype):
        filled = cells.dropna()
        first = filled.iloc[0] if len(filled) else None
        if isinstance(first, pd.Period):
            return cells.map(_start, na_action="ignore")
        kind = pd.IntervalDtype if isinstance(first, pd.Interval) else type(first)
    else:
        kind = type(dtype) if not isinstance(dtype, np.dtype) else dtype.type
    if kind is pd.IntervalDtype:
        raise SchemaError(
            f"column {str(name)!r} holds intervals; give their ends (.left, .right) as columns of their own"
        )
    if issubclass(kind, complex | np.complexfloating):
        raise SchemaError(
            f"column {str(name)!r} holds complex numbers; give their parts (.real, .imag) as columns of "
            "their own"
        )
    if issubclass(kind, np.longdouble):
        return cells.astype(np.float64)
    return None


def _start(period: Any) -> Any:
    return getattr(period, "start_time", period)


def _categories(cells: Any, of: Any) -> Any:
    """Return categories as text: that they are categories is what the user says of numbers and intervals."""
    pd = nw.dependencies.get_pandas()
    if isinstance(of, pd.StringDtype) or getattr(of, "kind", "O") in "bmM":
        return None
    names = np.array([*map(str, cells.cat.categories), None], dtype=object)
    return pd.Series(pd.Categorical(names[cells.cat.codes.to_numpy()]), index=cells.index)


def _of_arrow(native: pa.Table) -> pa.Table:
    """Return the table with decimals of 256 bits as numbers, on which others end the process."""
    for place, field in enumerate(native.schema):
        if pa.types.is_decimal256(field.type):
            native = native.set_column(place, field.name, native.column(place).cast(pa.float64(), safe=False))
    return native
