"""What the user said of rows, as 1 (anomaly), 0 (normal) and -1 (not said)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.errors import LabelError

__all__ = ["parse_labels"]

_WORDS = {
    "": -1,
    **dict.fromkeys(("anomaly", "outlier", "true", "yes"), 1),
    **dict.fromkeys(("normal", "inlier", "false", "no"), 0),
}
_ALLOWED = "1, 0, -1 or empty, or anomaly/normal, outlier/inlier, true/false, yes/no"


def parse_labels(values: pl.Series | Sequence[Any], *, name: str, first_row: int = 0) -> NDArray[np.int8]:
    """Read labels `(n,)`: 1 known anomaly, 0 known normal, -1 unlabelled (empty, missing or -1).

    Parameters
    ----------
    values : (n,) numbers, booleans or text; text in any case, numbers also as text ("1.0").
    name : of the column, for the message.
    first_row : number of the first value in its source, for the message.

    Raises
    ------
    LabelError
        When a value is none of these; names up to five of them with their rows, counted from 0.

    >>> parse_labels(["Anomaly", "0", None, 1.0, "-1"], name="verdict").tolist()
    [1, 0, -1, 1, -1]
    """
    series = values if isinstance(values, pl.Series) else _series(values)
    if series.dtype == pl.Boolean or series.dtype.is_numeric():
        labels = _numbers(series.cast(pl.Float64, strict=False))
    elif series.dtype == pl.Null:
        labels = pl.Series(np.full(len(series), -1, dtype=np.int8))
    else:
        labels = _text(series.cast(pl.String, strict=False).str.strip_chars().str.to_lowercase())
    if labels.null_count():
        raise LabelError(_complaint(series, labels, name, first_row))
    return labels.to_numpy().astype(np.int8)


def _series(values: Sequence[Any]) -> pl.Series:
    """Return values as text, which keeps several types apart, as one column type would not."""
    return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)


def _numbers(numbers: pl.Series) -> pl.Series:
    """Return Int8 labels, null where the number is none."""
    numbers = numbers.fill_nan(None).fill_null(-1.0)
    return numbers.set(~numbers.is_in([-1.0, 0.0, 1.0]), None).cast(pl.Int8)


def _text(words: pl.Series) -> pl.Series:
    """Return Int8 labels, null where the word is none."""
    numbers = words.cast(pl.Float64, strict=False)
    said = words.fill_null("").replace_strict(_WORDS, default=None, return_dtype=pl.Int8)
    return said.zip_with(said.is_not_null() | numbers.is_null(), _numbers(numbers))


def _complaint(series: pl.Series, labels: pl.Series, name: str, first_row: int) -> str:
    rows = labels.is_null().arg_true()
    shown = ", ".join(f"{series[int(row)]!r} (row {first_row + int(row)})" for row in rows.head(5))
    more = f" and {len(rows) - 5:,} more" if len(rows) > 5 else ""
    return f"column '{name}' holds {shown}{more}; allowed labels are {_ALLOWED}"
