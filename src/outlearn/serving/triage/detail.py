"""All that a page shows of one incident."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from outlearn.serving.store.tables import comments, incidents, kept
from outlearn.serving.triage.incidents import QueuedIncident, find, find_all
from outlearn.serving.triage.verdicts import Opinion, holding, said_of

__all__ = ["Comment", "Detail", "IncidentRow", "detail_of"]

ALIKE = 10  # incidents that a page names


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """A row of an incident: its number in its source, scores when it came and now, its time and its cells.

    cells : by column, as `findings.cells.cell_out` writes them.
    """

    id: int
    source: str
    row: int
    identity: str
    score: float
    now: float
    time: float | None
    cells: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote about an incident; when : seconds since 1970."""

    id: int
    when: float
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Detail:
    """An incident with its rows, highest score first, and what was said of it.

    said : all verdicts, those that were taken back too. holding : by person, the answer that holds.
    conflict : whether two people hold that it is an anomaly and that it is normal.
    alike : earlier and later incidents of the same pattern, latest first; alike_answers counts by answer what
    was decided on all of them, "" for nothing.
    """

    incident: QueuedIncident
    rows: tuple[IncidentRow, ...]
    said: tuple[Opinion, ...]
    holding: dict[str, str]
    conflict: bool
    comments: tuple[Comment, ...]
    alike: tuple[QueuedIncident, ...]
    alike_answers: dict[str, int]


def detail_of(connection: Connection, id: int) -> Detail:
    """Return an incident with all that belongs to it.

    Raises
    ------
    AbsentError
        When there is none of that id.
    """
    incident = find(connection, id)
    said = said_of(connection, id)
    holds = {who: one.answer for who, one in holding(said).items()}
    alike = (incidents.c.job_id == incident.job_id) & (incidents.c.pattern == incident.pattern)
    alike &= incidents.c.id != id
    latest = select(incidents.c.id).where(alike).order_by(incidents.c.id.desc()).limit(ALIKE)
    answers = (
        select(func.coalesce(incidents.c.answer, ""), func.count()).where(alike).group_by(incidents.c.answer)
    )
    return Detail(
        incident,
        tuple(_rows(connection, id)),
        tuple(said),
        holds,
        {"anomaly", "normal"} <= set(holds.values()),
        tuple(
            Comment(row.id, row.when, row.who, row.text)
            for row in connection.execute(
                select(comments).where(comments.c.incident_id == id).order_by(comments.c.id)
            )
        ),
        tuple(find_all(connection, [int(one) for one in connection.execute(latest).scalars()])),
        {str(answer): int(count) for answer, count in connection.execute(answers)},
    )


def _rows(connection: Connection, id: int) -> list[IncidentRow]:
    query = select(kept).where(kept.c.incident_id == id).order_by(kept.c.score.desc(), kept.c.id)
    names = ("id", "source", "row", "identity", "score", "now", "time")
    return [
        IncidentRow(**{name: row[name] for name in names}, cells=json.loads(row["cells"]))
        for row in connection.execute(query).mappings()
    ]
