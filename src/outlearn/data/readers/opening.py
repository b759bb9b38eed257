"""From what the user names to a source of rows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from outlearn.data.datasets import datasets, load_dataset
from outlearn.data.kinds.registry import kind_named
from outlearn.data.readers.capture import open_capture
from outlearn.data.readers.columnar import open_arrow, open_arrow_stream, open_parquet
from outlearn.data.readers.dataframe import open_dataframe
from outlearn.data.readers.delimited import open_delimited
from outlearn.data.readers.detect import examine
from outlearn.data.readers.jsondocument import open_json_document
from outlearn.data.readers.jsonlines import open_json_lines
from outlearn.data.readers.paths import located
from outlearn.data.readers.source import ReadOptions, Source, reading
from outlearn.data.readers.sql import open_query
from outlearn.data.readers.workbook import open_workbook
from outlearn.data.readers.zeek import open_zeek

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

__all__ = ["open_source"]

_DATASET = "dataset:"


def open_source(spec: str | os.PathLike[str] | IntoFrame, *, options: ReadOptions | None = None) -> Source:
    """Open whatever holds rows.

    Parameters
    ----------
    spec : a path to CSV or its kin, JSON, JSON Lines, a log of Zeek, or a capture of packets (also packed by
        gzip, zstd or bz2), Parquet, Arrow, or a workbook of Excel; ``dataset:NAME`` for a bundled set; an
        SQLAlchemy URL, with ``options.query``; or a dataframe of any library that narwhals knows. The format
        of a file is told by its content, not by its name.
    options : what detection should not decide.

    Raises
    ------
    ReadError
        When there is nothing to read, or what is there is damaged or no table. One line says which.

    >>> import polars as pl
    >>> source = open_source(pl.DataFrame({"a": [1, 2, 3]}))
    >>> source.columns, source.rows, [chunk.height for chunk in source.chunks(2)]
    (('a',), 3, [2, 1])
    """
    options = options or ReadOptions()
    if not isinstance(spec, (str, os.PathLike)):
        return open_dataframe(spec, options)
    text = os.fspath(spec)
    if text.startswith(_DATASET):
        return _open_dataset(text.removeprefix(_DATASET))
    if "://" in text:
        return open_query(text, options)
    return _open_path(text, options)


def _open_path(text: str, options: ReadOptions) -> Source:
    path = located(text)
    with reading(text):
        if options.kind is not None:
            source = kind_named(options.kind).open(text, options)
            if source is not None:
                return source
        content, form, notes = examine(path)
    if options.sheet is not None and form != "workbook":
        notes = (*notes, f"a sheet {options.sheet!r} was asked for, and the file is no workbook")
    if form == "parquet":
        return open_parquet(text, content, notes)
    if form == "arrow":
        return open_arrow(text, content, notes)
    if form == "arrow stream":
        return open_arrow_stream(text, content, notes)
    if form == "workbook":
        return open_workbook(text, content, options, notes)
    if form == "capture":
        return open_capture(text, content, notes)
    if form == "zeek":
        return open_zeek(text, content, options, notes)
    if form == "json lines":
        return open_json_lines(text, content, options, notes)
    if form == "json document":
        return open_json_document(text, content, options, notes)
    return open_delimited(text, content, options, notes)


def _open_dataset(name: str) -> Source:
    frame = load_dataset(name)
    notes = tuple(info.note for info in datasets() if info.name == name)
    return Source(f"{_DATASET}{name}", tuple(frame.columns), frame.iter_slices, notes, frame.height)
