"""A test of whether a file is a table that a view was written to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc, parquet

__all__ = ["holds_written"]

LONGEST = 1 << 16  # bytes of a first line that are looked at


def holds_written(path: Path, columns: Iterable[str]) -> bool:
    """Tell whether a file is a table with these columns, in any of the forms that scored rows are written in.

    Nothing is unpacked: no form of these is packed.
    """
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        first = stream.readline(LONGEST)
    names: Iterable[str]
    if first.startswith(b"PAR1"):
        names = parquet.read_schema(path).names
    elif first.startswith(b"ARROW1"):
        with pa.OSFile(str(path)) as stream:
            names = ipc.open_file(stream).schema.names
    else:  # the head of a CSV, or the first of objects that all have these keys
        names = first.decode("utf-8", "replace")
    return all(name in names for name in columns)
