"""A request as a TOML file, so that a job can be kept, reviewed and run again."""

from __future__ import annotations

import tomllib
from pathlib import Path

from outlearn.errors import ParameterError, ReadError
from outlearn.pipeline.request import DetectRequest

__all__ = ["read_job"]

_MOST = 1 << 20  # bytes; a request takes some hundred


def read_job(path: str | Path) -> DetectRequest:
    """Return the request that a file holds; its paths are as from the working folder.

    Raises
    ------
    ReadError
        When there is no such file, or it is no TOML.
    ParameterError
        For a key that a request does not have, or a value that is none.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MOST:
            raise ReadError(f"{path} has more than {_MOST:,} bytes; wanted a job as a short TOML file")
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadError(f"cannot read the job {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReadError(f"{path} is no TOML file: {error}") from error
    if "source" not in document:
        raise ParameterError(f'{path} names no source; wanted a line such as source = "payments.csv"')
    try:
        return DetectRequest.from_document(document)
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error
