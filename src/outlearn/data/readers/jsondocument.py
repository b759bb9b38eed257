"""One JSON value that holds a table: a list of objects, be it within an object, or columns of values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import polars as pl

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.dialect import encodings
from outlearn.data.readers.limits import HELD_CELLS
from outlearn.data.readers.nested import Layout, Unfolded
from outlearn.data.readers.source import BATCH_ROWS, ReadOptions, Source, one_line, reading
from outlearn.data.readers.spaced import line_codec
from outlearn.data.readers.text import from_text
from outlearn.errors import ReadError

__all__ = ["open_json_document"]

MOST_BYTES = 512 << 20  # of a value, which is held in memory as a whole
USUAL = (
    "data",
    "results",
    "records",
    "rows",
    "items",
    "values",
    "value",
    "features",
    "entries",
    "events",
    "hits",
)
KEY = "key"  # the column of what names the rows, where an object holds a row for each key
ADVICE = "write one object a line, e.g. by jq -c '.[]' FILE > rows.jsonl"


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows as objects, and sentences on where they stood."""

    records: list[dict[str, Any]]
    notes: tuple[str, ...] = ()


def open_json_document(name: str, content: FileBytes, options: ReadOptions, notes: tuple[str, ...]) -> Source:
    """Open a file of one JSON value, or of several that are objects, which is read as a whole.

    Raises
    ------
    ReadError
        When it is too large, no JSON, or no table; the message says what would be one.
    """
    with reading(name):
        table = _table(name, _value(name, content, options))
        unfolded = Unfolded(name, Layout.of(islice(table.records, BATCH_ROWS)))
        frames = list(_held(name, unfolded, table.records))
    return from_text(name, lambda: frames, options=options, notes=(*notes, *table.notes, *unfolded.notes()))


def _held(name: str, unfolded: Unfolded, records: Sequence[Mapping[str, Any]]) -> Iterator[pl.DataFrame]:
    """Yield frames of all rows, as long as they take no more memory than a machine has."""
    for frame in unfolded.frames(records):
        if len(unfolded.columns) * unfolded.rows > HELD_CELLS:
            raise ReadError(
                f"{name}: {len(unfolded.columns):,} columns by {len(records):,} rows, which is more than "
                f"{HELD_CELLS:,} cells to be held at once; {ADVICE}"
            )
        yield frame


def _value(name: str, content: FileBytes, options: ReadOptions) -> Any:
    """Return the value of the file; several, one after another, as a list."""
    with content.open() as stream:
        raw = stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise ReadError(f"{name}: one JSON value of more than {MOST_BYTES >> 20} MB; {ADVICE}")
    text = raw.decode(line_codec(encodings(content, options.encoding)[0]))
    decoder, values, place = json.JSONDecoder(), [], len(text) - len(text.lstrip())
    try:
        while place < len(text):
            value, place = decoder.raw_decode(text, place)
            values.append(value)
            place += len(text[place : place + 4096]) - len(text[place : place + 4096].lstrip())
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{name}: looks like JSON, but is none ({one_line(error)}); {ADVICE}") from error
    return values[0] if len(values) == 1 else values


def _table(name: str, value: Any) -> _Table:
    if isinstance(value, list):
        return _Table(_rows(name, value))
    if not isinstance(value, dict):
        raise ReadError(f"{name}: one JSON {type(value).__name__}; wanted a list of objects")
    split = _split(name, value)
    if split is not None:
        return split
    places = list(_lists(value, ""))
    if places:
        where, rows = _choose(name, places)
        left = [key for key in value if key != where.split(".")[0]]
        aside = f"; left out: {', '.join(map(repr, left[:5]))}" if left else ""
        return _Table(_rows(name, rows), (f"rows were read from '{where}'{aside}",))
    return _of_columns(value) or _of_keys(value) or _alone(name, value)


def _split(name: str, value: Mapping[str, Any]) -> _Table | None:
    """Return the rows of an object that holds names of columns, and lists of cells."""
    for names, rows in (("columns", "data"), ("columns", "rows"), ("fields", "rows"), ("header", "rows")):
        header, cells = value.get(names), value.get(rows)
        if (
            isinstance(header, list)
            and isinstance(cells, list)
            and all(isinstance(column, str | int) for column in header)
            and all(isinstance(row, list) and len(row) == len(header) for row in cells)
        ):
            records = [dict(zip(map(str, header), row, strict=True)) for row in cells]
            return _Table(records, (f"rows were read from '{rows}', their columns from '{names}'",))
    return None


def _lists(value: Mapping[str, Any], above: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield the lists of objects in an object and in those within it, by their places."""
    for key, inner in value.items():
        if isinstance(inner, list) and inner and all(isinstance(entry, dict) for entry in inner):
            yield above + key, inner
        elif isinstance(inner, dict) and not above:
            yield from _lists(inner, f"{key}.")


def _choose(name: str, places: list[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
    """Choose the list that holds the rows: the only one, or the one of a usual name that lies higher."""
    for candidates in (places, [place for place in places if "." not in place[0]]):
        if len(candidates) == 1:
            return candidates[0]
    known = [place for place in places if place[0].lower() in USUAL]
    if len(known) == 1:
        return known[0]
    listed = ", ".join(where for where, _ in places[:5])
    raise ReadError(
        f"{name}: several lists of objects ({listed}); keep one, e.g. by jq -c '.{places[0][0]}[]' FILE > "
        "rows.jsonl"
    )


def _of_columns(value: Mapping[str, Any]) -> _Table | None:
    """Return the rows of an object of columns: lists of the same length, or objects with row numbers."""
    columns = {
        key: list(cells.values()) if isinstance(cells, dict) and all(map(str.isdigit, cells)) else cells
        for key, cells in value.items()
    }
    lengths = {len(cells) if isinstance(cells, list) else -1 for cells in columns.values()}
    if len(lengths) != 1 or min(lengths) < 1:
        return None
    rows = zip(*columns.values(), strict=True)
    return _Table([dict(zip(columns, row, strict=True)) for row in rows], ("each key was read as a column",))


def _of_keys(value: Mapping[str, Any]) -> _Table | None:
    """Return the rows of an object that holds one for each of its keys."""
    if len(value) < 2 or not all(isinstance(row, dict) for row in value.values()):
        return None
    rows = [{KEY: key, **row} for key, row in value.items()]
    return _Table(rows, (f"each key was read as a row, named in the column '{KEY}'",))


def _alone(name: str, value: Mapping[str, Any]) -> _Table:
    keys = ", ".join(map(repr, list(value)[:5]))
    raise ReadError(
        f"{name}: one JSON object ({keys}) without a list of objects in it, so there are no rows; wanted "
        "a list of objects, or one object a line"
    )


def _rows(name: str, entries: list[Any]) -> list[dict[str, Any]]:
    """Return entries as rows; lists of cells get numbered columns, or the names in the first of them."""
    kinds = {type(entry) for entry in entries}
    if kinds == {dict}:
        return entries
    if not entries:
        raise ReadError(f"{name}: an empty list; wanted at least one object")
    if kinds == {list}:
        lengths = {len(entry) for entry in entries}
        if len(lengths) > 1:
            raise ReadError(
                f"{name}: lists of {min(lengths)} to {max(lengths)} cells; wanted as many in each"
            )
        first, below = entries[0], entries[1:]
        named = below and all(isinstance(cell, str) for cell in first) and len(set(first)) == len(first)
        if named and any(not isinstance(cell, str) for cell in below[0]):
            return [dict(zip(first, row, strict=True)) for row in below]
        return [{f"column_{i + 1}": cell for i, cell in enumerate(row)} for row in entries]
    odd = next(i for i, entry in enumerate(entries) if not isinstance(entry, dict))
    raise ReadError(
        f"{name}: entry {odd} of the list is {type(entries[odd]).__name__}, no object; wanted a list of "
        "objects"
    )
