"""Requests to a service: sent again when their answer was lost, with problems raised as errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from pydantic import BaseModel

from outlearn.errors import (
    AbsentError,
    AccessError,
    ConflictError,
    InputError,
    OutlearnError,
    ParameterError,
    RateError,
    StoreError,
)

__all__ = ["Connection", "Event"]

T = TypeVar("T", bound=BaseModel)
_ERRORS: Mapping[int, type[OutlearnError]] = {
    401: AccessError,
    403: AccessError,
    404: AbsentError,
    409: ConflictError,
    412: ConflictError,
    503: StoreError,
}
_WAIT = 0.5  # seconds before a request is sent again, twice as long each time


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: its number, kind and details."""

    id: int
    kind: str
    data: dict[str, Any]


class Connection:
    """Sends requests with a key.

    Parameters
    ----------
    address : of the service. key : of `outlearn key add`. timeout : seconds for an answer.
    retries : how often a request is sent again when the service did not answer; a post carries a key by which
        it takes effect once.
    transport : of httpx, where another one is wanted than the network.

    Raises
    ------
    ParameterError
        When the key cannot be one.
    """

    def __init__(
        self,
        address: str,
        key: str,
        *,
        timeout: float = 60.0,
        retries: int = 3,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if not (key.isascii() and key.isprintable()) or key != key.strip():
            raise ParameterError("the key has characters that no key has; wanted one of `outlearn key add`")
        headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        self._http = httpx.Client(base_url=address, headers=headers, timeout=timeout, transport=transport)
        self._retries = retries

    def close(self) -> None:
        """Close the connections to the service."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        revision: int | None = None,
        once: bool = True,
        files: Callable[[], Mapping[str, Any]] | None = None,
    ) -> Any:
        """Return the document of an answer, None for one without.

        Parameters
        ----------
        revision : that the change is made to. once : whether a post carries a key of its own, by which it may
            be sent again. files : opens the files of a form, anew for each try.

        Raises
        ------
        OutlearnError
            As the service would raise it: AccessError, AbsentError, ConflictError, RateError, StoreError, or
            another InputError.
        """
        headers = {} if revision is None else {"If-Match": f'"{revision}"'}
        repeatable = method != "POST" or once
        if method == "POST" and once:
            headers["Idempotency-Key"] = uuid4().hex
        given = {name: value for name, value in (query or {}).items() if value is not None}
        for left in range(self._retries if repeatable else 0, -1, -1):
            try:
                opened = {"files": files()} if files else {"json": body} if body is not None else {}
                answer = self._http.request(method, f"/api/v1{path}", params=given, headers=headers, **opened)
            except httpx.TransportError as error:
                if not left:
                    raise StoreError(f"the service does not answer: {error}") from error
            else:
                if not left or not _comes_later(answer):
                    return _document(answer)
            time.sleep(_WAIT * 2.0 ** (self._retries - left))
        raise AssertionError("the last try returns or raises")

    def one(self, model: type[T], method: str, path: str, **options: Any) -> T:
        """Return the answer as a document of its kind; see `send`."""
        return model.model_validate(self.send(method, path, **options))

    def all(self, model: type[T], path: str, query: Mapping[str, Any] | None = None) -> Iterator[T]:
        """Give the entries of a list, page by page as they are wanted."""
        cursor = None
        while True:
            page = self.send("GET", path, query={**(query or {}), "cursor": cursor})
            for item in page["items"]:
                yield model.model_validate(item)
            if (cursor := page["next"]) is None:
                return

    def events(self, after: int | None = None) -> Iterator[Event]:
        """Give what happens from now on, or after an event, until the service ends the stream."""
        headers = {"Last-Event-ID": str(after)} if after is not None else {}
        with (
            _translated(),
            self._http.stream("GET", "/api/v1/events", headers=headers, timeout=60.0) as answer,
        ):
            if answer.is_error:
                answer.read()
                _document(answer)
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif "data" in fields:
                    yield Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))
                    fields = {}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise StoreError(f"the service does not answer: {error}") from error


def _comes_later(answer: httpx.Response) -> bool:
    """Say whether a request is worth another try as it is."""
    return answer.status_code == 503 or (
        answer.status_code == 409 and _problem(answer).get("code") == "under-way"
    )


def _document(answer: httpx.Response) -> Any:
    if not answer.is_error:
        return answer.json() if answer.content else None
    problem, status = _problem(answer), answer.status_code
    text = str(problem.get("detail") or f"the service answered {status} {answer.reason_phrase}")
    if status == 429:
        raise RateError(text, seconds=float(answer.headers.get("Retry-After", 1)))
    raise _ERRORS.get(status, InputError if status < 500 else OutlearnError)(text)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
