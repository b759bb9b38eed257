"""Captures of packets (pcap, pcapng) as tables of flows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import polars as pl

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.flow_assembly import RECORD, flows
from outlearn.data.readers.packets import CaptureCounts, packets
from outlearn.data.readers.source import Source
from outlearn.errors import ReadError

__all__ = ["open_capture"]

KEPT = 200_000  # flows that are kept from the first reading
DTYPES: dict[type, type[pl.DataType]] = {str: pl.String, int: pl.Int64, float: pl.Float64}
SCHEMA = {name: DTYPES[kind] for name, kind in RECORD.items()}


def open_capture(name: str, content: FileBytes, notes: tuple[str, ...]) -> Source:
    """Open a capture; its rows are flows, in the order in which they end.

    The capture is read once to count what it holds, and again on each walk where it has many flows; memory
    is bounded by the flows that are open at once.

    Raises
    ------
    ReadError
        When it is damaged from the first, of another kind of network, or holds no packet with IP or ARP.
    """
    tally = CaptureCounts()
    kept: list[pl.DataFrame] = []
    rows = 0
    for frame in _frames(name, content, tally, KEPT):
        rows += frame.height
        kept = [*kept, frame] if rows <= KEPT else []
    if not rows:
        faults = "; ".join(tally.words())
        raise ReadError(f"{name}: no packet with IP or ARP in this capture{f' ({faults})' if faults else ''}")
    whole = pl.concat(kept) if rows <= KEPT else None

    def batches(size: int) -> Iterator[pl.DataFrame]:
        return _frames(name, content, CaptureCounts(), size) if whole is None else whole.iter_slices(size)

    said = f"{tally.read:,} packets make {rows:,} flows"
    return Source(name, tuple(SCHEMA), batches, (*notes, said, *tally.words()), rows, kind="flows")


def _frames(name: str, content: FileBytes, tally: CaptureCounts, size: int) -> Iterator[pl.DataFrame]:
    with content.open() as stream:
        records = flows(packets(name, stream, tally))
        while rows := list(islice(records, size)):
            yield pl.DataFrame(rows, schema=SCHEMA, orient="row")
