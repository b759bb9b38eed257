"""Logs of Zeek as text: a head of lines that begin with #, then fields between tabs, without quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import polars as pl
import pyarrow as pa
from pyarrow import csv

from outlearn.data.named import by_name, without, written
from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.source import ReadOptions, Source, one_line, unique_names
from outlearn.data.readers.text import from_text
from outlearn.errors import ReadError

__all__ = ["open_zeek"]

_BLOCK_BYTES = 8 << 20
_LABELS = re.compile(
    r" {3,}"
)  # between columns that were added after the last tab, as labelled logs have them


class _UndecodableError(ReadError):
    """The text is not in the codec that was tried."""


@dataclass(frozen=True, slots=True)
class _Head:
    """The head of a log. fields : between separators. more : columns within the last field.

    nothing : words for a value that is not there.
    """

    separator: str
    fields: tuple[str, ...]
    more: tuple[str, ...]
    nothing: tuple[str, ...]


def open_zeek(name: str, content: FileBytes, options: ReadOptions, notes: tuple[str, ...]) -> Source:
    """Open a log that Zeek wrote, maybe several in one file; lines cut short are skipped and counted.

    Raises
    ------
    ReadError
        When the head names no fields, or two heads in the file name different ones.
    """
    head = _head(name, content)
    skipped: list[str] = []
    try:
        source = from_text(
            name, partial(_frames, name, content, head, skipped, "utf8"), options=options, notes=notes
        )
    except _UndecodableError:  # bytes of a packet that were written as they came
        source = from_text(
            name, partial(_frames, name, content, head, skipped, "latin1"), options=options, notes=notes
        )
    if not skipped:
        return source
    count = len(skipped)
    said = (
        f"{count:,} {'line has' if count == 1 else 'lines have'} not the {len(head.fields)} fields of the "
        f"head and {'was' if count == 1 else 'were'} skipped"
    )
    return Source(name, source.columns, source.batches, (*source.notes, said), source.rows)


def _head(name: str, content: FileBytes) -> _Head:
    entries: dict[str, str] = {}
    separator = "\t"
    for line in content.head.decode("utf-8", "replace").splitlines():
        if not line.startswith("#"):
            break
        if line.startswith("#separator "):
            separator = _separator(name, line.removeprefix("#separator ").strip())
            continue
        key, _, rest = line.removeprefix("#").partition(separator)
        entries.setdefault(key, rest)
    if not entries.get("fields"):
        raise ReadError(
            f"{name}: the head of this Zeek log has no #fields line; wanted the names of its fields"
        )
    *fields, last = entries["fields"].split(separator)
    last, *more = _LABELS.split(last)
    names, _ = unique_names([*fields, last, *more])
    kept = len(fields) + 1
    nothing = (entries.get("unset_field", "-"), entries.get("empty_field", "(empty)"))
    return _Head(separator, names[:kept], names[kept:], nothing)


def _separator(name: str, sign: str) -> str:
    """Return the sign that the head names, which is written as \\x09 or as it is."""
    if re.fullmatch(r"\\x[0-9a-fA-F]{2}", sign):
        sign = chr(int(sign[2:], 16))
    if len(sign) != 1 or not sign.isascii() or sign in '"\r\n#':
        raise ReadError(f"{name}: the head of this Zeek log tells {sign!r} as the separator; wanted one sign")
    return sign


def _frames(
    name: str, content: FileBytes, head: _Head, skipped: list[str], encoding: str
) -> Iterator[pl.DataFrame]:
    skipped.clear()
    fields = f"#fields{head.separator}{head.separator.join(map(written, head.fields))}"

    def skip(row: csv.InvalidRow) -> str:
        if not row.text.startswith("#"):
            skipped.append(row.text[:40])
        elif row.text.startswith("#fields") and not row.text.startswith(fields):
            return "error"
        return "skip"

    count = len(head.fields)
    try:
        with (
            content.open() as stream,
            csv.open_csv(
                stream,
                read_options=csv.ReadOptions(
                    use_threads=False,
                    block_size=_BLOCK_BYTES,
                    column_names=list(head.fields),
                    encoding=encoding,
                ),
                parse_options=csv.ParseOptions(
                    delimiter=head.separator, quote_char=False, invalid_row_handler=skip
                ),
                convert_options=csv.ConvertOptions(
                    column_types={field: pa.string() for field in head.fields},
                    null_values=list(head.nothing),
                    strings_can_be_null=True,
                ),
            ) as batches,
        ):
            for batch in batches:
                frame = pl.DataFrame(pl.from_arrow(batch))
                first = frame.columns[0]
                frame = frame.filter(~frame[first].str.starts_with("#").fill_null(value=False))
                yield frame if not head.more else _parted(frame, head)
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error) or (encoding == "utf8" and "Expected" in str(error)):
            raise _UndecodableError(f"{name}: not {encoding} text") from error
        if "#fields" in str(error):
            raise ReadError(
                f"{name}: two logs with different fields in one file; wanted one of a kind, such as conn.log"
            ) from error
        raise ReadError(f"{name}: cannot be split into {count} fields ({one_line(error)})") from error


def _parted(frame: pl.DataFrame, head: _Head) -> pl.DataFrame:
    """Split the last field, which holds columns between spaces."""
    last = head.fields[-1]
    parts = frame[last].str.split_exact("   ", len(head.more)).struct.unnest()
    names = (last, *head.more)
    split = [
        pl.when(by_name(old).str.strip_chars().is_in(list(head.nothing)))
        .then(None)
        .otherwise(by_name(old).str.strip_chars())
        .alias(new)
        for old, new in zip(parts.columns, names, strict=True)
    ]
    return without(frame, {last}).with_columns(parts.select(split).get_columns())
