"""Versions of the model of a job: every fit and every update by verdicts, and which one judges."""

from __future__ import annotations

import json
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from outlearn.errors import AbsentError, ConflictError
from outlearn.pipeline.monitor import Monitor
from outlearn.serving.access import Actor, UserRole
from outlearn.serving.store import audit
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import blobs, jobs, models

__all__ = ["ModelDraft", "Models", "Version"]

HELD = 8  # models in memory, of a process
Stage = Literal["live", "shadow", "retired"]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the model of a job.

    number : 1, 2, … in its job. stage : "live" judges, "shadow" scores beside it, "retired" neither.
    parent_id : the version that was live when it was made. base_id : the fit that verdicts were added to;
    None of a fit itself. made_by : "fit" or "verdicts". digest : SHA-256 of its file.
    provenance : definition of the job, rows, seed, version of the code, verdicts learnt from.
    """

    id: int
    job_id: int
    number: int
    stage: str
    parent_id: int | None
    base_id: int | None
    made_by: str
    who: str
    created: float
    digest: str
    provenance: dict[str, Any]

    @property
    def name(self) -> str:
        return f"version {self.number}"


@dataclass(frozen=True, slots=True)
class ModelDraft:
    """A model that was fitted and is not in the store yet: its file, and where it comes from.

    base_id : as in `Version`.
    """

    content: bytes
    made_by: Literal["fit", "verdicts"]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    base_id: int | None = None

    @classmethod
    def of(cls, monitor: Monitor, made_by: Literal["fit", "verdicts"], **fields: Any) -> ModelDraft:
        """Return the draft of a monitor; `fields` are those of `ModelDraft`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            monitor.save(path)
            return cls(path.read_bytes(), made_by, **fields)


class Models:
    """The versions of all jobs.

    Reading is for viewers, whose role the callers check; changes check it here.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loaded: OrderedDict[str, Monitor] = OrderedDict()
        self._lock = Lock()

    def list(self, job_id: int, *, before: int | None = None, limit: int = 100) -> list[Version]:
        """Return the versions of a job below a number, latest first."""
        query = select(models).where(models.c.job_id == job_id).order_by(models.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(models.c.number < before)
        with self._database.reading() as connection:
            return [_version(row) for row in connection.execute(query).mappings()]

    def get(self, job_id: int, number: int) -> Version:
        """Return a version by its number.

        Raises
        ------
        AbsentError
            When the job has no such version.
        """
        with self._database.reading() as connection:
            return _one(connection, job_id, number)

    def by_id(self, id: int) -> Version:
        """Return a version by its id.

        Raises
        ------
        AbsentError
            When there is none.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(models).where(models.c.id == id)).mappings().first()
        if row is None:
            raise AbsentError(f"there is no model of id {id}")
        return _version(row)

    def live(self, job_id: int) -> Version | None:
        """Return the version that judges; None before the first fit."""
        return self._staged(job_id, "live")

    def shadow(self, job_id: int) -> Version | None:
        """Return the version that scores beside the live one, if there is one."""
        return self._staged(job_id, "shadow")

    def load(self, version: Version) -> Monitor:
        """Return the monitor of a version; those used last stay in memory.

        Raises
        ------
        ModelError
            When its file is damaged.
        """
        with self._lock:
            if version.digest in self._loaded:
                self._loaded.move_to_end(version.digest)
                return self._loaded[version.digest]
        with self._database.reading() as connection:
            content = connection.execute(
                select(blobs.c.content).where(blobs.c.digest == version.digest)
            ).scalar_one_or_none()
        if content is None:
            raise AbsentError(f"the file of {version.name} was removed, see the retention of its job")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            path.write_bytes(content)
            monitor = Monitor.load(path)
        with self._lock:
            self._loaded[version.digest] = monitor
            while len(self._loaded) > HELD:
                self._loaded.popitem(last=False)
        return monitor

    def add(
        self, connection: Connection, job_id: int, draft: ModelDraft, actor: Actor, *, stage: Stage = "live"
    ) -> Version:
        """Add a version in a transaction of the caller; a live one takes the place of the one before it."""
        digest = sha256(draft.content).hexdigest()
        known = select(blobs.c.digest).where(blobs.c.digest == digest)
        if connection.execute(known).first() is None:
            connection.execute(insert(blobs).values(digest=digest, content=draft.content))
        last = select(func.coalesce(func.max(models.c.number), 0)).where(models.c.job_id == job_id)
        before = _at(connection, job_id, "live")
        if before is None:
            stage = "live"
        _clear(connection, job_id, stage)
        values = {
            "job_id": job_id,
            "number": connection.execute(last).scalar_one() + 1,
            "stage": stage,
            "parent_id": None if before is None else before.id,
            "base_id": draft.base_id,
            "made_by": draft.made_by,
            "who": actor.name[:100],
            "created": self._database.now(connection),
            "digest": digest,
            "provenance": json.dumps(dict(draft.provenance)),
        }
        id = connection.execute(insert(models).values(**values).returning(models.c.id)).scalar_one()
        version = _version(connection.execute(select(models).where(models.c.id == id)).mappings().one())
        self._note(connection, actor, f"model.{draft.made_by}", version)
        return version

    def revert(self, connection: Connection, version: Version, actor: Actor) -> Version:
        """Let an earlier version judge again, in a transaction of the caller: no verdict is left."""
        _clear(connection, version.job_id, "live")
        connection.execute(update(models).where(models.c.id == version.id).values(stage="live"))
        version = _one(connection, version.job_id, version.number)
        self._note(connection, actor, "model.revert", version)
        return version

    def promote(self, actor: Actor, job_id: int, number: int) -> Version:
        """Let a version judge; the one that did is retired.

        Raises
        ------
        AccessError, AbsentError
            Without the role of an operator; when there is no such version.
        """
        return self._stage(actor, job_id, number, "live", "promote a model")

    def set_shadow(self, actor: Actor, job_id: int, number: int | None) -> Version | None:
        """Let a version score beside the live one, which shows how it would judge; None: let none.

        Raises
        ------
        ConflictError
            When it is the live one.
        """
        if number is not None:
            return self._stage(actor, job_id, number, "shadow", "set a shadow")
        actor.require(UserRole.OPERATOR, "remove a shadow")
        with self._database.writing() as connection:
            version = _at(connection, job_id, "shadow")
            _clear(connection, job_id, "shadow")
            if version is not None:
                self._note(connection, actor, "model.unshadow", version)
        return None

    def roll_back(self, actor: Actor, job_id: int) -> Version:
        """Let the version judge that did before the live one was made.

        Raises
        ------
        ConflictError
            When there was none.
        """
        live = self.live(job_id)
        if live is None or live.parent_id is None:
            raise ConflictError("there is no version before the live one to go back to")
        return self._stage(actor, job_id, self.by_id(live.parent_id).number, "live", "roll back a model")

    def _staged(self, job_id: int, stage: Stage) -> Version | None:
        with self._database.reading() as connection:
            return _at(connection, job_id, stage)

    def _stage(self, actor: Actor, job_id: int, number: int, stage: Stage, what: str) -> Version:
        actor.require(UserRole.OPERATOR, what)
        with self._database.writing() as connection:
            version = _one(connection, job_id, number)
            if version.stage == "live" and stage == "shadow":
                raise ConflictError(f"{version.name} is live; promote another one before it can be a shadow")
            _clear(connection, job_id, stage)
            connection.execute(update(models).where(models.c.id == version.id).values(stage=stage))
            version = _one(connection, job_id, number)
            self._note(connection, actor, f"model.{what.split()[0]}", version)
        return version

    def _note(self, connection: Connection, actor: Actor, action: str, version: Version) -> None:
        job = connection.execute(select(jobs.c.name).where(jobs.c.id == version.job_id)).scalar_one()
        detail = {"digest": version.digest, "stage": version.stage}
        audit.record(self._database, connection, actor, action, f"job {job}, {version.name}", detail)
        audit.note(self._database, connection, "model", version.job_id, number=version.number)


def _at(connection: Connection, job_id: int, stage: Stage) -> Version | None:
    query = select(models).where(models.c.job_id == job_id, models.c.stage == stage)
    row = connection.execute(query).mappings().first()
    return None if row is None else _version(row)


def _one(connection: Connection, job_id: int, number: int) -> Version:
    query = select(models).where(models.c.job_id == job_id, models.c.number == number)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise AbsentError(f"the job has no model of version {number}")
    return _version(row)


def _clear(connection: Connection, job_id: int, stage: Stage) -> None:
    at = (models.c.job_id == job_id) & (models.c.stage == stage)
    connection.execute(update(models).where(at).values(stage="retired"))


def _version(row: RowMapping) -> Version:
    return Version(**{**row, "provenance": json.loads(row["provenance"])})
