"""Posts that may be sent again: a key that its sender makes up stands for one effect and one answer.

The key is taken before anything is done, and marked in the same transaction as the change. So a request that
comes again after its connection, or the service, went down in the middle is either carried out now, or known
to have been.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from outlearn.errors import ConflictError
from outlearn.serving.api.bodies import JSON
from outlearn.serving.api.problems import Problem
from outlearn.serving.store.database import Database, before_commit
from outlearn.serving.store.tables import idempotency

__all__ = ["HEADER", "key_of", "once", "request_digest"]

HEADER = "Idempotency-Key"
KEPT = 86_400.0  # seconds that an answer is kept
UNDER_WAY = 30.0  # seconds after which a request without an answer is carried out by who sends it again
_MARKED = 0  # status of what took effect and has no answer yet
_KEPT_HEADERS = ("location", "etag")


def key_of(request: Request) -> str | None:
    """Return the key of a request, None without one.

    Raises
    ------
    Problem
        400 when it is not 1 to 100 printable ASCII characters.
    """
    key = request.headers.get(HEADER)
    if key is not None and not (0 < len(key) <= 100 and key.isascii() and key.isprintable()):
        raise Problem(
            400, "idempotency-key", f"the {HEADER} has {len(key)} characters; wanted 1 to 100 of ASCII"
        )
    return key


def request_digest(request: Request, body: str) -> str:
    """Return the digest of method, address, condition and body: the same for the same request."""
    parts = [request.method, request.url.path, request.url.query, request.headers.get("If-Match", ""), body]
    return sha256(json.dumps(parts).encode()).hexdigest()


async def once(
    database: Database, user_id: int, key: str, digest: str, work: Callable[[], Awaitable[Response]]
) -> Response:
    """Do the work of a request unless it was done before, and give the answer that it then had.

    Only an answer of success is kept: after a refusal nothing was changed, and the request may come again.

    Raises
    ------
    Problem
        422 when the key came with another request; 409 while the first is under way, or when it took effect
        and its answer was lost.
    """
    place = _Place(database, user_id, key, digest)
    kept = await run_in_threadpool(place.take)
    if kept is not None:
        return kept
    try:
        with before_commit(place.mark):
            response = await work()
    except Exception:
        await run_in_threadpool(place.leave)
        raise
    await run_in_threadpool(place.keep if response.status_code < 300 else place.leave, response)
    return response


@dataclass(slots=True)
class _Place:
    """The entry of a key in the store; `taken` is when this request took it, by which it is known as ours."""

    database: Database
    user_id: int
    key: str
    digest: str
    taken: float = 0.0

    def take(self) -> Response | None:
        with self.database.writing() as connection:
            now = self.database.now(connection)
            connection.execute(delete(idempotency).where(idempotency.c.created < now - KEPT))
            row = connection.execute(select(idempotency).where(self._of_key())).mappings().first()
            if row is not None:
                if row["request"] != self.digest:
                    raise Problem(
                        422, "idempotency-key", f"this {HEADER} came with another request; take a new one"
                    )
                if row["status"] is not None or now - row["created"] < UNDER_WAY:
                    return _again(row["status"], row["body"], row["created"] + UNDER_WAY - now)
                connection.execute(delete(idempotency).where(self._of_key()))
            self.taken = now
            fields = {"user_id": self.user_id, "key": self.key, "request": self.digest, "created": now}
            connection.execute(insert(idempotency).values(**fields))
        return None

    def mark(self, connection: Connection) -> None:
        """Note in the transaction of the change that it took effect, unless another request's did."""
        if connection.execute(update(idempotency).where(self._ours()).values(status=_MARKED)).rowcount == 0:
            raise ConflictError(f"another request with this {HEADER} was carried out meanwhile; ask again")

    def keep(self, response: Response) -> None:
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        body = json.dumps({"headers": headers, "body": bytes(response.body).decode()})
        values = {"status": response.status_code, "body": body}
        with self.database.writing() as connection:
            connection.execute(update(idempotency).where(self._ours()).values(**values))

    def leave(self, _: Any = None) -> None:
        """Give the key back unless the change was made."""
        with self.database.writing() as connection:
            connection.execute(delete(idempotency).where(self._ours(), idempotency.c.status.is_(None)))

    def _of_key(self) -> ColumnElement[bool]:
        return and_(idempotency.c.user_id == self.user_id, idempotency.c.key == self.key)

    def _ours(self) -> ColumnElement[bool]:
        return and_(self._of_key(), idempotency.c.created == self.taken)


def _again(status: int | None, body: str | None, seconds: float) -> Response:
    if status is None or (status == _MARKED and seconds > 0):  # the answer may be kept in a moment
        headers = {"Retry-After": str(max(1, round(seconds)))}
        raise Problem(409, "under-way", f"the first request with this {HEADER} is under way", headers=headers)
    if status == _MARKED or body is None:
        raise Problem(
            409,
            "answer-lost",
            f"the first request with this {HEADER} took effect, and its answer was lost; look",
        )
    kept = json.loads(body)
    headers = {**kept["headers"], "Idempotent-Replayed": "true"}
    return Response(kept["body"] or None, status, headers, media_type=JSON if kept["body"] else None)
