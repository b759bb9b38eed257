"""Panics of libraries written in Rust, which are no `Exception` and would pass every handler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from outlearn.errors import ReadError

__all__ = ["without_panics"]


@contextmanager
def without_panics(what: str) -> Iterator[None]:
    """Turn a panic into a `ReadError`; also a decorator.

    Each library has a class of its own for it, all of one name, so the name tells. The library has then
    written where it gave up to standard error.

    what : is being read or judged, for the message.

    >>> with without_panics("a.csv"):  # doctest: +ELLIPSIS
    ...     raise type("PanicException", (BaseException,), {})("index out of bounds")
    Traceback (most recent call last):
    outlearn.errors.ReadError: a.csv: a library gave up on these values (index out of bounds), which ...
    """
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        reason = " ".join(str(error).split())[:200]
        raise ReadError(
            f"{what}: a library gave up on these values ({reason}), which is a fault of its own or of ours: "
            "please report it, and leave out the column that is unlike the others"
        ) from error
