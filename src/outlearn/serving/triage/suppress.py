"""Patterns of what is known to be good, in the store: what they would hide, and what they do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, select

from outlearn.alerts.patterns import Pattern, parse_condition
from outlearn.data.kinds.registry import kind_named
from outlearn.data.named import literal
from outlearn.data.schema import unknown_column
from outlearn.errors import ParameterError
from outlearn.pipeline.suppression import Suppression
from outlearn.serving.rows import frame_of
from outlearn.serving.store.tables import incidents, kept, suppressions

__all__ = ["Preview", "Stored", "matching", "patterns_of", "preview", "stored_of"]

LOOKED = 20_000  # kept rows that a preview looks at, the latest


@dataclass(frozen=True, slots=True)
class Stored:
    """A pattern: conditions that all hold, such as "src_ip=10.0.0.0/24", why, by whom, and until when.

    created, until, revoked : seconds since 1970. hidden : how many flagged rows it hid.
    """

    id: int
    conditions: tuple[str, ...]
    why: str
    who: str
    created: float
    until: float | None
    revoked: float | None
    revoked_by: str | None
    hidden: int

    def idle(self, now: float) -> str:
        """Return why it does nothing at a moment, in words; "" where it holds."""
        if self.revoked is not None:
            return f"revoked by {self.revoked_by}"
        return "expired" if self.until is not None and now >= self.until else ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a pattern would have hidden among the kept rows.

    looked : rows of incidents that were looked at. rows : that match. incidents : all of whose rows do, with
    confirmed : those that were decided to be anomalies; it names at most 100 of each.
    """

    looked: int
    rows: int
    incidents: tuple[int, ...]
    confirmed: tuple[int, ...]


def stored_of(connection: Connection, job_id: int) -> list[Stored]:
    """Return all patterns of a job, those that do nothing any more too, latest first."""
    query = select(suppressions).where(suppressions.c.job_id == job_id).order_by(suppressions.c.id.desc())
    return [_stored(row) for row in connection.execute(query).mappings()]


def patterns_of(connection: Connection, job_id: int, now: float) -> Suppression:
    """Return the patterns of a job that hold at a moment."""
    held = [one for one in stored_of(connection, job_id) if not one.idle(now)]
    return Suppression(tuple(_pattern(one.id, one.conditions, one.why, one.who) for one in reversed(held)))


def matching(
    connection: Connection, job_id: int, conditions: Sequence[str]
) -> dict[int, tuple[int, int, str]]:
    """Return for each incident with kept rows how many it has, how many match, and its state or answer.

    Raises
    ------
    InputError
        For a condition that is none, or on a column that no row has.
    """
    if not conditions:
        raise ParameterError("no condition was given; wanted at least one, such as src_ip=10.0.0.5")
    pattern = _pattern(1, conditions, "", "")
    query = (
        select(kept.c.incident_id, kept.c.cells, incidents.c.kind, incidents.c.state, incidents.c.answer)
        .join(incidents, incidents.c.id == kept.c.incident_id)
        .where(kept.c.job_id == job_id)
        .order_by(kept.c.id.desc())
        .limit(LOOKED)
    )
    rows = list(connection.execute(query).mappings())
    if not rows:
        return {}
    frame, kind = frame_of([row["cells"] for row in rows]), kind_named(rows[0]["kind"])
    for condition in pattern.where:
        if kind.column_of(literal(condition.column), frame.columns) is None:
            raise unknown_column(condition.column, frame.columns, what="the pattern")
    hits = Suppression((pattern,)).ids(frame, kind) > 0
    counts: dict[int, tuple[int, int, str]] = {}
    for row, hit in zip(rows, hits.tolist(), strict=True):
        total, matched, _ = counts.get(row["incident_id"], (0, 0, ""))
        state = row["answer"] or row["state"]
        counts[row["incident_id"]] = (total + 1, matched + int(hit), state)
    return counts


def preview(connection: Connection, job_id: int, conditions: Sequence[str]) -> Preview:
    """Return what a pattern would have hidden."""
    counts = matching(connection, job_id, conditions)
    whole = [id for id, (total, matched, _) in counts.items() if total == matched]
    return Preview(
        sum(total for total, _, _ in counts.values()),
        sum(matched for _, matched, _ in counts.values()),
        tuple(whole[:100]),
        tuple(id for id in whole if counts[id][2] == "anomaly")[:100],
    )


def _pattern(id: int, conditions: Sequence[str], why: str, who: str) -> Pattern:
    return Pattern(id, tuple(map(parse_condition, conditions)), why, who, datetime.now(UTC).isoformat())


def _stored(row: RowMapping) -> Stored:
    fields = {name: row[name] for name in Stored.__dataclass_fields__}
    return Stored(**{**fields, "conditions": tuple(json.loads(row["conditions"]))})
