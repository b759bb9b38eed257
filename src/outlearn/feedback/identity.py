"""Which row a verdict is about: a hash of its cells, the same wherever the row stands."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import polars as pl

from outlearn.data.named import written

__all__ = ["row_identities"]

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?: ?(?:Z|UTC|\+00:?00))?")
_EXACT = 2**53  # up to which whole numbers are the same as floats


def row_identities(frame: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return (n,) for each row a hash of its cells in these columns, 32 hexadecimal digits.

    It depends neither on the order of rows and columns nor on the other columns, nor on the format that a
    table is written in: 3 and 3.0 are alike, and so are a moment and its text in ISO form. Empty cells count
    as absent, so a column in which all cells are empty changes nothing.

    >>> frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    >>> turned = pl.DataFrame({"b": [None, "x"], "a": [2.0, 1.0]})
    >>> row_identities(frame, ["a", "b"]) == row_identities(turned, ["a", "b"])[::-1]
    True
    """
    names = sorted(columns)
    spelled = [[_spelled(cell) for cell in _cells(frame[name])] for name in names]
    marks = [f"{len(name)}:{name}" for name in map(written, names)]
    return (
        [_hash(marks, row) for row in zip(*spelled, strict=True)] if names else [_hash([], [])] * len(frame)
    )


def _hash(marks: Sequence[str], cells: Sequence[str | None]) -> str:
    digest = blake2b(digest_size=16)
    for mark, cell in zip(marks, cells, strict=True):
        if cell is not None:  # lengths keep "a", "bc" apart from "ab", "c"
            digest.update(f"{mark}{len(cell)}:{cell}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _cells(cells: pl.Series) -> list[Any]:
    """Return cells as Python values; single precision as it is written, moments in UTC."""
    kind = cells.dtype
    if kind == pl.Float32:
        return cells.cast(pl.String).cast(pl.Float64).to_list()
    if kind.is_decimal():
        return cells.cast(pl.Float64).to_list()
    if isinstance(kind, pl.Datetime):
        moments = cells if kind.time_zone is None else cells.dt.convert_time_zone("UTC")
        return moments.dt.replace_time_zone(None).cast(pl.Datetime("us")).to_list()
    return cells.to_list()


def _spelled(cell: Any) -> str | None:
    """Return a cell as text, None where it is empty."""
    if cell is None or cell != cell or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else repr(cell)
    if isinstance(cell, datetime):
        moment = cell.astimezone(UTC).replace(tzinfo=None) if cell.tzinfo else cell
        return _text(moment.isoformat())
    if isinstance(cell, str):
        return _text(cell)
    if isinstance(cell, list):
        return f"[{', '.join(_spelled(item) or 'null' for item in cell)}]"
    return cell.hex() if isinstance(cell, bytes) else str(cell)


def _text(cell: str) -> str | None:
    """Return text without blanks around it; lists and moments as they are spelled where they are typed."""
    text = cell.strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            return _spelled(json.loads(text))
        except (ValueError, RecursionError):
            return text
    moment = _MOMENT.fullmatch(text)
    if moment is None:
        return text or None
    day, time, fraction = moment.groups()
    return f"{day} {time}{f'.{fraction}'.rstrip('0').rstrip('.') if fraction else ''}"
