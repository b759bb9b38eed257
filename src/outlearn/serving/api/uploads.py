"""Rows that come in by a body: a file of a form, or the body itself; on disk while they come."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from python_multipart.exceptions import FormParserError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request

from outlearn.serving.api.bodies import Body, Received, chunks, media_of
from outlearn.serving.api.problems import Problem

if TYPE_CHECKING:
    from starlette.types import Message

__all__ = ["MEDIA", "Rows", "RowsBody", "Upload"]

FORM = "multipart/form-data"
OCTETS = "application/octet-stream"
#: Media types of rows, as `serving.push` reads them.
MEDIA = (
    "text/csv",
    "text/tab-separated-values",
    "application/json",
    "application/jsonl",
    "application/x-ndjson",
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.stream",
    "application/vnd.apache.arrow.file",
    OCTETS,
)
_AROUND = 2**16  # bytes of a form around its file
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Upload:
    """Rows as they came: a file, its media type, and how the sender calls it."""

    path: Path
    media: str
    filename: str


class RowsBody(Body):
    """Reads rows into a file of their own, which is gone when the answer is there."""

    media = (FORM, *MEDIA)

    async def receive(self, request: Request) -> Received:
        most: int = request.app.state.service.settings.largest_upload
        media = media_of(request, self.media)
        folder = Path(await run_in_threadpool(mkdtemp, prefix="outlearn-rows-"))
        request.state.folder = folder
        path = folder / "rows"
        if media == FORM:
            upload, digest = await _of_form(request, path, most)
        else:
            upload, digest = await _of_body(request, path, media, most)
        return Received(upload, digest)

    async def done(self, request: Request) -> None:
        """Remove the file of a request."""
        if (folder := getattr(request.state, "folder", None)) is not None:
            await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)


Rows = Annotated[Upload, Depends(RowsBody())]


async def _of_body(request: Request, path: Path, media: str, most: int) -> tuple[Upload, str]:
    digest = sha256(media.encode())
    with path.open("wb") as file:
        async for chunk in chunks(request, most):
            digest.update(chunk)
            await run_in_threadpool(file.write, chunk)
    name = request.query_params.get("filename", "rows")
    return Upload(path, "" if media == OCTETS else media, name), digest.hexdigest()


async def _of_form(request: Request, path: Path, most: int) -> tuple[Upload, str]:
    """Return the file of a form, whatever its boundary: a repeated request has another one."""
    body = chunks(request, most + _AROUND)

    async def receive() -> Message:
        chunk = await anext(body, None)
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    try:
        form = await Request(request.scope, receive).form(max_files=1, max_fields=0)
    except FormParserError as error:
        raise Problem(400, "syntax", f"the form cannot be read: {str(error)[:200]}") from error
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Problem(
                400, "invalid", 'the form has no file; wanted one called "file", as curl -F file=@a.csv'
            )
        name, media = file.filename or "rows", (file.content_type or "").partition(";")[0].strip().lower()
        digest = await run_in_threadpool(_copy, file.file, path, most)
    finally:
        await form.close()
    # Senders guess the type of a file from its name; where the guess is none of ours the content tells.
    return Upload(path, media if media in MEDIA and media != OCTETS else "", name), digest


def _copy(source: Any, path: Path, most: int) -> str:
    digest, count = sha256(), 0
    with path.open("wb") as file:
        while chunk := source.read(_PIECE):
            count += len(chunk)
            digest.update(chunk)
            file.write(chunk)
    if count > most:
        raise Problem(413, "too-large", f"the file has {count:,} bytes; at most {most:,} are taken at once")
    return digest.hexdigest()
