"""Verdicts act: a version that has learnt from those that hold, and what it changes among the kept rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, bindparam, or_, select, update

from outlearn import __version__
from outlearn.feedback.verdict import Answer
from outlearn.pipeline.labelled import learn_answers, limits_of_labels
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.scan import score_rows
from outlearn.pipeline.stages import Stages
from outlearn.serving.access import Actor
from outlearn.serving.found import FoundIncident, Grouping, judge
from outlearn.serving.models import ModelDraft, Models, Version
from outlearn.serving.rows import frame_of, source_of
from outlearn.serving.store import audit
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import incidents, kept
from outlearn.serving.triage.keep import keep_incidents
from outlearn.serving.triage.verdicts import labels_of

__all__ = ["Lesson", "keep_lesson", "study"]

AGAIN = 20_000  # kept rows that are judged again, the latest
LISTED = 200  # incidents that an effect names
PIECE = 500  # values in one condition


@dataclass(frozen=True, slots=True)
class _Moved:
    """Kept rows (k,) with their incidents (0 for none), and scores (k,) before and after."""

    ids: NDArray[np.int64]
    incidents: NDArray[np.int64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What came of learning from the verdicts that hold; nothing is in the store yet.

    base : the fit that was learnt from. draft : the new version; None where no verdict is left, so that the
    base itself judges again. moved : how the kept rows fare. thresholds : of the live version, and of the
    new one. risen : rows near the threshold that are above it now, as incidents, with the ids of kept rows.
    labels : how many rows had a verdict. notes : sentences.
    """

    base: Version
    draft: ModelDraft | None
    moved: _Moved
    thresholds: tuple[float, float]
    risen: tuple[tuple[FoundIncident, tuple[int, ...]], ...]
    labels: int
    notes: tuple[str, ...]


def study(
    database: Database,
    models: Models,
    job_id: int,
    *,
    base: Version | None = None,
    grouping: Grouping | None = None,
    definition: Mapping[str, Any],
) -> Lesson | None:
    """Learn from the verdicts of a job, from its last fit on; None where the live version knows just these.

    base : another fit to learn from, such as one made a moment ago. grouping : of rows that rise.
    definition : of the job, for the record.

    Raises
    ------
    InputError
        When the rows can no longer be judged.
    """
    live = models.live(job_id)
    if live is None:
        return None
    base = base or (live if live.base_id is None else models.by_id(live.base_id))
    with database.reading() as connection:
        held = labels_of(connection, job_id)
        again = list(connection.execute(_judged_again(job_id)).mappings())
    labelled = {identity: told for identity, told in held.items() if told[0].label >= 0}
    known = _digest(labelled)
    if base.id in (live.id, live.base_id) and live.provenance.get("labels", _digest({})) == known:
        return None
    before, fitted = models.load(live), models.load(base)
    after = _learnt(fitted, labelled)
    draft = None
    if after is not fitted:
        provenance = {
            "definition": dict(definition),
            "base": base.number,
            "labels": known,
            "rows": len(labelled),
            "version": __version__,
            "seed": fitted.detector.seed_,
        }
        draft = ModelDraft.of(after, "verdicts", provenance=provenance, base_id=base.id)
    moved = _judge_again(after, again)
    thresholds = (float(before.detector.threshold_), float(after.detector.threshold_))
    return Lesson(
        base,
        draft,
        moved,
        thresholds,
        _risen(after, again, moved, thresholds, grouping),
        len(labelled),
        limits_of_labels(fitted.detector),
    )


def keep_lesson(
    database: Database,
    connection: Connection,
    models: Models,
    lesson: Lesson,
    actor: Actor,
    *,
    job_id: int,
    run_id: int,
    live: bool,
) -> dict[str, Any]:
    """Add the new version, and what it changes, in a transaction of the caller; return what changed.

    live : whether the version judges from now on; else it is the shadow, and nothing else changes.
    """
    if lesson.draft is not None:
        stage = "live" if live else "shadow"
        version = models.add(connection, job_id, lesson.draft, actor, stage=stage)  # type: ignore[arg-type]
    else:
        version = models.revert(connection, lesson.base, actor)
    effect = _effect(connection, lesson)
    effect |= {"model": version.number, "labels": lesson.labels, "live": live, "notes": list(lesson.notes)}
    if live:
        _move(database, connection, lesson, effect, job_id=job_id, run_id=run_id, model_id=version.id)
    audit.note(database, connection, "learnt", job_id, run=run_id, fell=effect["fell"], rose=effect["rose"])
    return effect


def _judged_again(job_id: int) -> Any:
    """Return the query of rows whose score a page shows, or that may come above the threshold."""
    shown = or_(kept.c.incident_id.is_(None), incidents.c.state.in_(("open", "snoozed", "quiet")))
    return (
        select(kept.c.id, kept.c.incident_id, kept.c.now, kept.c.cells, kept.c.row, kept.c.source)
        .join(incidents, incidents.c.id == kept.c.incident_id, isouter=True)
        .where(kept.c.job_id == job_id, shown)
        .order_by(kept.c.id.desc())
        .limit(AGAIN)
    )


def _digest(labelled: Mapping[str, tuple[Answer, str]]) -> str:
    told = sorted((identity, answer.value) for identity, (answer, _) in labelled.items())
    return sha256("\n".join("=".join(one) for one in told).encode()).hexdigest()


def _learnt(fitted: Monitor, labelled: Mapping[str, tuple[Answer, str]]) -> Monitor:
    if not labelled:
        return fitted
    labels = np.array([answer.label for answer, _ in labelled.values()], dtype=np.int8)
    return learn_answers(fitted, "verdicts", frame_of([cells for _, cells in labelled.values()]), labels)


def _judge_again(monitor: Monitor, again: list[RowMapping]) -> _Moved:
    if again:
        source = source_of(monitor, frame_of([row["cells"] for row in again]), "kept rows")
        scores = score_rows(monitor.detector, source, Stages(None)).scores
    else:
        scores = np.empty(0)
    return _Moved(
        np.array([row["id"] for row in again], np.int64),
        np.array([row["incident_id"] or 0 for row in again], np.int64),
        np.array([row["now"] for row in again], np.float64),
        scores,
    )


def _risen(
    monitor: Monitor,
    again: list[RowMapping],
    moved: _Moved,
    thresholds: tuple[float, float],
    grouping: Grouping | None,
) -> tuple[tuple[FoundIncident, tuple[int, ...]], ...]:
    """Return incidents of the rows that had none and are above the threshold now."""
    above = (moved.incidents == 0) & (moved.before < thresholds[0]) & (moved.after >= thresholds[1])
    places = np.flatnonzero(above)
    if not len(places):
        return ()
    frame = frame_of([again[place]["cells"] for place in places])
    found = judge(monitor, source_of(monitor, frame, "kept rows"), grouping)
    return tuple(
        (incident, tuple(int(moved.ids[places[row.row]]) for row in incident.rows))
        for incident in found.incidents
    )


def _effect(connection: Connection, lesson: Lesson) -> dict[str, Any]:
    moved, (before, after) = lesson.moved, lesson.thresholds
    above, now = moved.before >= before, moved.after >= after
    of_incident = moved.incidents > 0
    touched = np.unique(moved.incidents[of_incident])
    still = set(np.unique(moved.incidents[of_incident & now]).tolist())
    fallen = [int(id) for id in touched if int(id) not in still]
    # An incident that is no longer open keeps its place, whatever its rows score.
    states = _states(connection, [*fallen, *still])
    return {
        "judged": len(moved.ids),
        "fell": int((above & ~now).sum()),
        "rose": int((~above & now).sum()),
        "quiet": [id for id in fallen if states.get(id) == "open"],
        "reopened": [id for id in sorted(still) if states.get(id) == "quiet"],
        "opened": [],
        "threshold": after,
    }


def _states(connection: Connection, ids: list[int]) -> dict[int, str]:
    states: dict[int, str] = {}
    for start in range(0, len(ids), PIECE):
        these = incidents.c.id.in_(ids[start : start + PIECE])
        query = select(incidents.c.id, incidents.c.state).where(these)
        states |= {row.id: row.state for row in connection.execute(query)}
    return states


def _rescore(connection: Connection, moved: _Moved) -> None:
    """Give incidents the highest score that their rows have now, by which a queue orders them."""
    places = np.flatnonzero(moved.incidents)
    if not len(places):
        return
    ids, which = np.unique(moved.incidents[places], return_inverse=True)
    highest = np.zeros(len(ids))
    np.maximum.at(highest, which, moved.after[places])
    values = [{"of": id, "to": score} for id, score in zip(ids.tolist(), highest.tolist(), strict=True)]
    query = update(incidents).where(incidents.c.id == bindparam("of")).values(score=bindparam("to"))
    connection.execute(query, values)


def _move(
    database: Database,
    connection: Connection,
    lesson: Lesson,
    effect: dict[str, Any],
    *,
    job_id: int,
    run_id: int,
    model_id: int,
) -> None:
    """Write scores as they are now, the incidents that went quiet or came back, and new ones."""
    now, moved = database.now(connection), lesson.moved
    if len(moved.ids):
        pairs = zip(moved.ids.tolist(), moved.after.tolist(), strict=True)
        values = [{"of": id, "to": score} for id, score in pairs]
        query = update(kept).where(kept.c.id == bindparam("of")).values(now=bindparam("to"))
        connection.execute(query, values)
        _rescore(connection, moved)
    for name, state in (("quiet", "quiet"), ("reopened", "open")):
        for start in range(0, len(effect[name]), PIECE):
            these = incidents.c.id.in_(effect[name][start : start + PIECE])
            fields = {"state": state, "changed": now, "revision": incidents.c.revision + 1}
            connection.execute(update(incidents).where(these).values(**fields))
    found = [incident for incident, _ in lesson.risen]
    bare = [FoundIncident(one.incident, one.pattern, one.title, one.finding, ()) for one in found]
    effect["opened"] = keep_incidents(
        database, connection, bare, "", job_id=job_id, run_id=run_id, model_id=model_id
    )
    for id, (_, rows) in zip(effect["opened"], lesson.risen, strict=True):
        connection.execute(update(kept).where(kept.c.id.in_(rows)).values(incident_id=id))
    for name in ("quiet", "reopened", "opened"):
        effect[f"{name} in all"] = len(effect[name])
        effect[name] = effect[name][:LISTED]
