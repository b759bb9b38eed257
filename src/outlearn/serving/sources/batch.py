"""What is read at once: rows in memory, whose they are, and how far that brings the source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, func, insert, select, update

from outlearn.data.readers import Source
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import positions, pushed

__all__ = ["Place", "Positions", "SourceBatch", "bounded", "positions_of", "runs_of"]

#: How far each part of a source was read; None: what was known of it goes.
Positions = Mapping[str, Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Place:
    """Rows of a batch that follow one another in what they are of, from a number there on."""

    name: str
    start: int
    rows: int


@dataclass(frozen=True, slots=True)
class SourceBatch:
    """Rows that nobody judged yet, as many as are kept at once.

    source : the rows, in memory. places : what they are of, in their order. advance : positions by part, as
    they are when the batch was judged. pushed_ids : of lots of pushed rows that are judged then; of all such
    the newest `kept` rows stay for the next fit.
    """

    source: Source
    places: tuple[Place, ...]
    advance: Positions
    pushed_ids: tuple[int, ...] = ()
    kept: int = 0

    @property
    def name(self) -> str:
        """What the first row is of."""
        return self.places[0].name

    @property
    def start_row(self) -> int:
        """The number of the first row in what it is of, from 0."""
        return self.places[0].start

    @property
    def rows(self) -> int:
        return sum(place.rows for place in self.places)

    def place(self, row: int) -> tuple[str, int]:
        """Return what a row of the batch is of, and its number there.

        >>> frame = pl.DataFrame({"a": [1, 2, 3]})
        >>> batch = SourceBatch(bounded(frame, "x"), (Place("x", 7, 1), Place("y", 0, 2)), {})
        >>> batch.place(0), batch.place(2)
        (('x', 7), ('y', 1))
        """
        rest = row
        for place in self.places:
            if 0 <= rest < place.rows:
                return place.name, place.start + rest
            rest -= place.rows
        raise IndexError(f"row {row} of a batch of {self.rows}")

    def commit(self, database: Database, connection: Connection, job_id: int) -> None:
        """Keep how far the source was read, in the transaction that keeps what was found in the rows."""
        now = database.now(connection)
        for part, document in self.advance.items():
            there = (positions.c.job_id == job_id) & (positions.c.part == part)
            connection.execute(delete(positions).where(there))
            if document is not None:
                values = {"job_id": job_id, "part": part, "document": json.dumps(document), "changed": now}
                connection.execute(insert(positions).values(**values))
        if self.pushed_ids:
            of_job = pushed.c.job_id == job_id
            done = of_job & pushed.c.id.in_(self.pushed_ids)
            connection.execute(update(pushed).where(done).values(judged=now))
            newer = func.sum(pushed.c.rows).over(order_by=pushed.c.id.desc())
            judged = of_job & pushed.c.judged.is_not(None)
            counted = select(pushed.c.id, (newer - pushed.c.rows).label("newer")).where(judged).subquery()
            beyond = select(func.max(counted.c.id)).where(counted.c.newer >= self.kept)
            last = connection.execute(beyond).scalar()
            if last is not None:
                connection.execute(delete(pushed).where(judged, pushed.c.id <= last))


def positions_of(connection: Connection, job_id: int) -> dict[str, dict[str, Any]]:
    """Return how far each part of the source of a job was read."""
    query = select(positions.c.part, positions.c.document).where(positions.c.job_id == job_id)
    return {row.part: json.loads(row.document) for row in connection.execute(query)}


def bounded(frame: pl.DataFrame, name: str, like: Source | None = None) -> Source:
    """Return rows in memory as a source, of the kind of another one."""
    if like is None:
        return Source(name, tuple(frame.columns), frame.iter_slices, rows=frame.height)
    return replace(
        like, name=name, columns=tuple(frame.columns), batches=frame.iter_slices, rows=frame.height
    )


def runs_of(name: str, rows: Iterable[int]) -> tuple[Place, ...]:
    """Return ascending numbers of rows as places.

    >>> runs_of("a", [3, 4, 9])
    (Place(name='a', start=3, rows=2), Place(name='a', start=9, rows=1))
    """
    places: list[Place] = []
    for row in rows:
        if places and places[-1].start + places[-1].rows == row:
            places[-1] = replace(places[-1], rows=places[-1].rows + 1)
        else:
            places.append(Place(name, row, 1))
    return tuple(places)
