"""Python values from JSON or a database as columns of text, which `from_text` then judges."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from outlearn.data.readers.numbers import MISSING

__all__ = ["NESTED", "cell_text", "text_frame", "text_series"]

NESTED = (dict, list, tuple)


def text_frame(columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    """Return the columns as text, with null for what is missing.

    >>> text_frame({"a": [1, "NA", True, {"k": 2.5}]})["a"].to_list()
    ['1', None, 'true', '{"k": 2.5}']
    """
    return pl.DataFrame({name: text_series(name, values) for name, values in columns.items()})


def text_series(name: str, values: Iterable[Any]) -> pl.Series:
    """Return one column as text."""
    return pl.Series(name, [cell_text(value) for value in values], dtype=pl.String)


def cell_text(value: Any) -> str | None:
    """Return one value as text, None for what is missing."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, np.ndarray):
        value = value.tolist()  # whose own text leaves out what is in the middle
    if isinstance(value, set | frozenset):
        value = sorted(map(str, value))
    if isinstance(value, NESTED):
        text = json.dumps(value, default=str)
    elif isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
    else:
        text = str(value)
    if text in MISSING:
        return None
    # A lone surrogate, which JSON can express, is no text that could be stored.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
