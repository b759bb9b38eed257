"""Lines on what a service does, on standard error: a time, how grave, and a sentence without secrets."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Collection

from outlearn.masked import masked
from outlearn.shown import shown

__all__ = ["configure"]

# What comes after "?" in an address that was asked for may be a secret, such as the token of an invitation.
_QUERY = re.compile(r"(?<=[^\s?])\?[^\s\"']+(?=[\s\"']|$)")


class _Lines(logging.Formatter):
    """Writes records as lines, their line ends as spaces except in a traceback."""

    converter = staticmethod(time.gmtime)

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        text = super().format(record)
        if record.name.startswith("uvicorn.access"):
            text = _QUERY.sub("?…", text)
        return shown(masked(text, self._secrets))


class _Standard(logging.Handler):
    """Writes to standard error, whatever that is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of a record."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except (OSError, ValueError):  # nobody reads it any more
            self.handleError(record)


def configure(secrets: Collection[str] = (), *, names: Collection[str] = ("outlearn",)) -> None:
    """Write records of these loggers and those below them to standard error.

    secrets : that no line shows, such as the passwords of databases.
    """
    handler = _Standard()
    handler.setFormatter(_Lines(secrets))
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
