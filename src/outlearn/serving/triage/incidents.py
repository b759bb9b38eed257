"""Incidents as values, and the queue of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, false, func, or_, select, tuple_, update

from outlearn.errors import AbsentError, ParameterError
from outlearn.serving.store.tables import incidents, jobs

__all__ = [
    "ORDERS",
    "STATES",
    "Filter",
    "Queue",
    "QueuedIncident",
    "any_to_wake",
    "beside",
    "find",
    "find_all",
    "queue",
    "wake",
]

STATES = ("open", "decided", "snoozed", "suppressed", "quiet")
ORDERS = ("gravest", "newest", "useful")
Order = Literal["gravest", "newest", "useful"]
MOST = 200  # incidents of one page
_BY = {"gravest": incidents.c.score, "newest": incidents.c.opened, "useful": incidents.c.usefulness}


@dataclass(frozen=True, slots=True)
class QueuedIncident:
    """An incident in the queue.

    job : its name. state : "open"; "decided" by a verdict; "snoozed" until a moment; "suppressed" as a
    pattern says; "quiet": what verdicts taught put all of its rows below the threshold.
    revision : counts its changes. opened, changed, began, finished, snoozed_until : seconds since 1970.
    pattern : alike incidents share it. title : the reason, in a sentence. rows : how many it has.
    score : the highest of its rows, in [0, 1], as the live version has it. finding : reasons and facts, as
    plain values. answer : of the verdict that holds. usefulness : the higher, the more a verdict would teach.
    """

    id: int
    job_id: int
    job: str
    run_id: int
    model_id: int
    state: str
    revision: int
    opened: float
    changed: float
    entity: str
    kind: str
    pattern: str
    title: str
    rows: int
    score: float
    p_value: float | None
    began: float | None
    finished: float | None
    finding: dict[str, Any]
    answer: str | None
    assigned: str | None
    snoozed_until: float | None
    usefulness: float | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which incidents are wanted; what is None has no say.

    state : of `STATES`. job : a name. answer : of the verdict.
    text : a part of the title or the entity. since, before : of the moment when it was opened.
    """

    state: str | None = "open"
    job: str | None = None
    entity: str | None = None
    answer: str | None = None
    assigned: str | None = None
    pattern: str | None = None
    text: str | None = None
    since: float | None = None
    before: float | None = None

    def __post_init__(self) -> None:
        if self.state is not None and self.state not in STATES:
            raise ParameterError(f"the state is {self.state!r}; wanted one of {', '.join(STATES)}")

    def holds(self) -> list[ColumnElement[bool]]:
        """Return the conditions, at a moment."""
        table = incidents.c
        conditions: list[ColumnElement[bool]] = []
        if self.state is not None:
            conditions.append(table.state == self.state)
        for name in ("entity", "answer", "assigned", "pattern"):
            value = getattr(self, name)
            if value is not None:
                conditions.append(table[name] == value)
        if self.job is not None:
            named = select(jobs.c.id).where(jobs.c.name == self.job).scalar_subquery()
            conditions.append(table.job_id == named)
        if self.text:
            found = [column.icontains(self.text, autoescape=True) for column in (table.title, table.entity)]
            conditions.append(or_(false(), *found))
        if self.since is not None:
            conditions.append(table.opened >= self.since)
        if self.before is not None:
            conditions.append(table.opened < self.before)
        return conditions


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of incidents in their order, where the next one begins, and how many there are in all.

    after : to be given for the next page; None when this is the last.
    """

    items: tuple[QueuedIncident, ...]
    after: tuple[float, int] | None
    total: int


def queue(
    connection: Connection,
    filter: Filter,
    *,
    order: str = "gravest",
    after: tuple[float, int] | None = None,
    limit: int = 50,
) -> Queue:
    """Return a page of incidents.

    order : "gravest" by score, "newest" by when they were opened, "useful" by what a verdict would teach.

    Raises
    ------
    ParameterError
        For an order that there is not, or a limit out of range.
    """
    if order not in ORDERS:
        raise ParameterError(f"the order is {order!r}; wanted one of {', '.join(ORDERS)}")
    if not 1 <= limit <= MOST:
        raise ParameterError(f"{limit} incidents were asked for; wanted 1 to {MOST}")
    by, conditions = _BY[order], filter.holds()
    if order == "useful":
        conditions.append(by.is_not(None))
    total = connection.execute(select(func.count()).select_from(incidents).where(*conditions)).scalar_one()
    if after is not None:
        conditions.append(tuple_(by, incidents.c.id) < tuple_(*after))
    query = _named().where(*conditions).order_by(by.desc(), incidents.c.id.desc()).limit(limit + 1)
    found = [_incident(row) for row in connection.execute(query).mappings()]
    last = found[limit - 1] if len(found) > limit else None
    place = None if last is None else (float(getattr(last, by.name)), last.id)
    return Queue(tuple(found[:limit]), place, total)


def wake(connection: Connection, now: float) -> None:
    """Open the incidents whose snooze is over, in a transaction of the caller."""
    fields = {"state": "open", "changed": now, "revision": incidents.c.revision + 1}
    connection.execute(update(incidents).where(_over(now)).values(**fields))


def any_to_wake(connection: Connection, now: float) -> bool:
    """Say whether the snooze of an incident is over that is not open yet."""
    return connection.execute(select(incidents.c.id).where(_over(now)).limit(1)).first() is not None


def _over(now: float) -> ColumnElement[bool]:
    return (incidents.c.state == "snoozed") & (incidents.c.snoozed_until <= now)


def beside(
    connection: Connection, id: int, filter: Filter, *, order: str = "gravest"
) -> tuple[int | None, int | None]:
    """Return the incidents before and after one in a queue, None at its ends.

    It need not be in the queue itself, as one that was just decided: then its place is where it would be. In
    the order "useful" one that nobody asks about any more comes before all others.

    Raises
    ------
    AbsentError
        When there is none of that id.
    """
    by, conditions = _BY[order], filter.holds()
    query = select(incidents.c.id).where(*conditions, by.is_not(None), incidents.c.id != id).limit(1)
    later = query.order_by(by.desc(), incidents.c.id.desc())
    value = getattr(find(connection, id), by.name)
    if value is None:
        return None, connection.execute(later).scalar()
    key, place = tuple_(by, incidents.c.id), tuple_(value, id)
    earlier = query.where(key > place).order_by(by, incidents.c.id)
    return connection.execute(earlier).scalar(), connection.execute(later.where(key < place)).scalar()


def find(connection: Connection, id: int) -> QueuedIncident:
    """Return an incident by its id.

    Raises
    ------
    AbsentError
        When there is none.
    """
    return find_all(connection, [id])[0]


def find_all(connection: Connection, ids: Sequence[int]) -> list[QueuedIncident]:
    """Return incidents by their ids, in that order.

    Raises
    ------
    AbsentError
        When one is not there.
    """
    query = _named().where(incidents.c.id.in_(ids))
    found = {row["id"]: _incident(row) for row in connection.execute(query).mappings()}
    absent = [id for id in ids if id not in found]
    if absent:
        raise AbsentError(f"there is no incident {absent[0]}")
    return [found[id] for id in ids]


def _named() -> Select[Any]:
    return select(incidents, jobs.c.name.label("job")).join(jobs, jobs.c.id == incidents.c.job_id)


def _incident(row: RowMapping) -> QueuedIncident:
    return QueuedIncident(**{**row, "finding": json.loads(row["finding"])})
