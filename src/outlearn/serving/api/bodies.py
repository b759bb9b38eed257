"""Bodies of requests: within their limit, of the media type that is wanted, of text that a database holds."""

from __future__ import annotations

import json
import tomllib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from outlearn.serving.api.problems import Problem

__all__ = [
    "JSON",
    "LARGEST_DOCUMENT",
    "Body",
    "Definition",
    "DefinitionBody",
    "check_text",
    "chunks",
    "media_of",
]

JSON = "application/json"
TOML = "application/toml"
LARGEST_DOCUMENT = 2**20  # bytes of a JSON or TOML body
_DEEPEST = 50  # levels of nesting in a document


@dataclass(frozen=True, slots=True)
class Received:
    """What a body said, and the digest by which a repeated request is known."""

    value: Any
    digest: str


class Body:
    """Reads the bodies of a route, after it is known who asks; as a dependency it gives what was read."""

    media: tuple[str, ...] = (JSON,)

    async def receive(self, request: Request) -> Received:
        """Return the document of a body, None for an empty one.

        Raises
        ------
        Problem
            413 when it is too large, 415 for another media type, 400 when it is no document.
        """
        content = b"".join([chunk async for chunk in chunks(request, LARGEST_DOCUMENT)])
        value = self._parsed(media_of(request, self.media), content) if content else None
        check_text(value, "the body")
        request._body, request._json = content, value  # where the framework looks before it reads itself
        return Received(value, sha256(content).hexdigest())

    async def done(self, request: Request) -> None:
        """Let go of what was kept of a body while it was worked on."""

    async def __call__(self, request: Request) -> Any:
        return request.state.received.value

    @staticmethod
    def _parsed(media: str, content: bytes) -> Any:
        try:
            if media == TOML:
                return tomllib.loads(content.decode())
            return json.loads(content.decode(), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            kind = "TOML" if media == TOML else "JSON"
            raise Problem(
                400, "syntax", f"the body is no {kind} that can be read: {str(error)[:200]}"
            ) from error


class DefinitionBody(Body):
    """The definition of a job, in JSON or TOML."""

    media = (JSON, TOML)

    async def receive(self, request: Request) -> Received:
        received = await super().receive(request)
        if not isinstance(received.value, dict):
            came = "nothing" if received.value is None else type(received.value).__name__
            raise Problem(400, "invalid", f"the body came as {came}; wanted the definition of a job")
        return received


Definition = Annotated[dict[str, Any], Depends(DefinitionBody())]


async def chunks(request: Request, most: int) -> AsyncIterator[bytes]:
    """Give a body as it comes, up to a number of bytes.

    Raises
    ------
    Problem
        413 as soon as it is larger, or says that it will be.
    """
    if (declared := request.headers.get("Content-Length", "0")).isdecimal() and int(declared) > most:
        raise _too_large(f"{int(declared):,} bytes", most)
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > most:
            raise _too_large(f"more than {most:,} bytes", most)
        yield chunk


def _too_large(came: str, most: int) -> Problem:
    return Problem(
        413, "too-large", f"the body has {came}; at most {most:,} are taken: send less at once",
        headers={"Connection": "close"},
    )  # fmt: skip


def media_of(request: Request, wanted: Iterable[str]) -> str:
    """Return the media type of a request.

    Raises
    ------
    Problem
        415 when it is none of those wanted.
    """
    came = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if came not in wanted:
        listed = ", ".join(wanted)
        raise Problem(
            415,
            "media",
            f"the Content-Type is {came[:100] or 'absent'}; wanted {listed}",
            headers={"Accept": listed},
        )
    return came


def check_text(value: Any, where: str, depth: int = 0) -> None:
    """Refuse what no database keeps: NUL characters and halves of characters; and nesting without end.

    Raises
    ------
    Problem
        400, with where it is.
    """
    if depth > _DEEPEST:
        raise Problem(400, "syntax", f"{where} is nested more than {_DEEPEST} levels deep")
    if isinstance(value, str):
        if "\0" in value or (not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value)):
            raise Problem(400, "syntax", f"{where} has a text with a NUL character or half a surrogate pair")
    elif isinstance(value, dict):
        for name, part in value.items():
            check_text(name, where, depth + 1)
            check_text(part, where, depth + 1)
    elif isinstance(value, list):
        for part in value:
            check_text(part, where, depth + 1)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number in JSON")
