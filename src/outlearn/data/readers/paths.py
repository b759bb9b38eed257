"""Paths as the user writes them."""

from __future__ import annotations

from pathlib import Path

from outlearn.errors import ReadError

__all__ = ["located", "resolved"]


def located(name: str) -> Path:
    """Return a path with ~ as the home folder that it stands for.

    Raises
    ------
    ReadError
        When there is no such user, or a path cannot have such a name.

    >>> located("a/b.csv").parts
    ('a', 'b.csv')
    """
    if not name.strip() or "\0" in name:
        raise ReadError(f"{name!r} is no path; wanted the path of a file")
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise ReadError(f"{name}: there is no home folder of that name; write the path out") from error


def resolved(name: str) -> Path:
    """Return the path that links lead to, from the root on.

    Raises
    ------
    ReadError
        As `located`, and where links lead in a circle.
    """
    path = located(name)
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # which of them, depends on the version of Python
        raise ReadError(f"{name}: a link that leads back to itself; give the path of a file") from error
