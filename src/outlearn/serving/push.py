"""Rows that are pushed: read within limits, and kept as an Arrow stream until they are judged.

Cells of text formats are kept as text: what is a number among them is settled with the model that judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import ipc

from outlearn.data.readers import ReadOptions, Source, open_source
from outlearn.data.readers.text import from_text
from outlearn.data.schema import check_columns
from outlearn.errors import ParameterError, ReadError
from outlearn.pipeline.learn import open_table
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.rows import Opener
from outlearn.serving.definition import JobSpec
from outlearn.serving.settings import Settings

__all__ = ["Content", "Incoming", "decoded", "opener_of", "unpacked"]

#: What rows come as: bytes or the path of a file, or a dataframe.
Content = Any

_SUFFIXES = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/plain": ".txt",
    "application/json": ".json",
    "application/jsonl": ".jsonl",
    "application/x-jsonlines": ".jsonl",
    "application/x-ndjson": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.apache.arrow.file": ".arrow",
    "application/vnd.apache.arrow.stream": ".arrow",
}
_OPEN = ("", "application/octet-stream", "multipart/form-data")  # which leave it to the content
_KNOWN = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".arrow"}
_TEXT = b"outlearn.text"  # metadata of a stream whose cells are text as it came
_GROWTH = 8  # bytes that rows may take in memory for each that may come in


@dataclass(frozen=True, slots=True)
class Incoming:
    """Rows as they are kept. name : of the source. content : Arrow stream."""

    name: str
    rows: int
    content: bytes
    notes: tuple[str, ...] = ()


def decoded(
    content: Content, spec: JobSpec, settings: Settings, live: Monitor | None, *, media: str, filename: str
) -> Incoming:
    """Read what was pushed, and see that the model can judge it.

    Raises
    ------
    ParameterError
        For a media type that is not read.
    ReadError
        When it is too large, damaged, or has no rows.
    SchemaError
        With the difference, when it lacks columns that the model reads.
    """
    name = _shown(filename)
    with TemporaryDirectory(prefix="outlearn-push-") as folder:
        spec_of_rows = _placed(content, Path(folder), settings, media, name)
        options = replace(spec.read, kind=spec.table.kind or spec.read.kind)
        try:
            frame, is_text, notes = _read(spec_of_rows, options, settings)
        except ReadError as error:
            raise ReadError(str(error).replace(str(spec_of_rows), name)) from error
    incoming = Incoming(name, frame.height, _packed(frame, is_text=is_text), notes)
    if live is not None:
        check_fit(frame, name, live, spec.read, is_text=is_text)
    return incoming


def check_fit(frame: pl.DataFrame, name: str, live: Monitor, read: ReadOptions, *, is_text: bool) -> None:
    """Refuse rows that lack columns that a model reads."""
    source, _ = open_table(opener_of(frame, name, is_text=is_text), live.reading(read))
    check_columns(live.detector.schema_, source.columns, where=name)


def unpacked(content: bytes) -> tuple[pl.DataFrame, bool]:
    """Return rows as they were kept, and whether their cells are text as it came."""
    with ipc.open_stream(pa.py_buffer(content)) as reader:
        table = reader.read_all()
    return pl.DataFrame(pl.from_arrow(table)), _TEXT in (table.schema.metadata or {})


def opener_of(frame: pl.DataFrame, name: str, *, is_text: bool) -> Opener:
    """Return what opens rows as the options say."""

    def opened(options: ReadOptions) -> Source:
        if is_text:
            return from_text(name, lambda: [frame], options=options)
        return Source(name, tuple(frame.columns), frame.iter_slices, rows=frame.height)

    return Opener(opened)


def _placed(content: Content, folder: Path, settings: Settings, media: str, name: str) -> Any:
    """Return what the readers open; bytes are put into a file, whose suffix is one of ours."""
    media = media.partition(";")[0].strip().lower()
    if media not in _OPEN and media not in _SUFFIXES:
        raise ParameterError(
            f"rows came as {media[:100]!r}; wanted one of {', '.join(sorted(_SUFFIXES))}, or "
            "application/octet-stream"
        )
    if isinstance(content, str):  # which a reader would take for a path or an address
        raise ParameterError("rows came as text; wanted bytes, a Path or a dataframe")
    if not isinstance(content, bytes | bytearray | memoryview | Path):
        return content
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    if size > settings.largest_upload:
        raise ReadError(
            f"{name} has {size:,} bytes; at most {settings.largest_upload:,} are taken at once: push it in "
            "parts"
        )
    suffix = _SUFFIXES.get(media) or Path(name).suffix.lower()
    place = folder / f"rows{suffix if suffix in _KNOWN else ''}"
    if isinstance(content, Path):
        place.symlink_to(content.resolve())
    else:
        place.write_bytes(content)
    return place


def _read(spec: Any, options: ReadOptions, settings: Settings) -> tuple[pl.DataFrame, bool, tuple[str, ...]]:
    source = open_source(spec, options=options)
    is_text = isinstance(spec, Path)
    if is_text:
        source = open_source(spec, options=replace(options, as_text=source.columns))
    frame = pl.concat(list(_within(source, settings))).rechunk()
    return frame, is_text and all(dtype == pl.String for dtype in frame.dtypes), source.notes


def _within(source: Source, settings: Settings) -> Iterator[pl.DataFrame]:
    """Yield the rows, as long as there are no more than may come at once."""
    rows = size = 0
    for chunk in source.chunks(min(settings.largest_push_rows, 16_384)):
        rows, size = rows + chunk.height, size + int(chunk.estimated_size())
        if rows > settings.largest_push_rows:
            raise ReadError(
                f"{source.name} has more than {settings.largest_push_rows:,} rows, which are taken at once: "
                "push it in parts"
            )
        if size > _GROWTH * settings.largest_upload:
            raise ReadError(f"{source.name} takes more than {size:,} bytes in memory: push it in parts")
        yield chunk


def _packed(frame: pl.DataFrame, *, is_text: bool) -> bytes:
    table = frame.to_arrow()
    if is_text:
        table = table.replace_schema_metadata({_TEXT: b"1"})
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _shown(filename: str) -> str:
    """Return a name as it may be kept and shown: the last part of a path, without control characters."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable()).strip()[:200] or "rows"
