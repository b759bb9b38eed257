"""A request as a TOML file, so that a job can be kept, reviewed and run again."""

from __future__ import annotations

from pathlib import Path

from outlearn.errors import ParameterError
from outlearn.pipeline.request import DetectRequest
from outlearn.small_files import read_toml

__all__ = ["read_job"]


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
    document = read_toml(path, "the job")
    if "source" not in document:
        raise ParameterError(f'{path} names no source; wanted a line such as source = "payments.csv"')
    try:
        return DetectRequest.from_document(document)
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error
