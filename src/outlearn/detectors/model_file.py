"""Model files: a kind, plain values and arrays, in one file without pickle, written whole or not at all.

A file has the format of safetensors: the arrays are its tensors, and the values are JSON in that entry of its
header whose name tells the kind. What values and arrays mean is up to those who write them. A SHA-256 over
all of it tells damage (`sealed`); what was made up is refused by those who rebuild something from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn import __version__
from outlearn.errors import MissingExtraError, ModelError, ParameterError, WeightsError
from outlearn.plain import record, whole
from outlearn.sealed import DIGEST, entries_of, read_sealed, write_sealed

__all__ = [
    "ENTRIES",
    "FORMAT",
    "Arrays",
    "Model",
    "State",
    "checked_array",
    "file_notes",
    "kind_of",
    "read_model",
    "reading",
    "write_model",
]

FORMAT = 1
ENTRIES: Mapping[str, str] = MappingProxyType({"rows": "outlearn", "series": "outlearn-series"})
"""What a model judges → the entry of the header that its values are kept in."""
State = Mapping[str, Any]
Arrays = Mapping[str, NDArray[Any]]
_LONGEST = 300  # characters of what an error says
UNSEALED = (
    "the model file {} carries no checksum, as those of earlier versions: damage to it would not be noticed; "
    "fit it again to have one"
)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What a model file holds.

    kind : a key of `ENTRIES`. state : plain values, as JSON keeps them. arrays : by name.
    """

    kind: str
    state: State
    arrays: Arrays


def write_model(path: Path, model: Model) -> None:
    """Write a model, whole or not at all.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    state = {"format": FORMAT, "version": __version__, **model.state}
    entries = {ENTRIES[model.kind]: json.dumps(state)}
    write_sealed(path, model.arrays, entries, refusal="cannot write the model to")


def read_model(path: Path) -> Model:
    """Read what `write_model` wrote.

    Raises
    ------
    ModelError
        When the file is absent, no model, damaged, or written by a later version.
    """
    if not path.is_file():
        raise ModelError(f"no model at {path}")
    with reading(path):
        contents = read_sealed(path, ENTRIES.values())
        kind = _kind_in(contents.entries)
        state = record(json.loads(contents.entries[ENTRIES[kind]]), "its header")
        if whole(state, "format", low=1) > FORMAT:
            writer = str(state.get("version"))[:40]
            raise ModelError(f"{path} was written by outlearn {writer}; this is {__version__}: upgrade")
        return Model(kind, state, contents.arrays)


def kind_of(path: Path) -> str | None:
    """Return the kind of the model in a file; None where it holds none or cannot be read."""
    try:
        return _kind_in(entries_of(path))
    except (StopIteration, OSError, ValueError):
        return None


def file_notes(path: Path) -> tuple[str, ...]:
    """Return what to say of a model file beside what was found with it: that it carries no checksum."""
    with reading(path):
        return () if DIGEST in entries_of(path) else (UNSEALED.format(path),)


def _kind_in(entries: Mapping[str, str]) -> str:
    return next(kind for kind, entry in ENTRIES.items() if entry in entries)


def checked_array(arrays: Arrays, name: str, kind: type[np.generic], shape: tuple[int | None, ...]) -> Any:
    """Return an array of a model file.

    shape : that it must have; None for a size of any number.

    Raises
    ------
    ValueError
        When it is missing, of another type or shape, or holds a number that is not finite.
    """
    if name not in arrays:
        raise ValueError(f"the array {name!r} is missing")
    values = arrays[name]
    sizes = zip(values.shape, shape, strict=False)
    if values.ndim != len(shape) or any(size not in (own, None) for own, size in sizes):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"the array {name!r} has the shape {values.shape}; wanted ({wanted})")
    if values.dtype != kind:
        raise ValueError(f"the array {name!r} holds {values.dtype}; wanted {np.dtype(kind)}")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"the array {name!r} holds numbers that are not finite")
    return values


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever unfit content raises into a `ModelError` that names the file and what is wrong with it.

    A file may be made up, so nothing is ruled out: an error of any other kind would be one of the file too.
    """
    try:
        yield
    except (ModelError, WeightsError, MissingExtraError):
        raise
    except ParameterError as error:  # a model it is, of what this version does not have
        raise ModelError(f"{path} cannot be used by this version: {error}") from error
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror or error}") from error
    except Exception as error:
        raise ModelError(
            f"{path} is not a model written by `outlearn fit` or `detector.save`: {_wrong(error)}"
        ) from error


def _wrong(error: Exception) -> str:
    """Return in a line what an error says is wrong with a file."""
    words = " ".join(str(error).split())[:_LONGEST]
    if isinstance(error, MemoryError):
        return "what it tells of takes more memory than there is"
    if isinstance(error, KeyError):
        return f"{words} is missing, or unknown here"
    return words if isinstance(error, ValueError) and words else f"{type(error).__name__}: {words}"
