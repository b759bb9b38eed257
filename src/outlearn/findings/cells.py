"""Cells of a table in JSON: types that it lacks are objects of one key, which begins with a dollar sign."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from outlearn.errors import ReadError

__all__ = ["cell_in", "cell_out"]

#: Key → type, how it is written and how it is read; the first type that fits is taken.
_TYPES: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "$datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "$date": (date, date.isoformat, date.fromisoformat),
    "$time": (time, time.isoformat, time.fromisoformat),
    "$seconds": (timedelta, timedelta.total_seconds, lambda seconds: timedelta(seconds=seconds)),
    "$decimal": (Decimal, str, Decimal),
    "$bytes": (
        bytes,
        lambda value: base64.b64encode(value).decode("ascii"),
        lambda text: base64.b64decode(text, validate=True),
    ),
}


def cell_out(value: Any) -> Any:
    """Return a cell as JSON has it. A value of another type becomes its text, marked as ``{"$text": …}``.

    >>> cell_out(date(2026, 1, 31)), cell_out(math.nan), cell_out([1, None])
    ({'$date': '2026-01-31'}, {'$number': 'nan'}, [1, None])
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$number": str(value)}
    if isinstance(value, list | tuple):
        return [cell_out(item) for item in value]
    if isinstance(value, dict):
        return {"$fields": [[str(key), cell_out(item)] for key, item in value.items()]}
    for key, (of, write, _) in _TYPES.items():
        if isinstance(value, of):
            return {key: write(value)}
    return {"$text": str(value)}


def cell_in(value: Any) -> Any:
    """Return the cell that `cell_out` wrote.

    Raises
    ------
    ReadError
        When it did not.
    """
    if isinstance(value, list):
        return [cell_in(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, written),) = value.items()
        if key == "$number" and written in ("nan", "inf", "-inf"):
            return float(written)
        if key == "$text":
            return str(written)
        if key == "$fields":
            return {str(name): cell_in(item) for name, item in written}
        if key in _TYPES:
            return _TYPES[key][2](written)
    raise ReadError(
        f"no cell of a table: {str(value)[:60]}; wanted a value or an object such as {{'$date': …}}"
    )
