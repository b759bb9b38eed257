"""Rows of an SQL query, from any database that SQLAlchemy reaches."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from outlearn.data.readers.records import text_frame
from outlearn.data.readers.source import BATCH_ROWS, ReadOptions, Source, one_line, unique_names
from outlearn.data.readers.text import from_text
from outlearn.errors import ReadError
from outlearn.extras import require

__all__ = ["open_query"]


def open_query(url: str, options: ReadOptions) -> Source:
    """Open the result of ``options.query`` at an SQLAlchemy URL.

    The query runs once to decide the types and again for each walk over the chunks, so its rows come in
    one order only if it says ``ORDER BY``. Nothing is committed.

    Raises
    ------
    ReadError
        Without a query, and for whatever the database refuses.
    MissingExtraError
        When SQLAlchemy is not installed.
    """
    alchemy = require("sqlalchemy", extra="sql")
    try:
        address = alchemy.engine.make_url(url)
    except (alchemy.exc.ArgumentError, ValueError) as error:
        raise ReadError(
            "the database URL cannot be understood; wanted DIALECT://USER@HOST/DATABASE"
        ) from error
    name = f"query on {address.render_as_string(hide_password=True)}"
    query = (options.query or "").strip()
    if not query:
        raise ReadError(f"{name}: no query; give the SQL text as the option query")
    if address.get_backend_name() == "sqlite":
        _refuse_new_file(name, address.database)
    return from_text(name, partial(_frames, name, alchemy, address, query), options=options)


def _refuse_new_file(name: str, database: str | None) -> None:
    """Raise where the file is missing: SQLite would make an empty database."""
    if (
        database
        and database != ":memory:"
        and not database.startswith("file:")
        and not Path(database).is_file()
    ):
        raise ReadError(f"{name}: no such database file; check the path")


def _frames(name: str, alchemy: Any, address: Any, query: str) -> Iterator[pl.DataFrame]:
    try:
        engine = alchemy.create_engine(address, poolclass=alchemy.pool.NullPool)
        with engine.connect() as connection:
            result = connection.execution_options(stream_results=True).execute(alchemy.text(query))
            columns, _ = unique_names(list(result.keys()))
            for rows in result.partitions(BATCH_ROWS):
                yield text_frame(dict(zip(columns, zip(*rows, strict=True), strict=True)))
    except ModuleNotFoundError as error:
        raise ReadError(f"{name}: its driver is not installed ({one_line(error)})") from error
    except alchemy.exc.SQLAlchemyError as error:
        raise ReadError(f"{name}: {one_line(getattr(error, 'orig', None) or error)}") from error
