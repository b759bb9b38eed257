"""Dataclasses made from untrusted values: each is held to its type, range and choices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from outlearn.errors import ParameterError

__all__ = ["Bounds", "Choices", "check", "check_choice", "made", "table"]

T = TypeVar("T")
Bounds = Mapping[str, tuple[float, float]]  # key → smallest, largest
Choices = Mapping[str, tuple[str, ...]]

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Path: "a path"}


def made(kind: type[T], entries: Mapping[str, Any], prefix: str, folder: Path, **parts: Any) -> T:
    """Return a dataclass with the values of a TOML table and the `parts` that are made already.

    Lists become tuples, and text a path in `folder` where one is wanted; messages put
    `prefix` before keys.

    Raises
    ------
    ParameterError
        When a key is unknown, or the dataclass refuses a value.
    """
    hints = get_type_hints(kind)
    for key in entries:
        if key not in hints:
            raise ParameterError(f"{prefix}{key} is unknown; known are {', '.join(hints)}")
    values = {name: _converted(hints[name], value, folder) for name, value in entries.items()}
    return kind(**values, **parts)


def check(prefix: str, config: Any, bounds: Bounds, choices: Choices) -> None:
    """Hold each value of a dataclass to its annotation, and to the bounds and choices of prefix + name.

    Raises
    ------
    ParameterError
        When one does not hold.
    """
    for name, hint in get_type_hints(type(config)).items():
        key, value = prefix + name, getattr(config, name)
        _check_type(key, value, hint)
        for entry in value if isinstance(value, tuple) else (value,):
            check_choice(key, entry, choices)
            low, high = bounds.get(key, (-math.inf, math.inf))
            if isinstance(entry, int | float) and not (low <= entry <= high and math.isfinite(entry)):
                wanted = f"{low:g} or more" if high == math.inf else f"{low:g} to {high:g}"
                raise ParameterError(f"{key} is {entry}; wanted {wanted}")


def check_choice(key: str, value: Any, choices: Choices) -> None:
    """Raise ParameterError when `value` is none of the choices of a key that has some."""
    if key in choices and value not in choices[key]:
        raise ParameterError(f"{key} is {value!r}; wanted one of {', '.join(choices[key])}")


def table(key: str, value: Any) -> dict[str, Any]:
    """Return a TOML table, or raise ParameterError when it is something else."""
    if not isinstance(value, dict):
        raise ParameterError(f"{key} is {value!r}; wanted a table: [{key}] on a line of its own")
    return value


def _converted(hint: Any, value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, str) and hint == Path | None:
        return folder / value
    return value


def _check_type(key: str, value: Any, hint: Any) -> None:
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if value is None and type(None) in kinds:
        return
    kind = kinds[0]
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        if not (isinstance(value, tuple) and all(_is(entry, inner) for entry in value)):
            raise ParameterError(f"{key} is {value!r}; wanted a list, each entry {_WORDS[inner]}")
    elif get_origin(kind) is Mapping:
        table(key, value)
    elif not _is(value, kind):
        raise ParameterError(f"{key} is {value!r}; wanted {_WORDS.get(kind, kind.__name__)}")


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):  # which Python takes for a number
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)
