"""A fit of the model of a job, and what is most useful to decide next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from outlearn import __version__
from outlearn.data.readers import Source
from outlearn.errors import InputError
from outlearn.feedback.policy import Inquiry
from outlearn.feedback.verdict import Answer
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.request import FitRequest
from outlearn.pipeline.rows import Opener
from outlearn.serving.models import ModelDraft
from outlearn.serving.rows import frame_of
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import incidents, kept
from outlearn.serving.triage.verdicts import labels_of

__all__ = ["fit", "keep_usefulness", "usefulness"]

ASKED = 20  # incidents that are put in order
AMONG = 2_000  # of the latest open ones
FEWEST = 10  # rows that an inquiry needs


def fit(request: FitRequest, source: Source | Opener, definition: Mapping[str, Any]) -> ModelDraft:
    """Fit a model to rows of the past, as a request says.

    source : the rows; the request has only how to read and judge them.

    Raises
    ------
    InputError
        When they cannot be learnt from.
    """

    monitor = Monitor.of(replace(request, source=source))
    provenance = {
        "definition": dict(definition),
        "rows": monitor.total,
        "source": monitor.learnt_from,
        "seed": monitor.detector.seed_,
        "version": __version__,
        "notes": [*monitor.cautions, *monitor.notes],
    }
    return ModelDraft.of(monitor, "fit", provenance=provenance)


def usefulness(database: Database, monitor: Monitor, job_id: int) -> dict[int, float]:
    """Return the open incidents whose verdicts would teach most, by id, the best with the highest value.

    It asks as `engine.ask` does, with the verdicts that hold told to it.
    """
    state = incidents.c.state
    query = (
        select(kept.c.incident_id, kept.c.identity, kept.c.cells, state)
        .join(incidents, incidents.c.id == kept.c.incident_id)
        .where(kept.c.job_id == job_id, state.in_(("open", "decided")))
        .order_by(kept.c.incident_id.desc(), kept.c.score.desc())
        .limit(5 * AMONG)
    )
    with database.reading() as connection:
        answers = labels_of(connection, job_id)
        rows = list(connection.execute(query).mappings())
    first = list({row["incident_id"]: row for row in reversed(rows)}.values())[-AMONG:]
    if len(first) < FEWEST:
        return {}
    encoded = monitor.detector.encoder_.transform(frame_of([row["cells"] for row in first])).values
    order = _order(
        encoded,
        [answers.get(row["identity"], (None, ""))[0] for row in first],
        [row["state"] for row in first],
    )
    return {int(first[place]["incident_id"]): float(len(order) - i) for i, place in enumerate(order)}


def _order(values: Any, answers: Sequence[Answer | None], states: Sequence[str]) -> list[int]:
    """Return the places of rows in the order to ask about them."""
    inquiry = Inquiry(values, random_state=0)
    for place, (answer, state) in enumerate(zip(answers, states, strict=True)):
        if place not in inquiry:
            continue
        if answer in (Answer.ANOMALY, Answer.NORMAL):
            inquiry.tell(place, answer.label)
        elif state != "open":
            inquiry.skip(place)
    order: list[int] = []
    while len(order) < ASKED:
        try:
            place = inquiry.ask()
        except InputError:
            break
        order.append(place)
        inquiry.skip(place)
    return order


def keep_usefulness(connection: Connection, job_id: int, values: Mapping[int, float]) -> None:
    """Write what `usefulness` gave; all other incidents of the job have none."""
    of_job = (incidents.c.job_id == job_id) & incidents.c.usefulness.is_not(None)
    connection.execute(update(incidents).where(of_job).values(usefulness=None))
    if values:
        query = update(incidents).where(incidents.c.id == bindparam("of")).values(usefulness=bindparam("to"))
        connection.execute(query, [{"of": id, "to": value} for id, value in values.items()])
