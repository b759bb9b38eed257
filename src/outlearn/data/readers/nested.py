"""Objects within objects, as JSON has them, become columns: ``{"a": {"b": 1}}`` is a column ``a.b``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import polars as pl

from outlearn.data.named import literal
from outlearn.data.readers.limits import BLOCK_CELLS, check_columns_of_rows
from outlearn.data.readers.records import NESTED, cell_text
from outlearn.data.readers.source import BATCH_ROWS

__all__ = ["DEPTH", "Layout", "Nesting", "Unfolded", "storable"]

DEPTH = 2  # levels of objects below a row that become columns
MOST_KEYS = 200  # different keys of an object, beyond which they are values rather than names of columns
LISTED = 8  # names that a note shows
SHARED = 0.5  # share of the rows that an average key of such an object is in, from which on it is none

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows unfold, as the first of them show.

    objects : those that become columns. maps : objects of so many different keys that they stay JSON text.
    counted : lists of objects, of which only the length is kept.
    """

    objects: frozenset[str] = frozenset()
    maps: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()

    @classmethod
    def of(cls, records: Iterable[Record]) -> Self:
        keys: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        seen: dict[str, int] = defaultdict(int)
        counted: set[str] = set()

        def look(record: Record, above: str, depth: int) -> None:
            for key, value in record.items():
                name = above + storable(key)
                if isinstance(value, dict) and depth < DEPTH:
                    seen[name] += 1
                    for inner in value:
                        keys[name][inner] += 1
                    look(value, f"{name}.", depth + 1)
                elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
                    counted.add(name)

        for record in records:
            look(record, "", 0)
        maps = frozenset(
            name
            for name, counts in keys.items()
            if len(counts) > MOST_KEYS and sum(counts.values()) < SHARED * len(counts) * seen[name]
        )
        return cls(frozenset(seen) - maps, maps, frozenset(counted))


@dataclass(slots=True)
class Nesting:
    """What nested values became.

    objects : columns that came from objects. texts : columns in which nested values became JSON text.
    counted : lists of objects.
    """

    objects: dict[str, None] = field(default_factory=dict)
    texts: dict[str, None] = field(default_factory=dict)
    counted: dict[str, None] = field(default_factory=dict)

    def notes(self) -> tuple[str, ...]:
        """Return sentences on it."""
        said = {
            "objects within objects became columns": self.objects,
            "lists of objects were counted, and what is in them was left out": self.counted,
            "nested values became JSON text": self.texts,
        }
        return tuple(f"{words}: {_named(names)}" for words, names in said.items() if names)


@dataclass(slots=True)
class _Block:
    """Rows as columns of the cells that are filled: where they stand, and what is in them."""

    rows: int = 0
    columns: dict[str, tuple[list[int], list[str | None]]] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        return self.rows >= BATCH_ROWS or self.rows * len(self.columns) >= BLOCK_CELLS

    def add(self, name: str, cell: str | None) -> None:
        """Fill a cell of the last row."""
        places, cells = self.columns.setdefault(name, ([], []))
        places.append(self.rows - 1)
        cells.append(cell)

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame([self._column(name) for name in self.columns])

    def _column(self, name: str) -> pl.Series:
        places, cells = self.columns[name]
        if len(places) < self.rows:
            whole: list[str | None] = [None] * self.rows
            for place, cell in zip(places, cells, strict=True):
                whole[place] = cell
            cells = whole
        return pl.Series(name, cells, dtype=pl.String)


@dataclass(slots=True)
class Unfolded:
    """Frames of rows by one layout, and what was met on the way.

    name : of the source, for messages. columns, rows, filled : what was met, and how many cells it filled.
    """

    name: str
    layout: Layout
    nesting: Nesting = field(default_factory=Nesting)
    columns: set[str] = field(default_factory=set)
    rows: int = 0
    filled: int = 0

    def frames(self, records: Iterable[Record]) -> Iterator[pl.DataFrame]:
        """Yield rows as columns of text; keys are columns in the order in which they appear.

        Raises
        ------
        ReadError
            When there are too many columns, or keys are values; see `limits`.
        """
        block = _Block()
        for record in records:
            if block.full:
                yield block.frame()
                block = _Block()
            self._add(record, block)
        if block.rows:
            yield block.frame()

    def frame(self, records: Iterable[Record]) -> pl.DataFrame:
        """Return rows as one frame of columns of text."""
        block = _Block()
        for record in records:
            self._add(record, block)
        return block.frame()

    def notes(self) -> tuple[str, ...]:
        return self.nesting.notes()

    def _add(self, record: Record, block: _Block) -> None:
        block.rows += 1
        row = self._row(record)
        for name, value in row.items():
            if isinstance(value, NESTED):
                self.nesting.texts[name] = None
            block.add(name, cell_text(value))
        self.columns.update(row)
        self.rows += 1
        self.filled += len(row)
        check_columns_of_rows(self.name, len(self.columns), self.rows, self.filled)

    def _row(self, record: Record) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name, value in self._cells(record, "", 0):
            free = literal(name)
            while free in row:  # where a key is written as another within an object
                free += "_2"
            row[free] = value
        return row

    def _cells(self, record: Record, above: str, depth: int) -> Iterator[tuple[str, Any]]:
        for key, value in record.items():
            name = above + storable(key)
            if isinstance(value, dict) and depth < DEPTH and name not in self.layout.maps:
                for inner in self._cells(value, f"{name}.", depth + 1):
                    self.nesting.objects[inner[0]] = None
                    yield inner
            elif isinstance(value, list) and name in self.layout.counted:
                self.nesting.counted[name] = None
                yield f"{name}.count", len(value)
            elif value is not None or not (name in self.layout.objects or name in self.layout.counted):
                yield name, value


def storable(key: str) -> str:
    """Return the key as a column name: JSON allows an empty one and halves of characters."""
    return key.encode("utf-8", "replace").decode("utf-8") or "(no name)"


def _named(names: Sequence[str] | Mapping[str, None]) -> str:
    listed = list(names)
    more = f" and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
    return ", ".join(map(repr, listed[:LISTED])) + more
