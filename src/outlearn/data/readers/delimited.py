"""CSV and its kin, streamed through Arrow's parser as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import csv

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.dialect import Dialect, encodings, head_lines, sniff
from outlearn.data.readers.numbers import CONTINENTAL, ENGLISH, MISSING
from outlearn.data.readers.ruled import RULED, is_ruled, names_of_list, ruled_frames
from outlearn.data.readers.source import FIXED, WHITESPACE, ReadOptions, Source, one_line
from outlearn.data.readers.spaced import Spaced, spaced_frames
from outlearn.data.readers.text import from_text
from outlearn.errors import ReadError

__all__ = ["open_below", "open_delimited"]

_BLOCK_BYTES = 8 << 20  # no row may be longer; a few blocks are held at a time


class _UndecodableError(ReadError):
    """The text is not in the codec that was tried."""


def open_delimited(name: str, content: FileBytes, options: ReadOptions, notes: tuple[str, ...]) -> Source:
    """Open a text file whose fields stand between separators.

    Blank lines are skipped, save in a file of one column, where a blank line is a missing value.

    Raises
    ------
    ReadError
        For a row with more or fewer fields than the header, and for a file with no rows.
    """
    *early, last = encodings(content, options.encoding)
    for encoding in early:
        try:
            return _open(name, content, options, notes, encoding)
        except _UndecodableError:
            continue
    return _open(name, content, options, notes, last)


def _open(
    name: str, content: FileBytes, options: ReadOptions, notes: tuple[str, ...], encoding: str
) -> Source:
    try:
        lines = head_lines(content, encoding)
        ruled = options.separator in (None, "|") and options.header is not False and is_ruled(lines)
        if ruled:
            return _open_list(name, content, options, (*notes, RULED), encoding, names_of_list(lines))
        dialect = sniff(content, encoding, options)
    except UnicodeError as error:
        raise _undecodable(name, encoding, error) from error
    said = f"encoding {encoding} detected" if options.encoding is None and encoding != "utf-8" else ""
    return _opened(name, content, options, dialect, encoding, (*notes, *filter(None, [said]), *dialect.notes))


def open_below(
    name: str, content: FileBytes, options: ReadOptions, dialect: Dialect, encodings: Sequence[str]
) -> Source:
    """Open rows without what stands above them, of a text whose dialect is known from its beginning.

    A row of sums stays: what comes last here need not be the end of the text.

    encodings : codecs to try in turn.

    Raises
    ------
    ReadError
        As `open_delimited`.
    """
    dialect = replace(dialect, skip=0, header=0)
    *early, last = encodings
    for encoding in early:
        try:
            return _opened(name, content, options, dialect, encoding, (), totals=False)
        except _UndecodableError:
            continue
    return _opened(name, content, options, dialect, last, (), totals=False)


def _opened(
    name: str,
    content: FileBytes,
    options: ReadOptions,
    dialect: Dialect,
    encoding: str,
    notes: tuple[str, ...],
    *,
    totals: bool = True,
) -> Source:
    frames = _spaced if dialect.separator in (WHITESPACE, FIXED) else _frames
    return from_text(
        name,
        partial(frames, name, content, dialect, encoding),
        options=options,
        notes=notes,
        ambiguous=CONTINENTAL if dialect.separator == ";" else ENGLISH,
        totals=totals,
    )


def _open_list(
    name: str,
    content: FileBytes,
    options: ReadOptions,
    notes: tuple[str, ...],
    encoding: str,
    naming: tuple[tuple[str, ...], tuple[str, ...]],
) -> Source:
    """Open a list with upright strokes; `naming` is the names of its columns, with notes on them."""
    columns, renamed = naming
    frames = partial(ruled_frames, name, content, encoding, columns)
    return from_text(name, frames, options=options, notes=(*notes, *renamed), totals=True)


def _spaced(name: str, content: FileBytes, dialect: Dialect, encoding: str) -> Iterator[pl.DataFrame]:
    """Split the lines of the file at blanks; all columns are text."""
    layout = Spaced(dialect.skip, len(dialect.columns), dialect.fields)
    try:
        yield from spaced_frames(name, content, encoding, layout, dialect.columns)
    except UnicodeError as error:
        raise _undecodable(name, encoding, error) from error


def _frames(name: str, content: FileBytes, dialect: Dialect, encoding: str) -> Iterator[pl.DataFrame]:
    """Parse the file block by block; all columns are text."""
    ragged: list[csv.InvalidRow] = []
    first = True
    try:
        with (
            content.open() as stream,
            csv.open_csv(stream, **_settings(dialect, encoding, ragged)) as batches,
        ):
            for batch in batches:
                frame = _named(name, batch, dialect.columns)
                yield frame.slice(dialect.header) if first else frame
                first = False
    except UnicodeError as error:
        raise _undecodable(name, encoding, error) from error
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise _undecodable(name, encoding, error) from error
        raise ReadError(f"{name}: {_parse_fault(error, ragged, dialect)}") from error


def _settings(dialect: Dialect, encoding: str, ragged: list[csv.InvalidRow]) -> dict[str, Any]:
    def refuse(row: csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    single = len(dialect.columns) == 1
    return {
        "read_options": csv.ReadOptions(
            use_threads=False,  # only so are bad rows numbered
            block_size=_BLOCK_BYTES,
            autogenerate_column_names=True,
            encoding="utf8" if encoding == "utf-8" else encoding,
            skip_rows=dialect.skip,
        ),
        "parse_options": csv.ParseOptions(
            delimiter=dialect.separator,
            newlines_in_values=True,
            ignore_empty_lines=not single,
            invalid_row_handler=refuse,
        ),
        "convert_options": csv.ConvertOptions(
            column_types={f"f{i}": pa.string() for i in range(len(dialect.columns))},
            null_values=list(MISSING),
            strings_can_be_null=True,
        ),
    }


def _named(name: str, batch: pa.RecordBatch, columns: tuple[str, ...]) -> pl.DataFrame:
    if batch.num_columns != len(columns):
        raise ReadError(
            f"{name}: the first row splits into {batch.num_columns} fields or into {len(columns)},"
            " depending on how its quotes are read; mend the quotes of the header"
        )
    return pl.DataFrame(pl.from_arrow(batch.rename_columns(list(columns))))


def _parse_fault(error: pa.ArrowInvalid, ragged: list[csv.InvalidRow], dialect: Dialect) -> str:
    if "Empty CSV" in str(error):
        return "no rows of data; wanted at least one below the header"
    if not ragged:
        return (
            f"cannot be split into rows and fields ({one_line(error)}); look for a quote that is never closed"
        )
    row = ragged[0]
    return (
        f"row {row.number} has {row.actual_columns} fields where the first has {row.expected_columns}"
        f" ({row.text[:40]!r}); quote fields that hold {dialect.separator!r}, or name the separator"
    )


def _undecodable(name: str, encoding: str, error: Exception) -> _UndecodableError:
    return _UndecodableError(f"{name}: not {encoding} text ({one_line(error)}); name its encoding")
