"""What the API answers and takes, as documents: JSON with moments in ISO 8601, UTC.

Each answer is made from the value of the service that has the same attributes.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
)

__all__ = [
    "Answer",
    "AnswerIn",
    "AnswerOneIn",
    "AssignIn",
    "AuditEntry",
    "AuditState",
    "BackfillIn",
    "Caller",
    "CommentIn",
    "CommentOut",
    "ConditionsIn",
    "DecidedOut",
    "DetailOut",
    "EffectOut",
    "ExplainedOut",
    "IncidentOut",
    "InviteIn",
    "InvitedOut",
    "JobOut",
    "KeyIn",
    "KeyOut",
    "ModelOut",
    "NewKeyOut",
    "Page",
    "PatternIn",
    "PatternOut",
    "PreviewOut",
    "PushedOut",
    "QueueOut",
    "RoleIn",
    "RunIn",
    "RunOut",
    "ScoredOut",
    "SnoozeIn",
    "Started",
    "UserIn",
    "UserOut",
]

T = TypeVar("T")
_FIRST, _LAST = -62135596800.0, 253402300799.0  # seconds since 1970 of the years 1 and 9999


def _moment(value: Any) -> Any:
    """Return seconds since 1970 as a moment in UTC."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(min(max(value, _FIRST), _LAST), UTC)
    return value


def _plain(value: Any) -> Any:
    """Return plain values without those that JSON lacks."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


Plain = Annotated[dict[str, Any], BeforeValidator(_plain)]
Moment = Annotated[
    datetime, BeforeValidator(_moment), PlainSerializer(lambda at: at.isoformat(), return_type=str)
]
Later = Annotated[
    AwareDatetime, Field(examples=["2026-12-01T08:00:00Z"], description="with its offset from UTC")
]
Number = Annotated[float | None, AfterValidator(_plain)]  # JSON has no NaN
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
RoleName = Literal["viewer", "analyst", "operator", "admin"]
RoleText = Annotated[RoleName, BeforeValidator(str)]
Answer = Literal["anomaly", "normal", "unsure"]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Page(_Out, Generic[T]):
    """A page of a list, newest first."""

    items: list[T]
    next: str | None = Field(description="cursor of the next page; null when this is the last")


class Caller(_Out):
    """Who asks, as the service knows them."""

    name: str = Field(examples=["ana"])
    role: RoleName


class JobOut(_Out):
    """A job: its definition, and when it is due."""

    name: str = Field(examples=["payments"])
    state: Literal["active", "paused"]
    revision: int
    definition: Plain = Field(examples=[{"name": "payments", "source": {"push": True}}])
    created: Moment
    changed: Moment
    next_score: Moment | None
    next_fit: Moment | None


class PushedOut(_Out):
    """Rows that came in; `run_id` is null while the job is paused, and they wait."""

    id: int
    rows: int = Field(examples=[128])
    run_id: int | None
    notes: list[str]


class ScoredOut(BaseModel):
    """Rows that were judged by the live model and not kept.

    A score is in [0, 1], and null for a row without any cell; `flagged` are numbers of rows from 0.
    """

    rows: int
    model: int = Field(description="number of the version that judged")
    threshold: float
    promise: str
    scores: list[float | None]
    flagged: list[int]
    incidents: list[dict[str, Any]]
    notes: list[str]


class RunIn(_In):
    """Which work to do now: find what is new, or fit a model."""

    kind: Literal["score", "fit"] = "score"


class BackfillIn(_In):
    """From when up to when rows are judged again; without `end` up to now."""

    start: Later
    end: Later | None = None


class Started(BaseModel):
    """The run that was asked for, or that waits already and does it too."""

    run_id: int


class RunOut(_Out):
    """A piece of work on a job."""

    id: int
    job: str
    kind: Literal["fit", "score", "backfill", "learn"]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    who: str
    asked: Plain
    queued: Moment
    started: Moment | None
    ended: Moment | None
    attempts: int
    rows: int
    flagged: int
    result: Plain | None
    error: str | None


class ModelOut(_Out):
    """A version of the model of a job; `digest` is the SHA-256 of its file."""

    number: int
    stage: Literal["live", "shadow", "retired"]
    made_by: Literal["fit", "verdicts"]
    who: str
    created: Moment
    digest: str
    provenance: Plain


class IncidentOut(_Out):
    """An incident in the queue."""

    id: int
    job: str
    run_id: int
    state: Literal["open", "decided", "snoozed", "suppressed", "quiet"]
    revision: int
    opened: Moment
    changed: Moment
    entity: str
    kind: str
    pattern: str
    title: str = Field(examples=["amount is 9,800; usual are 3 to 240"])
    rows: int
    score: Number
    p_value: Number
    began: Moment | None
    finished: Moment | None
    answer: Answer | None
    assigned: str | None
    snoozed_until: Moment | None
    usefulness: Number


class QueueOut(Page[IncidentOut]):
    """A page of the queue in its order, and how many incidents there are in all."""

    total: int


class RowOut(_Out):
    """A row of an incident, with its score when it came and by the model that is live now."""

    id: int
    source: str
    row: int
    score: Number
    now: Number
    time: Moment | None
    cells: Plain


class SaidOut(_Out):
    """What somebody said of an incident, once."""

    id: str
    when: Moment
    who: str
    answer: Literal["anomaly", "normal", "unsure", "withdrawn"]
    origin: str
    note: str
    score: Number
    model: str | None


class CommentOut(_Out):
    """What somebody wrote about an incident."""

    id: int
    when: Moment
    who: str
    text: str


class DetailOut(_Out):
    """An incident with its rows, reasons, and what was said of it."""

    incident: IncidentOut
    finding: Plain
    rows: list[RowOut]
    said: list[SaidOut]
    holding: dict[str, Answer]
    conflict: bool
    comments: list[CommentOut]
    alike: list[IncidentOut]
    alike_answers: dict[str, int]


class ExplainedOut(BaseModel):
    """Why an incident is one: the columns that speak for it, with their usual values."""

    id: int
    title: str
    pattern: str
    finding: Plain


class AnswerIn(_In):
    """A verdict on incidents: on all of their rows."""

    ids: list[Id] = Field(min_length=1, max_length=500, examples=[[17, 21]])
    answer: Answer
    note: str = Field("", max_length=2000)


class AnswerOneIn(_In):
    """A verdict on all rows of one incident."""

    answer: Answer
    note: str = Field("", max_length=2000)


class DecidedOut(_Out):
    """The ids of the verdicts by incident, and the runs that learn from them."""

    verdicts: dict[int, str]
    run_ids: list[int]


class EffectOut(_Out):
    """What learning from verdicts changed, as far as it is."""

    state: Literal["queued", "running", "done", "failed", "cancelled"]
    judged: int
    fell: int
    rose: int
    quiet: list[int]
    reopened: list[int]
    opened: list[int]
    model: int | None
    live: bool
    labels: int
    notes: list[str]
    error: str | None


class SnoozeIn(_In):
    """Until when an incident is put aside; a moment that is past brings it back."""

    until: Later


class AssignIn(_In):
    """Whose an incident is; null: nobody's."""

    name: str | None = Field(max_length=100, examples=["ana"])


class CommentIn(_In):
    """What to write about an incident."""

    text: str = Field(min_length=1, max_length=2000, examples=["asked the shop; it is a refund"])


class ConditionsIn(_In):
    """Conditions that all hold, as `--where` of `outlearn label` has them."""

    conditions: list[Annotated[str, Field(max_length=500)]] = Field(
        min_length=1, max_length=20, examples=[["shop=17", "amount<500"]]
    )


class PatternIn(ConditionsIn):
    """A pattern of what is known to be good, why, and until when; without `until` for good."""

    why: str = Field(min_length=1, max_length=300, examples=["payroll, each first of the month"])
    until: Later | None = None


class PatternOut(_Out):
    """A pattern that hides rows, and how many it hid."""

    id: int
    conditions: list[str]
    why: str
    who: str
    created: Moment
    until: Moment | None
    revoked: Moment | None
    revoked_by: str | None
    hidden: int


class PreviewOut(_Out):
    """What a pattern would have hidden among the rows that are kept."""

    looked: int
    rows: int
    incidents: list[int]
    confirmed: list[int] = Field(description="those of them that were decided to be anomalies")


class UserIn(_In):
    """A person to add."""

    name: str = Field(max_length=100, examples=["ana"])
    role: RoleName


class RoleIn(_In):
    """What a person may do."""

    role: RoleName


class UserOut(_Out):
    """A person."""

    name: str
    role: RoleText
    created: Moment
    disabled: bool
    has_password: bool


class InviteIn(_In):
    """For how many hours an invitation holds."""

    hours: float = Field(24.0, gt=0, le=720)


class InvitedOut(BaseModel):
    """Where the person chooses a password; whoever has the link can, so hand it over in private."""

    link: str


class KeyIn(_In):
    """A key for somebody; without a role it may what they may, without days it works until it is revoked."""

    user: str = Field(max_length=100, examples=["ana"])
    label: str = Field(max_length=100, examples=["nightly upload"])
    role: RoleName | None = None
    days: float | None = Field(None, gt=0, le=3650)


class KeyOut(_Out):
    """A key without its secret."""

    id: int
    user: str
    label: str
    role: RoleText
    created: Moment
    expires: Moment | None
    revoked: Moment | None
    used: Moment | None


class NewKeyOut(BaseModel):
    """The secret of a new key, which cannot be shown again."""

    secret: str = Field(examples=["olk_…"])


class AuditEntry(_Out):
    """A change that somebody made; `digest` covers it and all before it."""

    seq: int
    when: Moment
    who: str
    via: str
    action: str
    object: str
    detail: Plain
    digest: str


class AuditState(BaseModel):
    """Whether the chain of the audit holds, up to which entry, and what breaks it."""

    holds: bool
    entries: int | None
    head: str | None
    problem: str | None
