"""The tables of the store. Moments are seconds since 1970; documents are JSON texts.

::

    users ── keys, sessions, invites        who may do what
    attempts                                to log in, of late
    jobs ── positions, pushed               what is watched, how far it was read, rows that came in
      ├─ models ── blobs                    every fit and every update, and the model files
      ├─ runs                               work to do, being done (under a lease) and done
      ├─ incidents ── kept rows             what is worth a look
      ├─ verdicts, comments                 what people said; only ever added to
      └─ suppressions                       what is known to be good
    audit                                   who changed what; only ever added to, in a chain of digests
    events                                  what happened lately, for pages that follow
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "METADATA",
    "attempts",
    "audit",
    "blobs",
    "comments",
    "events",
    "idempotency",
    "incidents",
    "invites",
    "jobs",
    "kept",
    "keys",
    "models",
    "positions",
    "pushed",
    "runs",
    "sessions",
    "suppressions",
    "users",
    "verdicts",
]

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up only what is declared as just INTEGER. Where rows are removed, sqlite_autoincrement
# keeps it from giving a number again that others may still name, as PostgreSQL does not either.
ID = BigInteger().with_variant(Integer, "sqlite")
DIGEST = String(64)  # SHA-256 in hexadecimal


def _one_of(column: str, *values: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


users = Table(
    "users",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("role", String(10), nullable=False),
    Column("password", Text),  # argon2 hash; none: keys alone
    Column("created", Float(53), nullable=False),
    Column("disabled", Boolean, nullable=False, default=False),
    _one_of("role", "viewer", "analyst", "operator", "admin"),
)

keys = Table(
    "keys",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False, index=True),
    Column("label", String(100), nullable=False),
    Column("role", String(10), nullable=False),  # at most that of its user
    Column("digest", DIGEST, nullable=False, unique=True),
    Column("created", Float(53), nullable=False),
    Column("expires", Float(53)),
    Column("revoked", Float(53)),
    Column("used", Float(53)),
    _one_of("role", "viewer", "analyst", "operator", "admin"),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("digest", DIGEST, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("seen", Float(53), nullable=False),
    Column("expires", Float(53), nullable=False),
)

invites = Table(
    "invites",
    METADATA,
    Column("digest", DIGEST, primary_key=True),
    Column("user_id", ID, ForeignKey("users.id"), nullable=False, index=True),
    Column("created", Float(53), nullable=False),
    Column("expires", Float(53), nullable=False),
    Column("used", Float(53)),
)

attempts = Table(
    "attempts",  # to log in, that failed or are under way
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", DIGEST, nullable=False),  # of what was typed, which may be a password
    Column("address", String(100), nullable=False),
    Column("when", Float(53), nullable=False),
    Index(None, "name", "when"),
    Index(None, "address", "when"),
    sqlite_autoincrement=True,
)

jobs = Table(
    "jobs",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("document", Text, nullable=False),  # the definition
    Column("state", String(10), nullable=False),
    Column("revision", Integer, nullable=False, default=1),
    Column("created", Float(53), nullable=False),
    Column("changed", Float(53), nullable=False),
    Column("next_score", Float(53)),
    Column("next_fit", Float(53)),
    _one_of("state", "active", "paused", "removed"),
)

positions = Table(
    "positions",  # how far a source was read
    METADATA,
    Column("job_id", ID, ForeignKey("jobs.id"), primary_key=True),
    Column("part", String(500), primary_key=True),  # a file, or the query
    Column("document", Text, nullable=False),
    Column("changed", Float(53), nullable=False),
)

pushed = Table(
    "pushed",  # rows that came in, until they are judged, and the newest of them for the next fit
    METADATA,
    Column("id", ID, primary_key=True),
    Column("job_id", ID, ForeignKey("jobs.id"), nullable=False),
    Column("received", Float(53), nullable=False),
    Column("name", String(300), nullable=False),  # of the source, as the sender calls it
    Column("rows", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),  # Arrow IPC stream
    Column("judged", Float(53)),
    Index(None, "job_id", "id"),
    sqlite_autoincrement=True,
)

blobs = Table(
    "blobs",
    METADATA,
    Column("digest", DIGEST, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

models = Table(
    "models",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("job_id", ID, ForeignKey("jobs.id"), nullable=False),
    Column("number", Integer, nullable=False),  # 1, 2, … within its job
    Column("stage", String(10), nullable=False),
    Column("parent_id", ID, ForeignKey("models.id")),  # what was live before it
    Column("base_id", ID, ForeignKey("models.id")),  # the fit that verdicts were added to; none: it is a fit
    Column("made_by", String(10), nullable=False),
    Column("who", String(100), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("digest", DIGEST, nullable=False),  # of a blob, which retention may have removed
    Column("provenance", Text, nullable=False),  # request, rows, seed, version of the code, verdicts
    UniqueConstraint("job_id", "number"),
    _one_of("stage", "live", "shadow", "retired"),
    _one_of("made_by", "fit", "verdicts"),
)

runs = Table(
    "runs",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("job_id", ID, ForeignKey("jobs.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("who", String(100), nullable=False),
    Column("asked", Text, nullable=False),  # what to do, such as the days of a backfill
    Column("queued", Float(53), nullable=False),
    Column("started", Float(53)),
    Column("ended", Float(53)),
    Column("attempts", Integer, nullable=False, default=0),
    Column("lease", String(32)),  # of the worker that has it; another one takes a new one
    Column("lease_until", Float(53)),
    Column("model_id", ID, ForeignKey("models.id")),
    Column("rows", BigInteger, nullable=False, default=0),
    Column("flagged", BigInteger, nullable=False, default=0),
    Column("result", Text),  # notes, promise, distribution of scores, differences of a shadow, …
    Column("error", Text),
    Index(None, "state", "queued"),
    Index(None, "job_id", "id"),
    _one_of("kind", "fit", "score", "backfill", "learn"),
    _one_of("state", "queued", "running", "done", "failed", "cancelled"),
    sqlite_autoincrement=True,
)

incidents = Table(
    "incidents",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("job_id", ID, ForeignKey("jobs.id"), nullable=False),
    Column("run_id", ID, ForeignKey("runs.id"), nullable=False),
    Column("model_id", ID, ForeignKey("models.id"), nullable=False),
    Column("state", String(10), nullable=False),
    Column("revision", Integer, nullable=False, default=1),
    Column("opened", Float(53), nullable=False),
    Column("changed", Float(53), nullable=False),
    Column("entity", String(300), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("pattern", String(300), nullable=False),  # the same where the columns of the reason are
    Column("title", Text, nullable=False),  # the reason, in a sentence
    Column("rows", BigInteger, nullable=False),
    Column("score", Float(53), nullable=False),
    Column("p_value", Float(53)),
    Column("began", Float(53)),  # of its rows, where they have times
    Column("finished", Float(53)),
    Column("finding", Text, nullable=False),  # explanation, techniques, facts: what the page shows
    Column("answer", String(10)),  # of the verdict that holds
    Column("assigned", String(100)),
    Column("snoozed_until", Float(53)),
    Column("usefulness", Float(53)),  # how much a verdict would teach; high: ask this first
    Index(None, "state", "score", "id"),
    Index(None, "state", "opened", "id"),
    Index(None, "job_id", "state", "score", "id"),
    Index(None, "job_id", "pattern", "id"),
    _one_of("state", "open", "decided", "snoozed", "suppressed", "quiet"),
    _one_of("answer", "anomaly", "normal", "unsure"),
    sqlite_autoincrement=True,
)

kept = Table(
    "kept",  # rows of incidents, and unflagged ones just below the threshold, to be judged again
    METADATA,
    Column("id", ID, primary_key=True),
    Column("job_id", ID, ForeignKey("jobs.id"), nullable=False),
    Column("incident_id", ID, ForeignKey("incidents.id"), index=True),
    Column("run_id", ID, ForeignKey("runs.id"), nullable=False),
    Column("identity", String(32), nullable=False),
    Column("source", String(300), nullable=False),
    Column("row", BigInteger, nullable=False),  # its number there, from 0
    Column("score", Float(53), nullable=False),  # when it came
    Column("now", Float(53), nullable=False),  # by the live model
    Column("time", Float(53)),
    Column("cells", Text, nullable=False),
    Index(None, "job_id", "id"),
    Index(None, "job_id", "identity"),
    sqlite_autoincrement=True,
)

verdicts = Table(
    "verdicts",
    METADATA,
    Column("seq", ID, primary_key=True),
    Column("id", String(32), nullable=False),  # of the act of a person; its rows share it
    Column("job_id", ID, ForeignKey("jobs.id"), nullable=False, index=True),
    Column("incident_id", ID, index=True),  # which retention may have removed
    Column("when", Float(53), nullable=False),
    Column("who", String(300), nullable=False),
    Column("answer", String(10), nullable=False),  # "withdrawn" takes back what the person said before
    Column("source", String(300), nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("identity", String(32), nullable=False),
    Column("origin", String(10), nullable=False),
    Column("note", Text, nullable=False),
    Column("score", Float(53)),
    Column("model", String(300)),
    Column("cells", Text, nullable=False),  # of the row, so that it is learnt from for good
    UniqueConstraint("id", "identity"),
    _one_of("answer", "anomaly", "normal", "unsure", "withdrawn"),
)

comments = Table(
    "comments",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("incident_id", ID, ForeignKey("incidents.id"), nullable=False, index=True),
    Column("when", Float(53), nullable=False),
    Column("who", String(300), nullable=False),
    Column("text", Text, nullable=False),
)

suppressions = Table(
    "suppressions",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("job_id", ID, ForeignKey("jobs.id"), nullable=False, index=True),
    Column("conditions", Text, nullable=False),  # a list of texts such as "src_ip=10.0.0.0/24"
    Column("why", Text, nullable=False),
    Column("who", String(100), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("until", Float(53)),
    Column("revoked", Float(53)),
    Column("revoked_by", String(100)),
    Column("hidden", BigInteger, nullable=False, default=0),  # flagged rows that it hid so far
)

audit = Table(
    "audit",
    METADATA,
    Column("seq", ID, primary_key=True, autoincrement=False),  # 1, 2, … without a gap
    Column("when", Float(53), nullable=False),
    Column("who", String(100), nullable=False),
    Column("via", String(10), nullable=False),
    Column("action", String(50), nullable=False),
    Column("object", String(300), nullable=False),
    Column("detail", Text, nullable=False),
    Column("before", DIGEST, nullable=False),  # the digest of the entry before
    Column("digest", DIGEST, nullable=False, unique=True),
)

events = Table(
    "events",
    METADATA,
    Column("seq", ID, primary_key=True),
    Column("when", Float(53), nullable=False),
    Column("job_id", ID, ForeignKey("jobs.id")),
    Column("kind", String(30), nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)

idempotency = Table(
    "idempotency",  # answers to posts that were given a key, to be given again
    METADATA,
    Column("user_id", ID, ForeignKey("users.id"), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("request", DIGEST, nullable=False),  # of method, path and body
    Column("created", Float(53), nullable=False),
    Column("status", Integer),  # none while the first is under way
    Column("body", Text),
)
