"""Rows that a model of a job is fitted to: a reference, or the newest rows of the source itself."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from outlearn.data.readers.sql import RowOrder, rows_in_order
from outlearn.errors import ReadError
from outlearn.pipeline.rows import Opener
from outlearn.serving.settings import Settings
from outlearn.serving.sources.batch import SourceBatch
from outlearn.serving.sources.files import batches_of, file_batches
from outlearn.serving.sources.folder import Tell, listed
from outlearn.serving.sources.look import Look, rows_within
from outlearn.serving.sources.pushed import lots
from outlearn.serving.sources.query import query_options, text_source
from outlearn.serving.sources.stored import Rows, put_together
from outlearn.serving.sources.tracking import Tracked
from outlearn.serving.store.database import Database

if TYPE_CHECKING:
    from outlearn.serving.jobs import Job

__all__ = ["past"]


def past(
    database: Database,
    settings: Settings,
    job: Job,
    *,
    tell: Tell = lambda _: None,
    now: float | None = None,
) -> Opener:
    """Return the rows to fit a model of a job to, for `Monitor.of`; they are in memory, `past.most` at most.

    tell : takes sentences on what was left out and why. now : seconds since 1970.

    Raises
    ------
    ReadError
        When there are none, or they cannot be read.
    """
    moment = time.time() if now is None else now
    look = Look(job.spec, settings, job.spec.reading(settings), tell=tell, now=moment, raw=True)
    if job.spec.past.reference is not None:
        name, rows = f"reference of {job.name}", _reference(look)
    else:
        name, rows = f"past of {job.name}", _rolling(look, database, job.id)
    if rows is None or not rows.frame.height:
        raise ReadError(f"{name}: there are no rows yet to fit a model to")
    return Opener(rows.opener(name))


def _reference(look: Look) -> Rows | None:
    """Return rows of the files of a reference; of many, as many as are wanted, drawn evenly."""
    spec, most = look.spec.past, look.spec.past.most
    assert spec.reference is not None
    draw = np.random.default_rng(look.spec.detector.seed)
    held: Rows | None = None
    keys, total = np.zeros(0), 0
    for batch in file_batches(look, look.settings.root(spec.root), spec.reference):
        rows = _rows(batch)
        held = rows if held is None else put_together([held, rows])
        keys, total = np.append(keys, draw.random(rows.frame.height)), total + rows.frame.height
        if held.frame.height > most:
            chosen = np.sort(np.argpartition(keys, most - 1)[:most])
            held, keys = replace(held, frame=held.frame[chosen]), keys[chosen]
    if total > most:
        look.tell(f"the reference has {total:,} rows, of which {most:,} were drawn evenly (past.most)")
    return held


def _rolling(look: Look, database: Database, job_id: int) -> Rows | None:
    """Return the newest rows of the source, oldest first."""
    spec, seconds = look.spec, look.spec.past.seconds
    since = -math.inf if seconds is None else look.now - seconds
    if spec.source.of == "files":
        newest = _of_files(look, since)
    elif spec.source.of == "query":
        newest = _of_query(look)
    else:
        received = max(since, 0.0)
        newest = (lot.rows for lot in lots(database, job_id, newest_first=True, received=received))
    few = list(_latest(newest, spec.past.most))
    rows = put_together(few[::-1]) if few else None
    return rows if rows is None or seconds is None else _since(look, rows, since)


def _latest(newest: Iterable[Rows], most: int) -> Iterator[Rows]:
    """Yield rows from the newest on, as many as are wanted; each piece is in the order of its rows."""
    left = most
    for rows in newest:
        frame = rows.frame.tail(left)
        yield replace(rows, frame=frame)
        left -= frame.height
        if not left:
            return


def _of_files(look: Look, since: float) -> Iterator[Rows]:
    """Yield the rows of files, newest file first."""
    root, pattern = look.settings.root(look.spec.source.root), look.spec.source.files
    assert pattern is not None
    for present in reversed(listed(root, pattern, look.tell)):
        if present.modified / 1e9 < since:
            return
        ends = [_rows(batch) for batch in batches_of(look, root, Tracked(present))]
        if ends:
            yield put_together(ends)


def _of_query(look: Look) -> Iterator[Rows]:
    """Yield the rows of a query, those with the highest watermark first."""
    spec, most = look.spec.source, look.spec.past.most
    assert spec.database is not None
    assert spec.watermark is not None
    order = RowOrder(spec.watermark, descending=True)
    for columns, rows in rows_in_order(look.settings.database(spec.database), query_options(look), order):
        filled = [
            row
            for row in rows
            if spec.watermark not in columns or row[columns.index(spec.watermark)] is not None
        ]
        if filled:
            options = replace(look.options, as_written=True)
            source = text_source(f"query on {spec.database}", columns, filled[:most][::-1], options)
            yield Rows.of(source, source.read())


def _since(look: Look, rows: Rows, since: float) -> Rows:
    """Return the rows from a moment on by their time column; all of them where there is none."""
    column = look.spec.table.time_column
    if column is None:
        return rows
    source = Opener(rows.opener("past")).open(look.options)
    inside = rows_within(source, source.read(), column, (since, math.inf))
    return replace(rows, frame=rows.frame[inside])


def _rows(batch: SourceBatch) -> Rows:
    frame: pl.DataFrame = batch.source.read()
    return Rows.of(batch.source, frame)
