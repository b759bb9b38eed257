"""Short files of settings, read whole; what is no ordinary file, or a large one, is refused before."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outlearn.errors import InputError, ReadError

__all__ = ["check_ordinary", "read_json", "read_toml"]

LARGEST = 1 << 20  # bytes of a job, of overrides of a schema and the like, which have some hundred lines


def check_ordinary(path: Path, what: str, largest: int) -> None:
    """Refuse what would never end, such as a pipe or a device, and a file larger than it can be.

    what : the file holds, for the message.

    Raises
    ------
    ReadError
        When it is so; not when there is nothing, which whoever opens it finds.
    OSError
        When it cannot be looked at.
    """
    if not path.exists() or path.is_dir():
        return
    if not path.is_file():
        raise ReadError(f"{path}: not an ordinary file; wanted {what} in one")
    size = path.stat().st_size
    if size > largest:
        raise ReadError(f"{path} has {size:,} bytes; wanted {what}, of at most {largest:,}")


def read_toml(path: Path, what: str, *, fault: type[InputError] = ReadError) -> dict[str, Any]:
    """Return what a TOML file holds.

    Parameters
    ----------
    what : the file is, for the message. fault : what is raised where it is no TOML.

    Raises
    ------
    ReadError
        When there is no such file, or it is no ordinary one, or has over a megabyte.
    """
    table: dict[str, Any] = _read(path, what, fault, tomllib.loads, "TOML")
    return table


def read_json(path: Path, what: str, *, fault: type[InputError] = ReadError) -> Any:
    """Return what a JSON file holds; the rest is as for `read_toml`."""
    return _read(path, what, fault, json.loads, "JSON")


def _read(path: Path, what: str, fault: type[InputError], parse: Callable[[str], Any], form: str) -> Any:
    try:
        check_ordinary(path, what, LARGEST)
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadError(f"cannot read {what} {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # lists in lists, a number of thousands of digits
        if isinstance(error, InputError):
            raise
        raise fault(f"{path} is not a {form} file: {error}") from error
