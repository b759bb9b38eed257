"""New rows of a query: those at or above the last value of its watermark that were not read before."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from outlearn.data.kinds.names import TABLE
from outlearn.data.readers import ReadOptions, Source
from outlearn.data.readers.records import cell_text, text_frame
from outlearn.data.readers.sql import RowOrder, rows_in_order
from outlearn.data.readers.text import from_text
from outlearn.data.schema import unknown_column
from outlearn.errors import ReadError
from outlearn.serving.sources.batch import Place, SourceBatch, bounded, runs_of
from outlearn.serving.sources.look import Look, rows_within

__all__ = ["PART", "query_batches", "query_options", "text_source"]

PART = "query"
MOST_EQUAL = 100_000  # rows of one value of a watermark that are told apart

Row = tuple[Any, ...]


@dataclass(slots=True)
class _Progress:
    """How far a query was read.

    value : of the watermark in the last row that was read. equal : digests of the rows with that value.
    rows : that were read in all. columns : of the query then.
    """

    value: Any = None
    equal: list[str] = field(default_factory=list)
    rows: int = 0
    columns: tuple[str, ...] = ()

    def to_state(self, database: str, watermark: str) -> dict[str, Any]:
        if len(self.equal) > MOST_EQUAL:
            raise ReadError(
                f"more than {MOST_EQUAL:,} rows have one value of the watermark {watermark!r}; wanted a "
                "column that tells rows apart, such as a number that counts up"
            )
        return {
            "database": database,
            "watermark": watermark,
            "value": _written(self.value, watermark),
            "equal": list(self.equal),
            "rows": self.rows,
            "columns": list(self.columns),
        }


def query_batches(look: Look) -> Iterator[SourceBatch]:
    """Yield the rows of the query of a job that nobody judged yet, in the order of its watermark.

    Rows without a value of the watermark cannot be told from those that were read; they are told of.

    Raises
    ------
    ReadError
        When the database refuses, or the watermark is none.
    """
    spec = look.spec.source
    assert spec.database is not None
    assert spec.watermark is not None
    before = _progress_of(look)
    url = look.settings.database(spec.database)
    reader = _Reader(look, spec.database, spec.watermark, before)
    order = RowOrder(spec.watermark, before.value)
    came = False
    for columns, rows in rows_in_order(url, query_options(look), order):
        came = True
        yield from reader.batches(columns, rows)
    yield from reader.rest()
    if before.value is not None and not came:
        look.tell(
            f"no row of the query has the watermark {cell_text(before.value)} or above any more: if its "
            "table was filled anew, remove the job and add it again"
        )
    if before.value is not None and next(rows_in_order(url, query_options(look), _missing(order)), None):
        reader.missing += 1
    if reader.missing:
        look.tell(f"rows without a value of the watermark {spec.watermark!r} were left out")


def _missing(order: RowOrder) -> RowOrder:
    return replace(order, since=None, missing=True)


def query_options(look: Look) -> ReadOptions:
    """Return how the query of a job is asked."""
    return replace(look.options, query=look.spec.source.query)


def text_source(name: str, columns: Sequence[str], rows: Sequence[Row], options: ReadOptions) -> Source:
    """Return rows of a database as a source; what is a number is settled with the options."""
    frame = text_frame(dict(zip(columns, zip(*rows, strict=True), strict=True)))
    return from_text(name, lambda: [frame], options=options)


class _Reader:
    """Rows on the way into batches. missing : rows without a watermark so far."""

    def __init__(self, look: Look, database: str, watermark: str, progress: _Progress) -> None:
        self.look, self.database, self.watermark, self.progress = look, database, watermark, progress
        self.missing = 0
        self._held: list[Row] = []
        self._first = None if progress.value is None else cell_text(progress.value)
        self._count, self._known = len(progress.equal), Counter(progress.equal)
        self._at, self._equal = self._first, list[str]()  # of the value that came last

    def batches(self, columns: tuple[str, ...], rows: Sequence[Row]) -> Iterator[SourceBatch]:
        """Yield full batches from rows in their order."""
        if self.watermark not in columns:
            raise unknown_column(self.watermark, columns, what="the watermark", where=self.name)
        changed = self.progress.columns not in ((), columns)
        self.progress = replace(self.progress, columns=columns)
        place = columns.index(self.watermark)
        for row in rows:
            value = row[place]
            if value is None:
                self.missing += 1
                continue
            text, digest = cell_text(value), _digest(row)
            if text != self._at:
                self._at, self._equal = text, []
            self._equal.append(digest)
            if text == self._first and self._was_read(digest, changed=changed):
                continue
            self._held.append(row)
            if len(self._held) == self.look.settings.batch_rows:
                yield from self.rest(value)

    @property
    def name(self) -> str:
        return f"query on {self.database}"

    def _was_read(self, digest: str, *, changed: bool) -> bool:
        """Tell whether a row with the last value was read; by their count where the columns changed since."""
        if changed:
            self._count -= 1
            return self._count >= 0
        self._known[digest] -= 1
        return self._known[digest] >= 0

    def rest(self, value: Any = None) -> Iterator[SourceBatch]:
        """Yield what is held."""
        if not self._held:
            return
        rows, self._held = self._held, []
        columns, first = self.progress.columns, self.progress.rows
        value = rows[-1][columns.index(self.watermark)] if value is None else value
        self.progress = replace(self.progress, value=value, equal=list(self._equal), rows=first + len(rows))
        advance = {PART: self.progress.to_state(self.database, self.watermark)}

        def opened(options: ReadOptions) -> Source:
            return text_source(self.name, columns, rows, options)

        source = self.look.opened(self.name, opened, keys=False)
        if self.look.window is None:
            yield SourceBatch(source, (Place(self.name, first, len(rows)),), advance)
            return
        frame = source.read()
        timed = source.kind != TABLE or not frame[self.watermark].dtype.is_numeric()
        column = self.look.spec.table.time_column or (self.watermark if timed else None)
        inside = rows_within(source, frame, column, self.look.window)
        if len(inside):
            places = runs_of(self.name, (inside + first).tolist())
            yield SourceBatch(bounded(frame[inside], self.name, source), places, advance)


def _progress_of(look: Look) -> _Progress:
    spec, state = look.spec.source, look.positions.get(PART)
    if state is None:
        return _Progress()
    if (state["database"], state["watermark"]) != (spec.database, spec.watermark):
        look.tell(
            "the job has another database or watermark than before, so its query is read from the first row"
        )
        return _Progress()
    return _Progress(_read(state["value"]), list(state["equal"]), state["rows"], tuple(state["columns"]))


def _digest(row: Row) -> str:
    return sha256(json.dumps([cell_text(cell) for cell in row]).encode()).hexdigest()[:16]


def _written(value: Any, watermark: str) -> list[Any]:
    """Return the value of a watermark for JSON, with its type."""
    for name, (kind, write, _) in _VALUES.items():
        if type(value) is kind:
            return [name, write(value)]
    if isinstance(value, float) and math.isfinite(value):
        return ["float", value.hex()]
    raise ReadError(
        f"the watermark {watermark!r} holds {type(value).__name__} {cell_text(value)!r}; wanted numbers, "
        "times or texts that only grow"
    )


def _read(written: Sequence[Any]) -> Any:
    name, value = written
    return float.fromhex(value) if name == "float" else _VALUES[name][2](value)


_VALUES: Mapping[str, tuple[type, Any, Any]] = {
    "int": (int, str, int),
    "text": (str, str, str),
    "decimal": (Decimal, str, Decimal),
    "moment": (datetime, datetime.isoformat, datetime.fromisoformat),
    "day": (date, date.isoformat, date.fromisoformat),
}
