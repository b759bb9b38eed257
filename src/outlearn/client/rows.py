"""Rows as they are sent: a file, bytes, or a dataframe as an Arrow stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from outlearn.errors import ReadError

__all__ = ["Sent", "form_of"]

#: A path, bytes of a file, or a dataframe of polars, pandas or pyarrow.
Sent = Any
ARROW = "application/vnd.apache.arrow.stream"
OCTETS = "application/octet-stream"  # which leaves it to the content


def form_of(rows: Sent, name: str | None, media: str, stack: ExitStack) -> Callable[[], Mapping[str, Any]]:
    """Return what opens the form of rows, for each time that they are sent.

    name : what they are called; None: as the file is, or "rows". media : their type; "": as the content
    tells. stack : closes what was opened.

    Raises
    ------
    ReadError
        When there is no such file.
    """
    if isinstance(rows, bytes | bytearray):
        content = bytes(rows)
        return lambda: {"file": (name or "rows", content, media or OCTETS)}
    if isinstance(rows, str | Path):
        path = Path(rows)
        if not path.is_file():
            raise ReadError(f"{path} is no file that can be sent")
        return lambda: {"file": (name or path.name, stack.enter_context(path.open("rb")), media or OCTETS)}
    frame = _arrow(rows)
    return lambda: {"file": (name or "rows", frame, ARROW)}


def _arrow(rows: Any) -> bytes:
    import narwhals as nw
    import pyarrow as pa

    table = rows if isinstance(rows, pa.Table) else nw.from_native(rows, eager_only=True).to_arrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
