"""Requests from the fields of their parts, and from plain values and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outlearn.data.readers import ReadOptions
from outlearn.errors import ParameterError

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["by_parts", "structured", "without_defaults"]

_PLACES = {  # of names that a part's field has elsewhere
    "detector": ("detector", "name"),
    "weights": ("detector", "weights"),
    "random_state": ("detector", "seed"),
    "options": ("read", ""),
}


def by_parts(of: type, options: Mapping[str, Any], parts: Mapping[str, type]) -> dict[str, Any]:
    """Return the fields of a request from those of its parts, by their names.

    Parameters
    ----------
    of : class of the request. options : values by names; a part may also come whole.
    parts : classes of parts by the names of their fields in requests.

    Raises
    ------
    ParameterError
        For a name that neither the request nor one of its parts has.
    """
    own = {field.name for field in fields(of)}
    places: dict[str, tuple[str, str]] = {}
    for holder, kind in parts.items():
        for field in fields(kind) if holder in own and holder != "detector" else ():
            places.setdefault(field.name, (holder, field.name))  # a kind is of the table first
    places |= {name: place for name, place in _PLACES.items() if place[0] in own}
    whole: dict[str, Any] = {}
    within: dict[str, dict[str, Any]] = {}
    for name, value in options.items():
        if name in places and not isinstance(value, parts.get(name, ())):
            holder, place = places[name]
            if place:
                within.setdefault(holder, {})[place] = value
            else:
                whole[holder] = value or ReadOptions()
        elif name in own:
            whole[name] = value
        else:
            known = sorted({*own, *places} - {"source"})
            raise ParameterError(f"{name} is no part of a request; there are {', '.join(known)}")
    return {**whole, **{holder: parts[holder](**values) for holder, values in within.items()}}


def structured(document: Mapping[str, Any], of: type) -> Any:
    """Return a request from plain values."""
    from cattrs import transform_error

    try:
        return _converter().structure(document, of)
    except ParameterError:
        raise
    except Exception as error:
        inner = next(_inner(error), None)
        if inner is not None:
            raise inner from error
        raise ParameterError(f"no request: {'; '.join(transform_error(error)[:3])}") from error


@cache
def _converter() -> Converter:
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True)
    converter.register_structure_hook_func(lambda kind: kind is Any, lambda value, _: _named(value))
    converter.register_structure_hook(str | Path | None, lambda value, _: _path(value))
    converter.register_structure_hook(str | int | None, lambda value, _: value)
    for kind in (
        str,
        int,
        float,
        bool,
    ):  # by the type itself: what cattrs has for them comes before functions
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook_func(
        lambda kind: kind == tuple[str, ...], lambda value, _: _names(value)
    )
    return converter


def _inner(error: BaseException) -> Iterator[ParameterError]:
    """Yield the errors of the values themselves, which say what was wanted."""
    if isinstance(error, ParameterError):
        yield error
    for cause in getattr(error, "exceptions", ()):
        yield from _inner(cause)


def _exactly(value: Any, of: type) -> Any:
    if of is float and type(value) is int:
        return float(value)
    if type(value) is not of:
        raise ValueError(f"wanted {of.__name__}")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ParameterError(f"{value!r} came; wanted a list of columns such as ignore = ['a', 'b']")
    return tuple(value)


def _named(value: Any) -> Any:
    if not isinstance(value, str | None):
        raise ParameterError(f"source or reference is {value!r}; wanted a path, dataset:NAME or database URL")
    return value


def _path(value: Any) -> Any:
    if not isinstance(value, str | None):
        raise ParameterError(f"{value!r} is no path")
    return value


def without_defaults(value: Any) -> dict[str, Any]:
    """Return the fields of a request that are set, as plain values."""
    document: dict[str, Any] = {}
    for field in fields(value):
        here = getattr(value, field.name)
        if hasattr(here, "__dataclass_fields__"):
            inner = without_defaults(here)
            document |= {field.name: inner} if inner else {}
        elif here != field.default:
            plain = list(here) if isinstance(here, tuple) else here
            document[field.name] = str(plain) if isinstance(plain, Path) else plain
    return document
