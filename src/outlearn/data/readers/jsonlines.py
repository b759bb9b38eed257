"""JSON Lines: one object a line; keys become columns in the order in which they appear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

import polars as pl

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.dialect import encodings
from outlearn.data.readers.limits import BLOCK_CHARACTERS
from outlearn.data.readers.nested import Layout, Unfolded
from outlearn.data.readers.source import BATCH_ROWS, ReadOptions, Source, one_line, reading
from outlearn.data.readers.spaced import line_codec
from outlearn.data.readers.text import from_text
from outlearn.errors import ReadError

__all__ = ["open_json_lines"]


def open_json_lines(name: str, content: FileBytes, options: ReadOptions, notes: tuple[str, ...]) -> Source:
    """Open a file of JSON objects, one a line; objects in them become columns, see `nested`.

    Raises
    ------
    ReadError
        For a line that is no JSON object, by its number.
    """
    blocks = partial(_blocks, name, content, line_codec(encodings(content, options.encoding)[0]))
    with reading(name):
        unfolded = Unfolded(name, Layout.of(islice(chain.from_iterable(blocks()), BATCH_ROWS)))

    def frames() -> Iterator[pl.DataFrame]:
        return chain.from_iterable(map(unfolded.frames, blocks()))

    source = from_text(name, frames, options=options, notes=notes)
    return Source(name, source.columns, source.batches, (*source.notes, *unfolded.notes()), source.rows)


def _blocks(name: str, content: FileBytes, encoding: str) -> Iterator[list[dict[str, Any]]]:
    """Yield records in blocks of `BATCH_ROWS`, smaller ones where lines are long."""
    block: list[dict[str, Any]] = []
    weight = 0
    with content.lines(encoding) as lines:
        for number, line in enumerate(lines, 1):
            if line and not line.isspace():
                block.append(_record(name, number, line))
                weight += len(line)
            if len(block) == BATCH_ROWS or weight > BLOCK_CHARACTERS:
                yield block
                block, weight = [], 0
    if block:
        yield block


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
