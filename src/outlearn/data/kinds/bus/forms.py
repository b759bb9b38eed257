"""Frames of a CAN bus under one set of names, whoever wrote the table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from outlearn.data.kinds.bus.payloads import WIDEST
from outlearn.data.kinds.clocks import clock_of

__all__ = ["FrameForm", "frame_columns", "holds_frames"]

NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "time": ("timestamp", "time", "ts", "t", "time_stamp", "seconds", "datetime", "date_time"),
        "id": (
            *("can_id", "canid", "arbitration_id", "arbitrationid", "arb_id", "message_id", "msg_id"),
            *("frame_id", "identifier", "id"),
        ),
        "length": ("dlc", "length", "len", "data_length", "payload_length"),
        "payload": ("data", "payload", "data_hex", "payload_hex", "data_bytes", "bytes", "data_field"),
        "bus": ("bus", "interface", "channel", "iface"),
        "extended": ("is_extended_id", "extended", "extended_id", "is_extended", "ide"),
    }
)
"""The names that each column of a frame goes by.

Lower case, with _ for all that is no letter or digit.
"""
BYTE = r"(?:byte|data|d|b)_?(\d{1,2})"
FILLED = r"^0\d"  # of a number that is filled up with zeros
FEWEST_BYTES = 4  # columns of bytes that make a payload


@dataclass(frozen=True, slots=True)
class FrameForm:
    """How the columns of a table are read as frames.

    there : the name in the table of each column of `NAMES` that it has.
    cells : columns of bytes, in their order.
    clock : how times are read, of `clocks.clock_of`.
    id_base, byte_base : 16 where numbers written as text are hexadecimal, else 10.
    """

    there: Mapping[str, str]
    cells: tuple[str, ...]
    clock: str
    id_base: int
    byte_base: int

    @classmethod
    def of(cls, head: pl.DataFrame) -> FrameForm:
        """Return the form that the first rows of a table that holds frames show."""
        there, cells = frame_columns(head.columns)
        clock = clock_of(head[there["time"]]) if "time" in there else "none"
        return cls(
            there,
            cells,
            clock,
            _base([head[there["id"]]], FILLED),
            _base([head[name] for name in cells], f"{FILLED}$"),
        )

    @property
    def used(self) -> tuple[str, ...]:
        return (*self.there.values(), *self.cells)

    def words(self) -> str:
        """Say what is read as what."""
        phrases = [f"{ours} is {theirs}" for ours, theirs in self.there.items()]
        phrases[list(self.there).index("id")] += " (hexadecimal)" if self.id_base == 16 else " (decimal)"
        if self.cells:
            phrases.append(f"bytes are {self.cells[0]} to {self.cells[-1]}")
        return ", ".join(phrases)


def frame_columns(columns: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the name of the column of each field of a frame that is there, and the columns of single bytes.

    >>> frame_columns(["Timestamp", "ID", "DLC", "data[0]", "data[1]", "note"])
    ({'time': 'Timestamp', 'id': 'ID', 'length': 'DLC'}, ('data[0]', 'data[1]'))
    """
    plain = {re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"): name for name in reversed(columns)}
    there = {}
    for ours, theirs in NAMES.items():
        name = next((plain[key] for key in theirs if key in plain), None)
        if name is not None:
            there[ours] = name
    numbered = [(int(match[1]), name) for key, name in plain.items() if (match := re.fullmatch(BYTE, key))]
    cells = tuple(name for _, name in sorted(numbered)[:WIDEST] if name not in there.values())
    return there, cells


def holds_frames(columns: Sequence[str]) -> bool:
    """Tell whether a table with these columns may hold frames: an id, and a payload or four bytes of it.

    >>> holds_frames(["ts", "can_id", "payload"]), holds_frames(["ts", "id", "d0", "d1"])
    (True, False)
    """
    there, cells = frame_columns(columns)
    return "id" in there and ("payload" in there or len(cells) >= FEWEST_BYTES)


def _base(columns: Sequence[pl.Series], filled: str) -> int:
    """Return 16 where text is hexadecimal: by a letter, 0x, or zeros that fill it up, as `filled` says."""
    texts = [values.drop_nulls().str.strip_chars() for values in columns if values.dtype == pl.String]
    if not texts or not sum(map(len, texts)):
        return 10
    text = pl.concat([values.alias("text") for values in texts])
    hexadecimal = text.str.contains(rf"^0[xX]|[a-fA-F]|{filled}")
    return 16 if bool(hexadecimal.any()) else 10
