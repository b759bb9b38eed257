"""New rows that were pushed, in their order: several small lots in one batch, a large one in several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from outlearn.errors import ReadError, SchemaError
from outlearn.serving.sources.batch import Place, SourceBatch
from outlearn.serving.sources.look import Look
from outlearn.serving.sources.stored import Rows, put_together, unpacked
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import pushed

__all__ = ["PART", "Lot", "lots", "pushed_batches"]

PART = "push"
MOST_LOTS = 1_000  # that are looked up at once


@dataclass(frozen=True, slots=True)
class Lot:
    """Rows that were pushed at once. start : of them that were judged before."""

    id: int
    name: str
    rows: Rows
    start: int = 0

    @property
    def height(self) -> int:
        return self.rows.frame.height

    def place(self, start: int, rows: int) -> Place:
        """Return rows of it as a place; several lots may have one name."""
        return Place(f"{self.name} (push {self.id})", start, rows)


def pushed_batches(look: Look, database: Database, job_id: int) -> Iterator[SourceBatch]:
    """Yield the rows that wait. What the model cannot read is told of and waits on."""
    most = look.settings.batch_rows
    held: list[Lot] = []
    for lot in _waiting(look, database, job_id):
        size = sum(one.height for one in held)
        if held and (size + lot.height > most or not _alike(held[-1], lot)):
            yield from _batches(look, held)
            held = []
        if lot.height > most or lot.start:
            yield from _pieces(look, lot)
        else:
            held.append(lot)
    yield from _batches(look, held)


def _kept(look: Look) -> int:
    """Return how many rows stay when they are judged: those that the next model is fitted to."""
    return look.spec.past.most if look.spec.past.reference is None else 0


def lots(
    database: Database, job_id: int, *, newest_first: bool = False, received: float | None = None
) -> Iterator[Lot]:
    """Yield the lots of a job that wait, as many at once as take little memory.

    received : since when they came, for those that do not wait any more too.
    """
    of_job = pushed.c.job_id == job_id
    wanted = pushed.c.judged.is_(None) if received is None else pushed.c.received >= received
    query = select(pushed.c.id, pushed.c.rows).where(of_job, wanted)
    order = pushed.c.id.desc() if newest_first else pushed.c.id
    with database.reading() as connection:
        waiting = connection.execute(query.order_by(order)).all()
    for start in range(0, len(waiting), MOST_LOTS):
        for few in _few(waiting[start : start + MOST_LOTS]):
            with database.reading() as connection:
                found = connection.execute(select(pushed).where(pushed.c.id.in_(few)).order_by(order)).all()
            for row in found:
                yield Lot(row.id, row.name, unpacked(row.content))


def _few(waiting: Sequence[tuple[int, int]], most: int = 50_000) -> Iterator[list[int]]:
    """Yield ids in groups of few rows."""
    group, size = list[int](), 0
    for id, rows in waiting:
        if group and size + rows > most:
            yield group
            group, size = [], 0
        group.append(id)
        size += rows
    if group:
        yield group


def _waiting(look: Look, database: Database, job_id: int) -> Iterator[Lot]:
    state = look.positions.get(PART) or {}
    for lot in lots(database, job_id):
        yield replace(lot, start=int(state["rows"])) if state.get("id") == lot.id else lot


def _alike(one: Lot, other: Lot) -> bool:
    """Tell whether rows of two lots are read alike, together or apart."""
    first, second = one.rows, other.rows
    if (first.is_text, first.keys, first.kind) != (second.is_text, second.keys, second.kind):
        return False
    return (first.is_text and first.keys) or dict(first.frame.schema) == dict(second.frame.schema)


def _batches(look: Look, few: Sequence[Lot]) -> Iterator[SourceBatch]:
    """Yield lots as one batch; where that cannot be read, each one that can."""
    if not few:
        return
    rows = put_together([lot.rows for lot in few])
    try:
        source = look.opened(few[0].name, rows.opener(few[0].name), keys=rows.keys)
    except (ReadError, SchemaError) as error:
        if len(few) == 1:
            look.tell(f"{few[0].name} (push {few[0].id}) waits on, for it cannot be read ({error})")
        else:
            for lot in few:
                yield from _batches(look, [lot])
        return
    if source.rows != sum(lot.height for lot in few) and len(few) > 1:  # a kind that leaves rows out
        for lot in few:
            yield from _batches(look, [lot])
        return
    places = tuple(lot.place(0, lot.height) for lot in few)
    if len(few) == 1:
        places = (few[0].place(0, source.rows or 0),)
    ids = tuple(lot.id for lot in few)
    yield SourceBatch(replace(source, name=places[0].name), places, {}, ids, _kept(look))


def _pieces(look: Look, lot: Lot) -> Iterator[SourceBatch]:
    """Yield a lot that is too large for one batch, from the row on that is next."""
    try:
        frame = look.opened(lot.name, lot.rows.opener(lot.name), keys=lot.rows.keys)
    except (ReadError, SchemaError) as error:
        look.tell(f"{lot.name} (push {lot.id}) waits on, for it cannot be read ({error})")
        return
    whole, most = frame.read(), look.settings.batch_rows
    for start in range(lot.start, whole.height, most):
        piece = whole.slice(start, most)
        place = lot.place(start, piece.height)
        source = replace(frame, name=place.name, batches=piece.iter_slices, rows=piece.height)
        if start + most >= whole.height:
            yield SourceBatch(source, (place,), {PART: None}, (lot.id,), _kept(look))
        else:
            yield SourceBatch(source, (place,), {PART: {"id": lot.id, "rows": start + most}})
