"""JSON Lines: one object a line; keys become columns in the order in which they appear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import polars as pl

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.dialect import encodings
from outlearn.data.readers.records import NESTED, text_frame
from outlearn.data.readers.source import BATCH_ROWS, ReadOptions, Source, one_line
from outlearn.data.readers.text import from_text
from outlearn.errors import ReadError

__all__ = ["open_json_lines"]


def open_json_lines(name: str, content: FileBytes, options: ReadOptions, notes: tuple[str, ...]) -> Source:
    """Open a file of JSON objects, one a line; nested values become JSON text.

    Raises
    ------
    ReadError
        For a line that is no JSON object, by its number.
    """
    nested: dict[str, None] = {}
    encoding = encodings(content, options.encoding)[0]
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    source = from_text(name, partial(_frames, name, content, encoding, nested), options=options, notes=notes)
    if not nested:
        return source
    said = f"nested values became JSON text in {', '.join(repr(key) for key in nested)}"
    return Source(name, source.columns, source.batches, (*source.notes, said), source.rows)


def _frames(name: str, content: FileBytes, encoding: str, nested: dict[str, None]) -> Iterator[pl.DataFrame]:
    with content.lines(encoding) as lines:
        held: list[dict[str, Any]] = []
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            held.append(_record(name, number, line))
            if len(held) == BATCH_ROWS:
                yield _frame(held, nested)
                held = []
        if held:
            yield _frame(held, nested)


def _record(name: str, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ReadError(
            f"{name}: line {number} is not JSON ({one_line(error)}); wanted one object a line"
        ) from error
    if not isinstance(record, dict):
        raise ReadError(
            f"{name}: line {number} is {type(record).__name__}, no object; wanted one object a line"
        )
    return record


def _frame(records: list[dict[str, Any]], nested: dict[str, None]) -> pl.DataFrame:
    keys = dict.fromkeys(key for record in records for key in record)
    columns = {_storable(key): [record.get(key) for record in records] for key in keys}
    nested.update((k, None) for k, values in columns.items() if any(isinstance(v, NESTED) for v in values))
    return text_frame(columns)


def _storable(key: str) -> str:
    """Return the key as a column name: JSON allows an empty one and halves of characters."""
    return key.encode("utf-8", "replace").decode("utf-8") or "(no name)"
