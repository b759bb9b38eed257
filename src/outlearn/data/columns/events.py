"""Cells that are sequences of events: how they are recognised and read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.cells import text_of

__all__ = ["count_events", "event_blocks", "events_of", "events_within", "holds_events", "lists_of_text"]

_EVENTS_READ = 5_000  # events of a cell that are read
_CHARACTERS = 1 << 20  # of a cell that are read
_LONGEST = 100  # characters of an event
_BLOCK_BYTES = 1 << 23  # bytes of cells at a time, which bounds the memory
_LOOKED = 5_000  # different cells that decide whether a column holds events
_FEWEST = 4  # events that half of the cells hold at least
_SEVERAL = 0.9  # share of cells of more than one event
_AGAIN = 0.2  # share of events that the same cell held before
_OFTEN = 20  # times that an event comes on average
_LISTS = 0.95  # share of filled cells of text that must be lists
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_LIST = rf"^\[(?:{_QUOTED}(?:\s*,\s*{_QUOTED})*)?\]$"
_PROSE = r"[.,;:!?]$"  # how words of a sentence end


def events_of(cells: pl.Series) -> pl.Series:
    """Return events separated by blanks, null where a cell is missing or holds none; lists are joined.

    Lists may be text too, as in JSON: ``["open", "read"]``.

    >>> events_of(pl.Series([["open", "read it"], [], None])).to_list()
    ['open read_it', None, None]
    >>> events_of(pl.Series(["open close", '["read", "close"]'])).to_list()
    ['open close', 'read close']
    """
    if isinstance(cells.dtype, pl.Array):
        cells = cells.arr.to_list()
    if isinstance(cells.dtype, pl.List) and not cells.dtype.inner.is_nested():
        return _joined(cells.list.eval(pl.element().cast(pl.String)))
    text = text_of(cells)
    listed = text.str.contains(_LIST).fill_null(False)
    if not listed.any():
        return text
    return _joined(text.str.extract_all(_QUOTED).list.eval(pl.element().str.slice(1).str.head(-1))).zip_with(
        listed, text
    )


def lists_of_text(cells: pl.Series) -> bool:
    """Tell whether cells are lists of text, typed so or as in JSON.

    >>> lists_of_text(pl.Series([["a"]])), lists_of_text(pl.Series(['["a", "b"]']))
    (True, True)
    >>> lists_of_text(pl.Series(["a b"]))
    False
    """
    if cells.dtype == pl.List(pl.String):
        return True
    if cells.dtype != pl.String:
        return False
    filled = text_of(cells).drop_nulls()
    return bool(filled.len()) and int(filled.str.contains(_LIST).sum()) >= _LISTS * filled.len()


def _joined(lists: pl.Series) -> pl.Series:
    event = pl.element().str.strip_chars().str.replace_all(r"\s+", "_")
    return text_of(lists.list.eval(event).list.join(" ", ignore_nulls=True))


def count_events(text: pl.Series) -> NDArray[np.int64]:
    """Return the number of events of each cell of `events_of` without missing ones, (n,)."""
    return text.str.count_matches(r"\S+").to_numpy().astype(np.int64)


def events_within(text: pl.Series) -> pl.Series:
    """Return lists of the first 5,000 events of each cell, (n,); of each event its first 100 characters."""
    lists = text.str.slice(0, _CHARACTERS).str.extract_all(r"\S+").list.head(_EVENTS_READ)
    if int(text.str.len_bytes().max() or 0) > _LONGEST:  # type: ignore[arg-type]
        return lists.list.eval(pl.element().str.slice(0, _LONGEST))
    return lists


def event_blocks(text: pl.Series) -> Iterator[pl.Series]:
    """Yield filled cells in pieces of about 8 MB, in order."""
    if not text.len():
        return
    sizes = np.minimum(text.str.len_bytes().to_numpy(), _CHARACTERS).astype(np.int64)
    piece = np.cumsum(sizes) // _BLOCK_BYTES
    starts = np.flatnonzero(np.diff(piece, prepend=-1))
    for start, stop in zip(starts, np.append(starts[1:], text.len()), strict=True):
        yield text.slice(int(start), int(stop - start))


def holds_events(filled: pl.Series) -> bool:
    """Tell whether text without missing cells reads as events: few words that come again and again.

    Looked at are 5,000 different cells. Nine in ten hold more than one word, half of them four or more; a
    word comes 20 times on average, and one in five stood in its cell before: names, sentences, addresses and
    lists of codes repeat less. Words seldom end as sentences do. Cells of numbers, all as many, are vectors.

    >>> calls = ["open" + " read" * (i % 9) + " write" * (i // 9) + " close" for i in range(99)]
    >>> holds_events(pl.Series(calls)), holds_events(pl.Series(["New York, New York", "Baden Baden"] * 50))
    (True, False)
    """
    if not filled.str.contains(r"\S\s+\S").any():
        return False
    words = events_within(filled.unique().sort()[:_LOOKED])
    size, flat = words.list.len(), words.explode()
    again = flat.len() - int(words.list.n_unique().sum())
    several, many = int((size > 1).sum()), int((size >= _FEWEST).sum())
    if several < _SEVERAL * size.len() or many < 0.5 * size.len() or again < _AGAIN * flat.len():
        return False
    if flat.n_unique() * _OFTEN > flat.len() or int(flat.str.contains(_PROSE).sum()) > 0.01 * flat.len():
        return False
    return size.n_unique() > 1 or flat.cast(pl.Float64, strict=False).null_count() > 0
