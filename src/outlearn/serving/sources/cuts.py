"""Where the rows of a text end, so that it can be read piece by piece."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

__all__ = ["row_ends"]

_NEWLINE = ord("\n")


def row_ends(data: bytes, separator: str | None) -> NDArray[np.int64]:
    """Return the places behind the end of each row of a text that begins with one.

    separator : of the fields of a delimited text, in which quotes keep ends of lines within a field; None:
        each line is a row.

    >>> row_ends(b'1,a\\n2,"b\\nc"\\n3', ",").tolist()
    [4, 12]
    """
    if separator is not None and b'"' in data:
        data = _quoted(separator).sub(lambda match: b"x" * len(match[0]), data)
    return np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE).astype(np.int64) + 1


def _quoted(separator: str) -> re.Pattern[bytes]:
    """Return what finds fields in quotes, closed or not yet; a quote within a field is a sign like any."""
    sign = re.escape(separator.encode())
    return re.compile(rb"(?:(?<=[\n\r])|(?<=" + sign + rb')|\A)"(?:[^"]|"")*+(?:"|\Z)')
