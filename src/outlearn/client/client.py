"""What a program can ask of a service, call by call."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote

from outlearn.client.connection import Connection, Event
from outlearn.client.rows import Sent, form_of
from outlearn.errors import StoreError
from outlearn.serving.api.documents import (
    AuditEntry,
    AuditState,
    Caller,
    CommentOut,
    DecidedOut,
    DetailOut,
    EffectOut,
    ExplainedOut,
    IncidentOut,
    JobOut,
    KeyOut,
    ModelOut,
    PatternOut,
    PreviewOut,
    PushedOut,
    RunOut,
    ScoredOut,
    UserOut,
)

__all__ = ["Client"]

ENDED = ("done", "failed", "cancelled")


class Client:
    """A service, as who holds a key may use it.

    Answers are the documents of the API with the moments as datetimes, and refusals are raised as the service
    raises them: `AccessError`, `AbsentError`, `ConflictError` and their like. Parameters are of `Connection`.

    Examples
    --------
    ::

        with Client("http://127.0.0.1:8080", key) as client:
            client.add_job({"name": "payments", "source": {"push": True}})
            pushed = client.push("payments", "today.csv")
            client.wait(pushed.run_id)
            for incident in client.incidents(job="payments"):
                print(incident.title)
    """

    def __init__(self, address: str, key: str, **options: Any) -> None:
        self._to = Connection(address, key, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the service."""
        self._to.close()

    def me(self) -> Caller:
        """Return whose the key is, and what it may do."""
        return self._to.one(Caller, "GET", "/me")

    # Jobs

    def jobs(self) -> Iterator[JobOut]:
        """Give all jobs by name."""
        return self._to.all(JobOut, "/jobs")

    def job(self, name: str) -> JobOut:
        """Return a job."""
        return self._to.one(JobOut, "GET", f"/jobs/{_part(name)}")

    def add_job(self, definition: Mapping[str, Any]) -> JobOut:
        """Add a job by its definition."""
        return self._to.one(JobOut, "POST", "/jobs", body=definition)

    def change_job(self, name: str, definition: Mapping[str, Any], *, revision: int | None = None) -> JobOut:
        """Give a job a new definition; revision : as it was read, another one refuses the change."""
        return self._to.one(JobOut, "PUT", f"/jobs/{_part(name)}", body=definition, revision=revision)

    def remove_job(self, name: str) -> None:
        """Remove a job; what it found and the verdicts stay."""
        self._to.send("DELETE", f"/jobs/{_part(name)}")

    def pause_job(self, name: str) -> JobOut:
        """Let a job rest."""
        return self._to.one(JobOut, "POST", f"/jobs/{_part(name)}/pause")

    def resume_job(self, name: str) -> JobOut:
        """Let a job go on, at once."""
        return self._to.one(JobOut, "POST", f"/jobs/{_part(name)}/resume")

    def push(self, job: str, rows: Sent, *, filename: str | None = None, media: str = "") -> PushedOut:
        """Send rows to be judged, once however often the connection fails.

        rows : a path, bytes of a file, or a dataframe. media : the type of bytes; "": as the content tells.
        """
        with ExitStack() as stack:
            files = form_of(rows, filename, media, stack)
            return self._to.one(PushedOut, "POST", f"/jobs/{_part(job)}/rows", files=files)

    def score(
        self, job: str, rows: Sent, *, filename: str | None = None, media: str = "", explain: bool = False
    ) -> ScoredOut:
        """Have rows judged by the live model, and nothing kept; rows : as of `push`."""
        with ExitStack() as stack:
            files = form_of(rows, filename, media, stack)
            query = {"explain": explain}
            path = f"/jobs/{_part(job)}/score"
            return self._to.one(ScoredOut, "POST", path, files=files, query=query, once=False)

    # Runs

    def run_job(self, name: str, kind: str = "score") -> int:
        """Have a job "score" what is new or "fit" a model, now; return the run."""
        return int(self._to.send("POST", f"/jobs/{_part(name)}/runs", body={"kind": kind})["run_id"])

    def backfill(self, name: str, start: datetime, end: datetime | None = None) -> int:
        """Have rows between two moments judged, whether or not they were before; return the run."""
        body = {"start": start.isoformat(), "end": None if end is None else end.isoformat()}
        return int(self._to.send("POST", f"/jobs/{_part(name)}/backfill", body=body)["run_id"])

    def runs(self, job: str | None = None) -> Iterator[RunOut]:
        """Give runs, the latest first; of one job or of all."""
        return self._to.all(RunOut, "/runs", {"job": job})

    def run(self, id: int) -> RunOut:
        """Return a run."""
        return self._to.one(RunOut, "GET", f"/runs/{id}")

    def wait(self, id: int, *, seconds: float = 60.0, every: float = 0.2) -> RunOut:
        """Return a run when it has ended.

        Raises
        ------
        StoreError
            When it has not after so many seconds.
        """
        end = time.monotonic() + seconds
        while (run := self.run(id)).state not in ENDED:
            if time.monotonic() > end:
                raise StoreError(f"run {id} is {run.state} after {seconds:g} seconds; is a worker there?")
            time.sleep(every)
        return run

    def cancel(self, id: int) -> RunOut:
        """End a run that waits or is being done."""
        return self._to.one(RunOut, "POST", f"/runs/{id}/cancel")

    def effect(self, run_id: int) -> EffectOut:
        """Return what a run that learns from verdicts changed."""
        return self._to.one(EffectOut, "GET", f"/runs/{run_id}/effect")

    # Models

    def models(self, job: str) -> Iterator[ModelOut]:
        """Give the versions of the model of a job, the latest first."""
        return self._to.all(ModelOut, f"/jobs/{_part(job)}/models")

    def model(self, job: str, number: int) -> ModelOut:
        """Return a version with its provenance."""
        return self._to.one(ModelOut, "GET", f"/jobs/{_part(job)}/models/{number}")

    def promote(self, job: str, number: int) -> ModelOut:
        """Let a version judge."""
        return self._to.one(ModelOut, "POST", f"/jobs/{_part(job)}/models/{number}/promote")

    def set_shadow(self, job: str, number: int | None) -> ModelOut | None:
        """Let a version score beside the live one; None: let none."""
        if number is None:
            self._to.send("DELETE", f"/jobs/{_part(job)}/shadow")
            return None
        return self._to.one(ModelOut, "POST", f"/jobs/{_part(job)}/models/{number}/shadow")

    def roll_back(self, job: str) -> ModelOut:
        """Let the version judge that did before the live one was made."""
        return self._to.one(ModelOut, "POST", f"/jobs/{_part(job)}/rollback")

    # Incidents

    def incidents(self, *, order: str = "gravest", **which: Any) -> Iterator[IncidentOut]:
        """Give incidents in an order: "gravest", "newest" or "useful".

        which : state (open unless given; "any" for all), job, entity, answer, assigned, pattern, text, and
        since and before as datetimes.
        """
        moments = {name: at.isoformat() for name, at in which.items() if isinstance(at, datetime)}
        return self._to.all(IncidentOut, "/incidents", {"order": order, **which, **moments})

    def incident(self, id: int) -> DetailOut:
        """Return an incident with its rows, reasons and verdicts."""
        return self._to.one(DetailOut, "GET", f"/incidents/{id}")

    def explain(self, id: int) -> ExplainedOut:
        """Return why an incident is one."""
        return self._to.one(ExplainedOut, "GET", f"/incidents/{id}/explain")

    def decide(
        self, ids: int | Sequence[int], answer: str, *, note: str = "", revision: int | None = None
    ) -> DecidedOut:
        """Give a verdict on one incident, or on some at once: "anomaly", "normal" or "unsure".

        revision : of one incident, as it was seen.
        """
        body = {"answer": answer, "note": note}
        if isinstance(ids, int):
            path = f"/incidents/{ids}/verdicts"
            return self._to.one(DecidedOut, "POST", path, body=body, revision=revision)
        return self._to.one(DecidedOut, "POST", "/verdicts", body={**body, "ids": list(ids)})

    def undo(self, verdict_id: str) -> DecidedOut:
        """Take a verdict back."""
        return self._to.one(DecidedOut, "POST", f"/verdicts/{_part(verdict_id)}/undo")

    def snooze(self, id: int, until: datetime, *, revision: int | None = None) -> IncidentOut:
        """Put an incident aside until a moment."""
        body = {"until": until.isoformat()}
        return self._to.one(IncidentOut, "POST", f"/incidents/{id}/snooze", body=body, revision=revision)

    def assign(self, id: int, name: str | None, *, revision: int | None = None) -> IncidentOut:
        """Give an incident to somebody, or to nobody."""
        body = {"name": name}
        return self._to.one(IncidentOut, "POST", f"/incidents/{id}/assign", body=body, revision=revision)

    def comment(self, id: int, text: str) -> CommentOut:
        """Write something about an incident."""
        return self._to.one(CommentOut, "POST", f"/incidents/{id}/comments", body={"text": text})

    # Patterns of what is known to be good

    def suppressions(self, job: str) -> Iterator[PatternOut]:
        """Give the patterns of a job, those that do nothing any more too."""
        return self._to.all(PatternOut, f"/jobs/{_part(job)}/suppressions")

    def suppress(
        self, job: str, conditions: Sequence[str], why: str, *, until: datetime | None = None
    ) -> PatternOut:
        """Hide rows that match a pattern; until : None for good."""
        body = {"conditions": list(conditions), "why": why, "until": until and until.isoformat()}
        return self._to.one(PatternOut, "POST", f"/jobs/{_part(job)}/suppressions", body=body)

    def preview(self, job: str, conditions: Sequence[str]) -> PreviewOut:
        """Return what a pattern would have hidden."""
        body = {"conditions": list(conditions)}
        return self._to.one(PreviewOut, "POST", f"/jobs/{_part(job)}/suppressions/preview", body=body)

    def revoke_pattern(self, id: int) -> None:
        """Take a pattern back."""
        self._to.send("DELETE", f"/suppressions/{id}")

    # People, keys and the audit

    def users(self) -> Iterator[UserOut]:
        """Give all people by name."""
        return self._to.all(UserOut, "/users")

    def add_user(self, name: str, role: str) -> UserOut:
        """Add a person, who has no password until an invitation is accepted."""
        return self._to.one(UserOut, "POST", "/users", body={"name": name, "role": role})

    def set_role(self, name: str, role: str) -> None:
        """Change what a person may do."""
        self._to.send("PUT", f"/users/{_part(name)}/role", body={"role": role})

    def disable_user(self, name: str) -> None:
        """Shut a person out."""
        self._to.send("POST", f"/users/{_part(name)}/disable")

    def enable_user(self, name: str) -> None:
        """Let a disabled person in again."""
        self._to.send("POST", f"/users/{_part(name)}/enable")

    def invite_user(self, name: str, hours: float = 24.0) -> str:
        """Return a link by which a person chooses a password, once."""
        path, body = f"/users/{_part(name)}/invite", {"hours": hours}
        return str(self._to.send("POST", path, body=body, once=False)["link"])

    def keys(self) -> Iterator[KeyOut]:
        """Give one's own keys, without their secrets; those of all to an admin."""
        return self._to.all(KeyOut, "/keys")

    def new_key(self, user: str, label: str, *, role: str | None = None, days: float | None = None) -> str:
        """Return the secret of a new key, which cannot be shown again."""
        body = {"user": user, "label": label, "role": role, "days": days}
        return str(self._to.send("POST", "/keys", body=body, once=False)["secret"])

    def revoke_key(self, id: int) -> None:
        """Make a key useless."""
        self._to.send("DELETE", f"/keys/{id}")

    def audit(self) -> Iterator[AuditEntry]:
        """Give changes, the latest first."""
        return self._to.all(AuditEntry, "/audit")

    def verify_audit(self) -> AuditState:
        """Return whether the chain of the audit holds."""
        return self._to.one(AuditState, "GET", "/audit/verify")

    def events(self, after: int | None = None) -> Iterator[Event]:
        """Give what happens from now on, or after an event."""
        return self._to.events(after)


def _part(text: str) -> str:
    return quote(text, safe="")
