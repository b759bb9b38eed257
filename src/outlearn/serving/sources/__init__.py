"""Rows of jobs: what is new, what was between two moments, and what a model is fitted to.

A batch that was read and not committed is read again: positions move with the transaction that keeps what
was found, and with nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete

from outlearn.data.schema import Schema
from outlearn.pipeline.learn import Reading
from outlearn.serving.settings import Settings
from outlearn.serving.sources.batch import Place, SourceBatch, positions_of
from outlearn.serving.sources.files import file_batches
from outlearn.serving.sources.folder import Tell
from outlearn.serving.sources.look import Look, Window
from outlearn.serving.sources.past import past
from outlearn.serving.sources.pushed import pushed_batches
from outlearn.serving.sources.query import query_batches
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import positions

if TYPE_CHECKING:
    from outlearn.serving.jobs import Job  # which takes rows in by the parts of this room

__all__ = ["Look", "Place", "SourceBatch", "Window", "batches", "between", "forget", "past"]


def _silent(_: str) -> None:
    """Take a sentence and do nothing with it."""


def batches(
    database: Database,
    settings: Settings,
    job: Job,
    reading: Reading,
    *,
    schema: Schema | None = None,
    tell: Tell = _silent,
    now: float | None = None,
) -> Iterator[SourceBatch]:
    """Yield the rows of a job that nobody judged yet, as much at once as is judged and kept at once.

    Whoever judged a batch calls its `commit` in the transaction that keeps what was found, before the next.

    Parameters
    ----------
    reading : how rows are read, as the live model was taught (`Monitor.reading`).
    schema : of that model: rows that lack its columns are told of and wait.
    tell : takes sentences on what was left out and why; they belong to the result of the run.
    now : seconds since 1970, by the clock of the files.

    Raises
    ------
    ReadError
        When nothing can be read: the folder is not there, the database does not answer.
    ParameterError
        When the operator does not name the folder or database any more.
    """
    look = _look(database, settings, job, reading, schema, tell, now)
    yield from _of(look, database, job)


def between(
    database: Database,
    settings: Settings,
    job: Job,
    reading: Reading,
    window: Window,
    run_id: int,
    *,
    schema: Schema | None = None,
    tell: Tell = _silent,
    now: float | None = None,
) -> Iterator[SourceBatch]:
    """Yield the rows from one moment up to another, whether or not they were judged, for a backfill.

    How far it came is kept as of the run, apart from what is new; see `forget`.
    """
    look = _look(database, settings, job, reading, schema, tell, now)
    own = f"run {run_id}: "
    known = {part.removeprefix(own): at for part, at in look.positions.items() if part.startswith(own)}
    for batch in _of(replace(look, positions=known, window=window), database, job):
        yield replace(batch, advance={f"{own}{part}": at for part, at in batch.advance.items()})


def forget(database: Database, job: Job, run_id: int) -> None:
    """Remove how far a backfill came, when it is at its end."""
    of_run = positions.c.part.startswith(f"run {run_id}: ", autoescape=True)
    with database.writing() as connection:
        connection.execute(delete(positions).where(positions.c.job_id == job.id, of_run))


def _look(
    database: Database,
    settings: Settings,
    job: Job,
    reading: Reading,
    schema: Schema | None,
    tell: Tell,
    now: float | None,
) -> Look:
    with database.reading() as connection:
        known = positions_of(connection, job.id)
    return Look(job.spec, settings, reading, schema, known, tell, time.time() if now is None else now)


def _of(look: Look, database: Database, job: Job) -> Iterator[SourceBatch]:
    source = look.spec.source
    if source.files is not None:
        yield from file_batches(look, look.settings.root(source.root), source.files)
    elif source.query is not None:
        yield from query_batches(look)
    else:
        yield from pushed_batches(look, database, job.id)
