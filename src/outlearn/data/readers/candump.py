"""Logs of a CAN bus as text, as `candump -L` of can-utils writes them: a frame a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.lines import LINE, open_lines
from outlearn.data.readers.source import Source
from outlearn.errors import ReadError

__all__ = ["FRAME_COLUMNS", "holds_frame_lines", "open_candump"]

FRAME_COLUMNS = ("timestamp", "bus", "can_id", "data", "length")
#: (1436509052.249713) can0 044#2A366C2BBA: classic, CAN FD (## and a digit of flags), or remote (#R). Behind
#: the data may stand the raw length (_9), and whether the frame was received or sent.
CLASSIC = r"(?P<data>[0-9A-Fa-f]{2}(?:\.?[0-9A-Fa-f]{2}){0,7})?(?:_[0-9A-Fa-f])?"
FRAME = (
    r"^\((?P<timestamp>[0-9]{1,15}(?:\.[0-9]{1,9})?)\)\s+(?P<bus>\S{1,64})\s+(?P<id>[0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})"
    rf"(?:##[0-9A-Fa-f](?P<more>(?:[0-9A-Fa-f]{{2}}\.?){{0,64}})|#(?P<remote>R)(?P<asked>[0-9A-Fa-f])?|#{CLASSIC})"
    r"(?:\s+[RT])?$"
)
HIGHEST = 0x1FFFFFFF  # id; above stand error messages of the controller
LOOKED = 100  # lines that show whether a file holds frames


def holds_frame_lines(head: bytes) -> bool:
    """Tell whether a text begins with lines of frames, most of them whole.

    >>> holds_frame_lines(b"(1436509052.249713) can0 044#2A366C2BBA\\n"), holds_frame_lines(b"a,b\\n1,2\\n")
    (True, False)
    """
    lines = head[: LOOKED * 200].decode("utf-8", "replace").lstrip("\ufeff").splitlines()[:LOOKED]
    filled = [line.strip() for line in lines if line.strip()]
    return 2 * sum(re.match(FRAME, line) is not None for line in filled) > len(filled)


def open_candump(name: str, content: FileBytes, encoding: str) -> Source:
    """Open a log of frames as `FRAME_COLUMNS`; lines that hold no frame are left out, with a count.

    Ids are 0x and three hexadecimal digits, or eight of extended frames; data are hexadecimal, null where the
    frame is remote, that is, asks for as many bytes as `length` says.

    Raises
    ------
    ReadError
        When no line holds a frame.
    """
    lines = open_lines(name, content, encoding, ())
    rows = sum(frame.height for frame in _frames(lines, 100_000))
    if not rows:
        raise ReadError(
            f"{name}: no line holds a frame; wanted lines such as (1436509052.249713) can0 044#2A366C2BBA"
        )
    bad = (lines.rows or 0) - rows
    verb = "line holds no frame and is" if bad == 1 else "lines hold no frame and are"
    said = (f"{bad:,} {verb} left out",) if bad else ()
    notes = (*lines.notes, *said)
    return Source(name, FRAME_COLUMNS, lambda size: _frames(lines, size), notes, rows, kind="bus")


def _frames(lines: Source, size: int) -> Iterator[pl.DataFrame]:
    for batch in lines.batches(size):
        frames = _read(batch[LINE])
        if frames.height:
            yield frames


def _read(lines: pl.Series) -> pl.DataFrame:
    """Return the frames among lines."""
    parts = lines.str.extract_groups(FRAME).struct.unnest()
    data = pl.coalesce("data", "more").str.replace_all(".", "", literal=True).fill_null("")
    bytes_ = pl.when(pl.col("remote").is_null()).then(data)
    return parts.filter(pl.col("id").str.to_integer(base=16, strict=False) <= HIGHEST).select(
        pl.col("timestamp").cast(pl.Float64),
        "bus",
        pl.format("0x{}", "id").alias("can_id"),
        bytes_.alias("data"),
        pl.coalesce(bytes_.str.len_chars() // 2, pl.col("asked").str.to_integer(base=16, strict=False))
        .cast(pl.Float64)
        .alias("length"),
    )
