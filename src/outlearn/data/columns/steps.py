"""Steps from one event of a sequence to the next: numbered and counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.events import event_blocks, events_within

__all__ = ["Runs", "Steps", "counted_runs", "numbered", "times", "vocabulary"]

_VOCABULARY = 4096  # events that are kept apart
_RUNS = 1 << 15  # different steps, and different triples, that are remembered

#: Runs of neighbours as numbers in the base of the events, with how often each came, in order of the numbers.
Runs = tuple[tuple[int, int], ...]


class Steps(NamedTuple):
    """Neighbours among the events of c cells, each cell between a start and an end.

    places : (m,) numbers of start, events and end of all cells, one after another.
    again : (m,) whether a place has the event of the one before it, which may be one that was not seen.
    firsts : (c,) where each cell starts. sizes : (c,) how many events it has.
    """

    places: NDArray[np.int64]
    again: NDArray[np.bool_]
    firsts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def runs(self, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the runs of `length` neighbours, (r, length), and where those of each cell start, (c,)."""
        left = self.sizes + 3 - length  # runs of a cell
        starts = np.cumsum(left) - left
        first = np.arange(int(left.sum())) + np.repeat(self.firsts - starts, left)
        return self.places[first[:, None] + np.arange(length)], starts


def vocabulary(filled: pl.Series) -> tuple[tuple[str, ...], tuple[int, ...], int]:
    """Return the most frequent events, how often they came, and how often all others did."""
    counts = [
        events_within(block).explode().alias("event").value_counts(name="count")
        for block in event_blocks(filled)
    ]
    if not counts:
        return (), (), 0
    table = pl.concat(counts).group_by("event").agg(pl.col("count").cast(pl.Int64).sum())
    table = table.sort("count", "event", descending=[True, False])
    kept = table.head(_VOCABULARY)
    rest = int(table["count"].sum()) - int(kept["count"].sum())
    return tuple(kept["event"].to_list()), tuple(kept["count"].to_list()), rest


def numbered(filled: pl.Series, events: tuple[str, ...]) -> Iterator[Steps]:
    """Yield the neighbours in each block of cells, events by their place, any other by that past the last."""
    number = {event: place for place, event in enumerate(events)}
    for block in event_blocks(filled):
        lists = events_within(block)
        flat = lists.explode()
        codes = (
            flat.replace_strict(number, default=len(events), return_dtype=pl.Int64)
            if number
            else flat.len() * [0]
        )
        sizes = lists.list.len().to_numpy().astype(np.int64)
        firsts = np.cumsum(sizes + 2) - (sizes + 2)
        places = np.full(int((sizes + 2).sum()), len(events) + 1, dtype=np.int64)
        places[firsts + sizes + 1] = len(events) + 2
        cell = np.repeat(np.arange(sizes.size), sizes)
        inside = np.arange(cell.size) + 2 * cell + 1
        places[inside] = np.asarray(codes)
        again = np.zeros(places.size, dtype=np.bool_)
        again[inside] = (flat == flat.shift()).fill_null(False).to_numpy() & (cell == np.roll(cell, 1))
        yield Steps(places, again, firsts, sizes)


def counted_runs(filled: pl.Series, events: tuple[str, ...], length: int) -> Runs:
    """Return the most frequent runs of `length` neighbours and how often each came, in order of the runs."""
    counts = [
        pl.Series("run", _keys(steps.runs(length)[0], len(events))).value_counts(name="count")
        for steps in numbered(filled, events)
    ]
    if not counts:
        return ()
    table = pl.concat(counts).group_by("run").agg(pl.col("count").cast(pl.Int64).sum())
    kept = table.sort("count", "run", descending=[True, False]).head(_RUNS).sort("run")
    return tuple(kept.iter_rows())


def _keys(runs: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return a number for each run of neighbours (r, k), below 2**37: (r,)."""
    key = np.zeros(len(runs), dtype=np.int64)
    for column in runs.T:
        key = key * (size + 3) + column
    return key


def times(table: Runs, runs: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return how often each run of neighbours (r, k) came in the fit: (r,)."""
    known = np.array(table, dtype=np.int64).reshape(-1, 2)
    if not known.size:
        return np.zeros(len(runs), dtype=np.int64)
    wanted = _keys(runs, size)
    place = np.searchsorted(known[:, 0], wanted).clip(max=len(known) - 1)
    counts: NDArray[np.int64] = np.where(known[place, 0] == wanted, known[place, 1], 0)
    return counts
