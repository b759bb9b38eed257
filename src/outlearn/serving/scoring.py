"""Rows judged by the live model of a job and not kept: no incident, no run, no entry in the audit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outlearn.errors import ConflictError
from outlearn.pipeline.scan import score_rows
from outlearn.pipeline.stages import Stages
from outlearn.serving.access import Actor, UserRole
from outlearn.serving.found import FoundIncident, Grouping, judge, standing_decision
from outlearn.serving.push import Content, came, opened_for

if TYPE_CHECKING:
    from outlearn.data.readers import Source
    from outlearn.pipeline.monitor import Monitor
    from outlearn.serving.jobs import Job
    from outlearn.serving.models import Version
    from outlearn.serving.service import Service

__all__ = ["Live", "Scored", "opened_live", "score"]


@dataclass(frozen=True, slots=True)
class Scored:
    """What the live model says of n rows.

    model : number of the version. scores : (n,) in [0, 1], None for a row without any cell.
    flagged : numbers of the rows from the threshold on, from 0. promise : what holds of the threshold.
    incidents : flagged rows with their reasons, gravest first, where they were asked for.
    """

    rows: int
    model: int
    threshold: float
    promise: str
    scores: tuple[float | None, ...]
    flagged: tuple[int, ...]
    incidents: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Live:
    """Rows beside the live model of a job, read as it was taught; notes : on how they came."""

    job: Job
    version: Version
    monitor: Monitor
    source: Source
    notes: tuple[str, ...]


def score(
    service: Service,
    actor: Actor,
    name: str,
    content: Content,
    *,
    media: str = "",
    filename: str = "rows",
    explain: bool = False,
) -> Scored:
    """Judge rows by the live model of a job, and keep nothing.

    content, media, filename : as of `Jobs.push`. explain : whether flagged rows come with reasons.

    Raises
    ------
    AccessError, AbsentError
        Without the role of an analyst; when there is no such job.
    ConflictError
        While the job has no model.
    ReadError, SchemaError
        When the rows cannot be read, or lack columns that the model reads.
    """
    live = opened_live(service, actor, name, content, media=media, filename=filename)
    detector, source = live.monitor.detector, live.source
    scan = score_rows(detector, source, Stages(None))
    decision = standing_decision(detector, scan)
    grouping = Grouping(live.job.spec.entity, live.job.spec.gap_seconds)
    incidents = judge(live.monitor, source, grouping).incidents if explain and decision.flagged.any() else ()
    return Scored(
        rows=len(scan.scores),
        model=live.version.number,
        threshold=decision.threshold,
        promise=decision.promise.text,
        scores=tuple(
            None if empty or not math.isfinite(value) else float(value)
            for value, empty in zip(scan.scores, scan.empty, strict=True)
        ),
        flagged=tuple(np.flatnonzero(decision.flagged).tolist()),
        incidents=tuple(map(_plain, incidents)),
        notes=tuple(dict.fromkeys((*live.notes, *source.notes, *scan.notes))),
    )


def opened_live(
    service: Service,
    actor: Actor,
    name: str,
    content: Content,
    *,
    media: str = "",
    filename: str = "rows",
) -> Live:
    """Return rows as the live model of a job reads them, with the model; see `score`."""
    actor.require(UserRole.ANALYST, "score rows")
    job = service.jobs.get(name)
    version = service.models.live(job.id)
    if version is None:
        raise ConflictError(f"job {name} has no model yet; run it with kind fit, and wait until that is done")
    monitor = service.models.load(version)
    called, rows = came(content, job.spec, service.settings, media=media, filename=filename)
    source = opened_for(monitor, rows, called, job.spec, service.settings)
    return Live(job, version, monitor, source, tuple(rows.notes))


def _plain(found: FoundIncident) -> dict[str, Any]:
    incident = found.incident
    return {
        "entity": incident.entity,
        "title": found.title,
        "pattern": found.pattern,
        "score": incident.score,
        "p_value": incident.p_value,
        "rows": list(incident.rows),
        "finding": found.finding,
    }
