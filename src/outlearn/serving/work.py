"""What a worker does on a run: fit a model, judge rows, or learn from verdicts.

Each step is done first and kept afterwards, in one transaction that also says how far the run came: so a
worker that is killed before it leaves nothing behind, and one that is killed after it has nothing to repeat.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from outlearn.errors import InputError, OutlearnError
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.request import FitRequest
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.fitting import fit, keep_usefulness, usefulness
from outlearn.serving.found import Found, Grouping, judge
from outlearn.serving.heartbeat import Heartbeat
from outlearn.serving.jobs import Job
from outlearn.serving.learn import keep_lesson, study
from outlearn.serving.models import Version
from outlearn.serving.outcome import RunOutcome
from outlearn.serving.runs import Claim
from outlearn.serving.service import Service
from outlearn.serving.sources import SourceBatch, batches, between, forget, past
from outlearn.serving.store import audit
from outlearn.serving.triage.keep import keep_found
from outlearn.serving.triage.suppress import patterns_of

__all__ = ["perform"]

AGAIN = 30.0  # seconds after a failed fit before a job without a model has another one
_LOG = logging.getLogger(__name__)


def perform(service: Service, claim: Claim, beat: Heartbeat) -> None:
    """Do the work on a run, to its end or until another one should go first.

    Raises
    ------
    InputError
        When the job cannot be done, and why.
    LostError
        When the run is another worker's by now.
    """
    job = service.jobs.by_id(claim.run.job_id)
    match claim.run.kind:
        case "fit":
            _fit(service, job, claim, beat)
        case "learn":
            _learn(service, job, claim)
        case "score" | "backfill":
            _score(service, job, claim, beat)
    beat.stop()  # what follows is no part of the run
    _order_questions(service, job)


def _score(service: Service, job: Job, claim: Claim, beat: Heartbeat) -> None:
    live = service.models.live(job.id)
    if live is None:
        return _wait_for_model(service, job, claim)
    outcome, monitor = RunOutcome.of(claim.run.result), service.models.load(live)
    for batch in _batches(service, job, claim, monitor, outcome):
        with service.database.reading() as connection:
            patterns = patterns_of(connection, job.id, service.database.now(connection))
        found = judge(monitor, batch.source, _grouping(job), patterns)
        _compare(service, job, batch, found, outcome)
        _keep(service, job, claim, batch, found, live, outcome)
        beat.step_done()
        changed = service.models.live(job.id) != live
        if changed or service.runs.should_yield(claim, beat.held):
            service.runs.give_back(claim)
            return None
    with service.database.writing() as connection:
        service.runs.complete(connection, claim, result=outcome.document(), model_id=live.id)
    if claim.run.kind == "backfill":
        forget(service.database, job, claim.run.id)
    return None


def _batches(
    service: Service, job: Job, claim: Claim, monitor: Monitor, outcome: RunOutcome
) -> Iterator[SourceBatch]:
    given: dict[str, Any] = {"schema": monitor.detector.schema_, "tell": outcome.note}
    reading = monitor.reading(job.spec.read)
    if claim.run.kind == "score":
        return batches(service.database, service.settings, job, reading, **given)
    window = float(claim.run.asked["start"]), float(claim.run.asked["end"])
    return between(service.database, service.settings, job, reading, window, claim.run.id, **given)


def _keep(
    service: Service,
    job: Job,
    claim: Claim,
    batch: SourceBatch,
    found: Found,
    live: Version,
    outcome: RunOutcome,
) -> None:
    outcome.add(found, live.number)
    database = service.database
    with database.writing() as connection:
        service.runs.advance(
            connection,
            claim,
            rows=found.rows,
            flagged=found.flagged,
            result=outcome.document(),
            model_id=live.id,
        )
        ids = keep_found(
            database,
            connection,
            found.placed(batch.place),
            job_id=job.id,
            run_id=claim.run.id,
            model_id=live.id,
        )
        batch.commit(database, connection, job.id)
        counts = {"rows": found.rows, "flagged": found.flagged, "incidents": len(ids)}
        audit.note(database, connection, "scored", job.id, run=claim.run.id, **counts)


def _compare(service: Service, job: Job, batch: SourceBatch, found: Found, outcome: RunOutcome) -> None:
    """Have the shadow judge the same rows, and count where it differs."""
    shadow = service.models.shadow(job.id)
    if shadow is None:
        return
    try:
        other = judge(service.models.load(shadow), batch.source)
    except InputError as error:
        outcome.note(f"the shadow, {shadow.name}, cannot judge these rows: {error}")
        return
    outcome.compare(shadow.number, found.above, other.above)


def _wait_for_model(service: Service, job: Job, claim: Claim) -> None:
    """End a run that finds no model: rows wait. A fit is queued unless one failed a moment ago."""
    last = next((run for run in service.runs.list(job.name) if run.kind == "fit"), None)
    outcome = RunOutcome()
    outcome.note("there is no model yet, and rows wait for it")
    if last is not None and last.error:
        outcome.note(f"the last fit failed: {last.error}")
    with service.database.writing() as connection:
        now = service.database.now(connection)
        if last is None or last.ended is None or not 0.0 <= now - last.ended < AGAIN:
            service.runs.enqueue(connection, job_id=job.id, kind="fit", who=claim.run.who)
        service.runs.complete(connection, claim, result=outcome.document())


def _fit(service: Service, job: Job, claim: Claim, beat: Heartbeat) -> None:
    database, actor = service.database, _actor(claim)
    result = dict(claim.run.result or {})
    if "fitted" not in result:  # by a worker that ended before it had done the rest
        notes: list[str] = []
        rows = past(database, service.settings, job, tell=notes.append)
        draft = fit(_request(service, job), rows, job.spec.to_document())
        with database.writing() as connection:
            version = service.models.add(connection, job.id, draft, actor, stage="retired")
            result = {"fitted": version.id, "model": version.number, "notes": list(dict.fromkeys(notes))}
            service.runs.advance(connection, claim, result=result, model_id=version.id)
        beat.step_done()
    version = service.models.by_id(result["fitted"])
    lesson = study(
        database,
        service.models,
        job.id,
        base=version,
        grouping=_grouping(job),
        definition=job.spec.to_document(),
    )
    with database.writing() as connection:
        if lesson is not None:
            beside = job.spec.verdicts.act == "shadow" and lesson.draft is not None
            if beside:
                service.models.revert(connection, version, actor)
            result["verdicts"] = keep_lesson(
                database,
                connection,
                service.models,
                lesson,
                actor,
                job_id=job.id,
                run_id=claim.run.id,
                live=not beside,
            )
        service.runs.complete(connection, claim, result=result, model_id=version.id)
        if job.state == "active":  # rows may have waited for the model
            service.runs.enqueue(connection, job_id=job.id, kind="score", who=claim.run.who)


def _request(service: Service, job: Job) -> FitRequest:
    spec = job.spec
    return FitRequest(
        None,
        known_normal=spec.past.reference is not None,
        table=spec.settled_table(service.settings),
        read=spec.read,
        detector=spec.detector,
        rule=spec.rule,
    )


def _learn(service: Service, job: Job, claim: Claim) -> None:
    database = service.database
    while True:
        live = service.models.live(job.id)
        lesson = study(
            database, service.models, job.id, grouping=_grouping(job), definition=job.spec.to_document()
        )
        with database.writing() as connection:
            if service.models.live(job.id) != live:  # somebody promoted another one meanwhile
                continue
            result: dict[str, Any] = {"notes": ["no model has anything to learn from these verdicts"]}
            if lesson is not None:
                result = keep_lesson(
                    database,
                    connection,
                    service.models,
                    lesson,
                    _actor(claim),
                    job_id=job.id,
                    run_id=claim.run.id,
                    live=job.spec.verdicts.act == "live" or lesson.draft is None,
                )
            service.runs.complete(connection, claim, result=result)
            return


def _order_questions(service: Service, job: Job) -> None:
    """Say which open incidents are most useful to decide; that it fails harms nothing else."""
    live = service.models.live(job.id)
    if live is None or service.runs.waits():  # a verdict may, and the next run is followed by this too
        return
    try:
        values = usefulness(service.database, service.models.load(live), job.id)
        with service.database.writing() as connection:
            keep_usefulness(connection, job.id, values)
    except OutlearnError as error:
        _LOG.warning("job %s: nothing says which incidents are most useful to decide: %s", job.name, error)


def _grouping(job: Job) -> Grouping:
    return Grouping(job.spec.entity, job.spec.gap_seconds)


def _actor(claim: Claim) -> Actor:
    return Actor(claim.run.who, UserRole.OPERATOR, Via.WORKER)
