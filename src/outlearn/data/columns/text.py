"""Free text: how long, made of what, and how rare its pieces are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import plain
from outlearn.data.columns.base import Repairs, with_indicator
from outlearn.data.columns.cells import text_of
from outlearn.data.columns.numeric import lower_median

__all__ = ["TextEncoder"]

_FEATURES = ("length", "digits", "capitals", "punctuation", "rarity")
_BUCKETS = 4096  # of hashes of trigrams
_CHARACTERS_READ = 2_000  # characters of a cell that are read; its length counts in full
_BLOCK_CELLS = 8_192  # cells at a time, which bounds the memory
_SMOOTHING = 0.5  # added to the count of each bucket
_MULTIPLIER = np.uint32(
    0x9E3779B1
)  # 2**32 over the golden ratio, odd: Fibonacci hashing (Knuth, vol. 3, 6.4)


class _Block(NamedTuple):
    """Bytes of b cells between marks (two before, one after), (s,), and where each cell starts, (b,)."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """Encodes log(1 + characters), shares of digits, capitals and punctuation, and mean rarity of trigrams.

    table : (4096,) how often each hash of three neighbouring bytes (lower case, digits alike) occurred in the
    fit.
    usual : lower medians of the five values, which stand for a missing cell.

    The rarity of a trigram is ``-log`` of its smoothed share, in nats. Shares and trigrams are those of the
    first 2,000 characters. The hash is plain arithmetic: the same on every machine and in every process.
    """

    name: str
    table: tuple[int, ...]
    usual: tuple[float, ...]
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        features = (*_FEATURES, "is missing") if self.indicator else _FEATURES
        return tuple(f"{self.name} {feature}" for feature in features)

    @classmethod
    def fit(cls, name: str, cells: pl.Series) -> TextEncoder:
        """Learn from a column of the table."""
        text = text_of(cells)
        filled = text.drop_nulls()
        table = np.zeros(_BUCKETS, dtype=np.int64)
        for block in _blocks(filled):
            table += np.bincount(_trigrams(block), minlength=_BUCKETS + 1)[:_BUCKETS]
        described = _describe(filled, table)
        usual = tuple(lower_median(column) for column in described.T)
        return cls(name, tuple(table.tolist()), usual, filled.len() < text.len())

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return (n, 5 or 6) and what was repaired."""
        text = text_of(cells)
        missing = text.is_null().to_numpy()
        values = np.empty((text.len(), len(self.usual)), dtype=np.float32)
        values[missing] = self.usual
        values[~missing] = _describe(text.drop_nulls(), np.asarray(self.table, dtype=np.int64))
        unexpected = 0 if self.indicator else int(missing.sum())
        return with_indicator(values, missing, self.indicator), Repairs(missing=unexpected)

    def to_state(self) -> dict[str, Any]:
        return {**asdict(self), "table": list(self.table), "usual": list(self.usual)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TextEncoder:
        table, usual = plain.wholes(state, "table"), plain.reals(state, "usual")
        if (len(table), len(usual)) != (_BUCKETS, len(_FEATURES)) or sum(table) > plain.LARGEST:
            raise ValueError(f"a text has {len(table)} counts of trigrams and {len(usual)} usual values")
        return cls(plain.text(state, "name"), table, usual, plain.flag(state, "indicator"))


def _blocks(filled: pl.Series) -> Iterator[_Block]:
    for start in range(0, filled.len(), _BLOCK_CELLS):
        cells = filled.slice(start, _BLOCK_CELLS)
        marked = "\x02\x02" + cells.str.slice(0, _CHARACTERS_READ) + "\x03"
        sizes = marked.str.len_bytes().to_numpy().astype(np.int64)
        data = np.frombuffer("".join(marked.to_list()).encode(), dtype=np.uint8)
        yield _Block(data, np.cumsum(sizes) - sizes)


@cache
def _byte_classes() -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return for each byte whether it is digit, capital, punctuation (3, 256), and its folded form (256,)."""
    characters = [chr(code) for code in range(128)]
    classes = np.zeros((3, 256), dtype=np.int64)
    classes[0, :128] = [c.isdigit() for c in characters]
    classes[1, :128] = [c.isupper() for c in characters]
    classes[2, :128] = [c.isprintable() and not c.isalnum() and c != " " for c in characters]
    folded = np.arange(256, dtype=np.uint8)
    folded[:128] = [ord("0" if c.isdigit() else c.lower()) for c in characters]
    return classes, folded


def _trigrams(block: _Block) -> NDArray[np.int64]:
    """Return the bucket of the three bytes from each place on: (s,).

    The last two places of a cell, from where a trigram would reach into the next cell, get the bucket past
    the end.
    """
    byte = _byte_classes()[1][block.data].astype(np.uint32)
    buckets = np.full(byte.size, _BUCKETS, dtype=np.int64)
    packed = byte[:-2] | byte[1:-1] << np.uint32(8) | byte[2:] << np.uint32(16)
    buckets[:-2] = packed * _MULTIPLIER >> np.uint32(20)
    ends = np.append(block.starts[1:], byte.size)
    buckets[ends - 1] = buckets[ends - 2] = _BUCKETS
    return buckets


def _describe(filled: pl.Series, table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the five values of each filled cell: (n, 5)."""
    share = (table + _SMOOTHING) / (table.sum() + _SMOOTHING * _BUCKETS)
    # Fixed point: sums of integers do not depend on what stands around them.
    rarity = np.append(np.rint(-np.log(share) * 2**16), 0).astype(np.int64)
    characters = filled.str.len_chars().to_numpy().astype(np.float64)
    described = np.zeros((filled.len(), 5))
    described[:, 0] = np.log1p(characters)
    for number, block in enumerate(_blocks(filled)):
        rows = slice(number * _BLOCK_CELLS, number * _BLOCK_CELLS + block.starts.size)
        sizes = np.diff(block.starts, append=block.data.size)
        for place, counted in enumerate(_byte_classes()[0], start=1):
            described[rows, place] = np.add.reduceat(counted[block.data], block.starts) / (sizes - 3)
        described[rows, 4] = np.add.reduceat(rarity[_trigrams(block)], block.starts) / (sizes - 2) / 2**16
    return described
