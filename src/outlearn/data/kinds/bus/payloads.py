"""Bytes of frames as an array, how they differ from those before, and which came before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["WIDEST", "Remembered", "bytes_of", "changes", "hex_of"]

WIDEST = 64  # bytes of a frame of CAN FD; classic ones have eight
REMEMBERED = 1 << 18  # payloads that are remembered


def bytes_of(payloads: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return bytes (n, w) of payloads in hexadecimal digits, 0 beyond their end, and sizes (n,), -1: null.

    >>> bytes_of(pl.Series(["0AFF", "01", None]))
    (array([[ 10, 255],
           [  1,   0],
           [  0,   0]], dtype=uint8), array([ 2,  1, -1]))
    """
    sizes = (payloads.str.len_chars().cast(pl.Int64) // 2).fill_null(-1).to_numpy()
    width = int(sizes.max(initial=0))
    whole = "".join(payloads.fill_null("").str.pad_end(2 * width, "0"))
    values = np.frombuffer(bytes.fromhex(whole), dtype=np.uint8).reshape(len(payloads), width)
    return values, sizes


def hex_of(values: NDArray[np.uint8], sizes: NDArray[np.int64]) -> pl.Series:
    """Return bytes (n, w) in hexadecimal digits, of each row as many bytes as its size (n,) says.

    >>> hex_of(np.array([[10, 255], [1, 0]], np.uint8), np.array([2, 1])).to_list()
    ['0AFF', '01']
    """
    width, text = 2 * values.shape[1], values.tobytes().hex().upper()
    ends = (np.arange(len(values)) * width + 2 * sizes).tolist()
    return pl.Series([text[i * width : end] for i, end in enumerate(ends)], dtype=pl.String)


def changes(
    values: NDArray[np.uint8], sizes: NDArray[np.int64], before: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return (n, 3) how many bytes and bits differ from the frame before, and the largest step of a byte.

    Bytes that only one of the two has count as differing; their bits do not. NaN where there is no frame
    before, or one of the two has no payload.

    values : (n, w). sizes : (n,), -1 for none. before : (n,) position of the frame before, -1 for none.
    """
    known = (before >= 0) & (sizes >= 0) & (sizes[before] >= 0)
    here, last = np.flatnonzero(known), before[known]
    place = np.arange(values.shape[1])
    shared = place < np.minimum(sizes[here], sizes[last])[:, None]
    differ = (values[here] ^ values[last]) * shared
    step = np.abs(values[here].astype(np.int16) - values[last]) * shared
    differences = np.full((len(values), 3), np.nan)
    differences[here, 0] = (differ > 0).sum(axis=1) + np.abs(sizes[here] - sizes[last])
    differences[here, 1] = np.bitwise_count(differ).sum(axis=1)
    differences[here, 2] = step.max(axis=1, initial=0)
    return differences


class Remembered:
    """A memory of payloads of ids; of too many, those not seen for longest are forgotten."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, str | None], None] = OrderedDict()

    def seen(self, keys: Iterable[str], payloads: Iterable[str | None]) -> NDArray[np.float64]:
        """Return (n,) 1 where an id's payload came before, else 0, and remember all of them.

        >>> Remembered().seen(["a", "a", "b", "a"], ["00", "01", "00", "00"])
        array([0., 0., 0., 1.])
        """
        known, repeated = self._known, []
        for pair in zip(keys, payloads, strict=True):
            there = pair in known
            repeated.append(there)
            known[pair] = None
            if there:
                known.move_to_end(pair)
            elif len(known) > self._most:
                known.popitem(last=False)
        return np.array(repeated, dtype=np.float64)
