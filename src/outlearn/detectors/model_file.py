"""Model files: a kind, plain values and arrays, in one file without pickle, written whole or not at all.

A file has the format of safetensors: the arrays are its tensors, and the values are JSON in that entry of its
header whose name tells the kind. What values and arrays mean is up to those who write them.
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
from outlearn.errors import ParameterError, ReadError
from outlearn.files import whole

__all__ = ["ENTRIES", "FORMAT", "Arrays", "Model", "State", "kind_of", "read_model", "reading", "write_model"]

FORMAT = 1
ENTRIES: Mapping[str, str] = MappingProxyType({"rows": "outlearn", "series": "outlearn-series"})
"""What a model judges → the entry of the header that its values are kept in."""
State = Mapping[str, Any]
Arrays = Mapping[str, NDArray[Any]]


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
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    state = {"format": FORMAT, "version": __version__, **model.state}
    header = {ENTRIES[model.kind]: json.dumps(state)}
    tensors = {name: np.ascontiguousarray(values) for name, values in model.arrays.items()}
    with whole(path, errors=(OSError, SafetensorError), refusal="cannot write the model to") as unfinished:
        save_file(tensors, unfinished, metadata=header)


def read_model(path: Path) -> Model:
    """Read what `write_model` wrote.

    Raises
    ------
    ReadError
        When the file is absent, no model, or written by a later version.
    """
    from safetensors import safe_open

    if not path.is_file():
        raise ReadError(f"no model at {path}")
    with reading(path), safe_open(path, framework="np") as file:
        header = file.metadata() or {}
        kind = _kind_in(header)
        if kind is None:
            raise ValueError(f"its header has no entry {' or '.join(ENTRIES.values())}")
        state = json.loads(header[ENTRIES[kind]])
        if state["format"] > FORMAT:
            raise ReadError(
                f"{path} was written by outlearn {state['version']}; this is {__version__}: upgrade"
            )
        return Model(kind, state, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118


def kind_of(path: Path) -> str | None:
    """Return the kind of the model in a file; None where it holds none or cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return _kind_in(file.metadata() or {})
    except (SafetensorError, OSError):
        return None


def _kind_in(header: Mapping[str, str]) -> str | None:
    return next((kind for kind, entry in ENTRIES.items() if entry in header), None)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what unfit content raises into a `ReadError` that names the file."""
    from safetensors import SafetensorError

    try:
        yield
    except ReadError:
        raise
    except ParameterError as error:  # a model it is, of what this version does not have
        raise ReadError(f"{path} cannot be used by this version: {error}") from error
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ReadError(
            f"{path} is not a model written by `outlearn fit` or `detector.save`: {error}"
        ) from error
