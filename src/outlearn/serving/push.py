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

from outlearn.data.readers import ReadOptions, Source, open_source
from outlearn.data.readers.detect import examine
from outlearn.errors import ParameterError, ReadError
from outlearn.pipeline.monitor import Monitor
from outlearn.serving.definition import JobSpec
from outlearn.serving.settings import Settings
from outlearn.serving.sources.content import Content as Bytes
from outlearn.serving.sources.look import Look
from outlearn.serving.sources.stored import Rows, packed

__all__ = ["Content", "Incoming", "came", "decoded", "opened_for"]

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
_PIECE = 1 << 20  # bytes that are unpacked at once
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
    name, rows = came(content, spec, settings, media=media, filename=filename)
    if live is not None:
        opened_for(live, rows, name, spec, settings)  # which refuses what lacks columns
    return Incoming(name, rows.frame.height, packed(rows), rows.notes)


def came(
    content: Content, spec: JobSpec, settings: Settings, *, media: str, filename: str
) -> tuple[str, Rows]:
    """Return what rows are called that came in, and the rows as they came; see `decoded`."""
    name = _shown(filename)
    with TemporaryDirectory(prefix="outlearn-push-") as folder:
        placed = _placed(content, Path(folder), settings, media, name)
        options = replace(spec.read, kind=spec.table.kind or spec.read.kind)
        try:
            return name, _read(placed, options, settings)
        except ReadError as error:
            raise ReadError(str(error).replace(str(placed), name)) from error


def opened_for(live: Monitor, rows: Rows, name: str, spec: JobSpec, settings: Settings) -> Source:
    """Return rows as a model reads them, in memory.

    Raises
    ------
    ReadError, SchemaError
        When it cannot.
    """
    look = Look(spec, settings, live.reading(spec.read), live.detector.schema_)
    return look.opened(name, rows.opener(name), keys=rows.keys)


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
    suffix = _SUFFIXES.get(media) or Path(name.removesuffix(".gz")).suffix.lower()
    place = folder / f"rows{suffix if suffix in _KNOWN else ''}"
    if isinstance(content, Path):
        place.symlink_to(content.resolve())
    else:
        place.write_bytes(content)
    return _unpacked(place, name, settings.largest_upload)


def _unpacked(place: Path, name: str, largest: int) -> Path:
    """Return a file that is not packed, with no more bytes than may come in."""
    with place.open("rb", buffering=0) as file:
        content = Bytes(name, file)
        if content.packed is None:
            return place
        whole, size = place.with_name(f"unpacked{place.suffix}"), 0
        with whole.open("wb") as out:
            while piece := content.read(size, _PIECE):
                size += len(piece)
                if size > largest:
                    raise ReadError(f"{name} unpacks to more than {largest:,} bytes: push it in parts")
                out.write(piece)
    return whole


def _read(placed: Any, options: ReadOptions, settings: Settings) -> Rows:
    source = open_source(placed, options=replace(options, as_written=True))
    frame = pl.concat(list(_within(source, settings))).rechunk()
    if not isinstance(placed, Path):
        return Rows(frame, notes=source.notes)
    return Rows.of(source, frame, keys=examine(placed)[1] in ("json lines", "json document"))


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


def _shown(filename: str) -> str:
    """Return a name as it may be kept and shown: the last part of a path, without control characters."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable()).strip()[:200] or "rows"
